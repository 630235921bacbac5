import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { wrap } from '../src/help';
import { helpOf, overview } from '../src/help-text';
import { main } from '../src/main';
import { painter, type Output } from '../src/output';
import { subcommands } from '../src/subcommands';

class Written implements Output {
  text = '';
  constructor(readonly isTerminal = false) {}
  write(piece: string | Uint8Array): void {
    this.text += String(piece);
  }
}

async function run(args: readonly string[], terminal = false) {
  const [stdout, stderr] = [new Written(terminal), new Written(terminal)];
  const status = await main(args, { stdout, stderr });
  return { status, stdout: stdout.text, stderr: stderr.text };
}

describe('the help', () => {
  it('names every subcommand', async () => {
    const { status, stdout } = await run(['--help']);
    expect(status).to.equal(0);
    for (const { name, summary } of subcommands)
      expect(stdout).to.contain(`  ${name} `).and.contain(summary.slice(0, 20));
    expect((await run(['help'])).stdout).to.equal(stdout);
  });

  it('is what somebody gets who says nothing, on stderr and with status 125', async () => {
    expect(await run([])).to.deep.include({ status: 125, stdout: '' });
    expect((await run([])).stderr).to.equal((await run(['--help'])).stdout);
  });

  for (const { name, flags, examples } of subcommands) {
    it(`of ${name} names each of its flags and examples, and is the same however it is asked for`, async () => {
      const { status, stdout } = await run([name, '--help']);
      expect(status).to.equal(0);
      for (const flag of flags.flatMap((group) => group.flags)) expect(stdout).to.contain(`--${flag.name}`);
      for (const example of examples) expect(stdout).to.contain(example);
      expect((await run(['help', name])).stdout).to.equal(stdout);
      expect((await run([name, '-h'])).stdout).to.equal(stdout);
    });
  }

  it('has no line of more than 80 columns, and no space at an end', () => {
    const plain = new Written();
    for (const text of [overview(subcommands, plain), ...subcommands.map((subcommand) => helpOf(subcommand, plain))]) {
      for (const line of text.split('\n')) {
        expect(line.length, line).to.be.at.most(80);
        expect(line).to.equal(line.trimEnd());
      }
    }
  });

  it('has colours on a terminal only, and not if somebody does not want them', async () => {
    expect((await run(['run', '--help'])).stdout).to.not.contain('\x1b');
    const { NO_COLOR: before } = process.env;
    delete process.env.NO_COLOR;
    try {
      expect((await run(['run', '--help'], true)).stdout).to.contain('\x1b[1mUsage:\x1b[0m');
    } finally {
      if (before !== undefined) process.env.NO_COLOR = before;
    }
    const terminal = new Written(true);
    expect(painter(terminal, { NO_COLOR: '1' })('red', 'x')).to.equal('x');
    expect(painter(terminal, { TERM: 'dumb' })('red', 'x')).to.equal('x');
    expect(painter(terminal, {})('red', 'x')).to.equal('\x1b[31mx\x1b[0m');
  });

  it('comes from --help in front of the program only', async () => {
    const { stdout } = await run(['run', '--dry-run', 'ls', '--help']);
    expect(stdout).to.equal('ls --help\n');
  });

  it('wraps words, and leaves long ones whole', () => {
    expect(wrap('aa bb cc', 5)).to.deep.equal(['aa bb', 'cc']);
    expect(wrap('aaaaaaaa b', 5)).to.deep.equal(['aaaaaaaa', 'b']);
  });
});

describe('vircommand', () => {
  it('tells its version', async () => {
    const text = readFileSync(path.join(__dirname, '..', 'package.json'), 'utf8');
    const { version } = JSON.parse(text) as { version: string };
    expect((await run(['--version'])).stdout).to.equal(`vircommand ${version}\n`);
  });

  it('says what to do about an unknown command or a flag before it', async () => {
    expect(await run(['ls'])).to.deep.equal({
      status: 125,
      stdout: '',
      stderr:
        "vircommand: there is no command 'ls'; vircommand --help names them all. To run a program: vircommand run -- ls\n",
    });
    expect((await run(['--nice'])).stderr).to.match(
      /^vircommand: there is no option '--nice'; options follow a command/,
    );
  });
});
