import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { read } from '../src/report';

const main = path.join(__dirname, '..', 'dist', 'main.js');
const bench = (...args: string[]) =>
  spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', timeout: 60_000 });

describe('npm run bench', () => {
  before(function () {
    // Agents run what is built.
    if (!existsSync(main)) this.skip();
  });

  it('lists its cases', () => {
    const { stdout, status } = bench('--list');
    expect(status).to.equal(0);
    const names = [
      'overhead/start',
      'start/async',
      'memory/sync-50MiB',
      'crowd/1000-late',
      'capture/100MiB',
      'talk/64B',
    ];
    for (const name of [...names, 'launcher/start', 'import/size']) expect(stdout).to.contain(name);
  });

  it('measures, in this process and in others, and writes what it found', function () {
    if (process.platform === 'win32') this.skip();
    const directory = mkdtempSync(path.join(tmpdir(), 'bench-'));
    const file = path.join(directory, 'found.json');
    try {
      const { stdout, stderr, status } = bench(
        'overhead/start',
        'capture/1MiB',
        'build',
        '--rounds',
        '1',
        '--json',
        file,
      );
      expect(stderr).to.equal('');
      expect(status).to.equal(0);
      // One round is too few for a conclusion.
      expect(stdout).to.not.match(/[✔✘]/);
      expect(stdout).to.contain('Bars');
      const { results } = read(readFileSync(file, 'utf8'));
      expect(results.map(({ name }) => name)).to.deep.equal(['overhead/start', 'capture/1MiB', 'build/text']);
      for (const { rows } of results) for (const { name, median } of rows) expect(median, name).to.be.above(0);
      const started = results[1]?.rows.map(({ name }) => name);
      expect(started).to.include.members(['vircommand child-process', 'child_process', 'execa 9']);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('says what it knows when it does not know a name', () => {
    const { stderr, status } = bench('nonsense');
    expect(status).to.equal(2);
    expect(stderr).to.match(/^usage: .*overhead\|start/);
  });
});
