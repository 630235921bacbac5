/** Ctrl-C at a real terminal. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { whyNot } from '@vircommand/posix';
import { subjectNames } from '../src/subjects';
import { program } from './programs';

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

describe('Ctrl-C at a terminal', function () {
  this.timeout(60_000);

  before(function () {
    // util-linux' script(1) makes the terminal.
    const { error, stdout } = spawnSync('script', ['--version'], { encoding: 'utf8' });
    if (error !== undefined || !stdout.includes('util-linux')) this.skip();
  });

  for (const backend of subjectNames) {
    it(`reaches the program: ${backend}`, async function () {
      if (backend === 'posix' && whyNot() !== undefined) this.skip();
      const line = [process.execPath, ...program('terminal', backend)].map(quoted).join(' ');
      const terminal = spawn('script', ['-qec', line, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
      const exited = once(terminal, 'exit');
      let text = '';
      terminal.stdout.setEncoding('utf8').on('data', (part: string) => {
        if (!text.includes('ready') && (text + part).includes('ready')) terminal.stdin.write('\x03');
        text += part;
      });
      await exited;
      expect(text).to.match(/ready[^]*interrupted[^]*exit code 7/);
    });
  }
});
