/** The command line: what it loads, what it prints, and how it exits. */
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { CannotRun, readArguments } from '../src/cli/arguments';
import { loadSubject } from '../src/cli/load';
import { main } from '../src/cli/main';
import type { Output } from '../src/cli/style';
import type { ConformanceReport } from '../src';

const modules = path.join(__dirname, 'modules');

/** Keeps what is written. */
class Written implements Output {
  text = '';
  readonly columns = 60;
  constructor(
    readonly isTTY = false,
    readonly colours = isTTY,
  ) {}
  hasColors(): boolean {
    return this.colours;
  }
  write(chunk: string | Uint8Array): boolean {
    this.text += String(chunk);
    return true;
  }
}

async function run(argv: readonly string[], stdout = new Written(), stderr = new Written()) {
  const status = await main(argv, { cwd: modules, stdout, stderr });
  return { status, stdout: stdout.text, stderr: stderr.text };
}

describe('the module', () => {
  const nameOf = async (file: string): Promise<string> => (await loadSubject(file, modules)).name;

  it('is CommonJS with a backend, an ES module with a factory, or a compiled subject', async () => {
    expect(await nameOf('./backend.js')).to.equal('refuses');
    expect(await nameOf('factory.mjs')).to.equal('made');
    expect(await nameOf(path.join(modules, 'subject.cjs'))).to.equal('a subject');
  });

  it('is made anew for each case by a factory', async () => {
    const subject = await loadSubject('factory.mjs', modules);
    expect(await subject.create()).to.not.equal(await subject.create());
  });

  const failures: readonly (readonly [string, string, RegExp])[] = [
    ['is not there', './nowhere.js', /there is no file '.*nowhere\.js' and no package '\.\/nowhere\.js'$/],
    ['lacks its extension', 'backend', /no file '.*' and no package 'backend'; did you mean backend\.js\?$/],
    ['does not load', './broken.js', /broken\.js: it could not be loaded: Error: broken at load\n +at /],
    ['exports no backend', './none.js', /none\.js: it exports no backend\. .*'createBackend'.* It exports .*answer/],
  ];
  for (const [what, file, message] of failures) {
    it(`${what}: a clear error, exit status 2`, async () => {
      const { status, stderr, stdout } = await run([file]);
      expect([status, stdout]).to.deep.equal([2, '']);
      expect(stderr.trimEnd())
        .to.match(message)
        .and.to.match(/^vircommand-conformance: /);
    });
  }

  it('has known failures of the suite only', async () => {
    const { status, stderr } = await run(['./mistyped.js']);
    expect(status).to.equal(2);
    expect(stderr).to.contain("knownFailures of 'mistyped' names no case of the suite: no.such-case");
  });
});

describe('the arguments', () => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /which backend\?/],
    [['a.js', 'b.js'], /not also b\.js/],
    [['--onyl', 'x', 'a.js'], /--onyl/],
    [['--only', '(', 'a.js'], /--only \(: Invalid regular expression/],
  ];
  for (const [argv, message] of wrong) {
    it(`'${argv.join(' ')}' is refused`, () => {
      expect(() => readArguments(argv)).to.throw(CannotRun, message);
    });
  }

  it('--help says how it is used', async () => {
    const { status, stdout } = await run(['--help']);
    expect(status).to.equal(0);
    expect(stdout).to.match(/^Usage: vircommand-conformance .*MODULE\n/);
  });

  it('--only that matches nothing is an error', async () => {
    expect(await run(['--only', '^nothing$', './backend.js'])).to.include({ status: 2 });
  });

  it('--list lists, as text and as JSON', async () => {
    const { stdout } = await run(['--list', '--only', '^arguments\\.e']);
    expect(stdout).to.match(/^arguments\.exact {2,}arguments arrive unchanged/);
    const { stdout: text } = await run(['--list', '--json', '--only', '^arguments\\.exact$']);
    const [first] = JSON.parse(text) as Record<string, unknown>[];
    expect(first).to.include({ id: 'arguments.exact', since: 1 }).and.to.include.keys('title', 'why', 'requires');
  });
});

describe('the report', () => {
  it('is a table of features and what failed, with the reason why it matters', async () => {
    const { status, stdout, stderr } = await run(['--only', '^arguments\\.(exact|argv0)$', './backend.js']);
    expect([status, stderr]).to.deep.equal([1, '']);
    const lines = stdout.split('\n');
    expect(lines[0]).to.equal('refuses conformance (contract 1)');
    // Every feature has its line, and the columns are aligned.
    const table = lines.slice(2, lines.indexOf('', 2));
    expect(table[0]).to.match(/^ {2}argv0 .* not-checked {2}no case was run$/);
    expect(table.length).to.be.greaterThan(30);
    expect(new Set(table.map((line) => line.search(/(not-checked|absent|refused)( |$)/))).size).to.equal(1);
    expect(stdout).to.match(/\nFailed\n\n {2}arguments\.exact {2}arguments arrive unchanged/);
    expect(stdout).to.match(/\n {4}Why it matters: /);
    expect(stdout).to.match(/\n0 passed, 1 failed, 1 of features that do not concern it \(\d+\.\d s\)\n$/);
    expect(stdout).to.not.contain('\x1b');
  });

  it('has colours and progress on a terminal, and no colours if they are not wanted', async () => {
    const argv = ['--only', '^arguments\\.exact', './backend.js'];
    const coloured = await run(argv, new Written(true), new Written(true));
    expect(coloured.stdout).to.contain('\x1b[31marguments.exact\x1b[0m');
    expect(coloured.stderr).to.contain('\r\x1b[K\x1b[2m1/2  arguments.exact\x1b[0m');
    expect(coloured.stderr).to.contain('\x1b[31m2/2, 1 failed  arguments.exact.sync\x1b[0m');
    expect(coloured.stderr.endsWith('\r\x1b[K')).to.equal(true);
    const plain = await run(argv, new Written(true, false), new Written(true, false));
    expect(plain.stdout).to.not.contain('\x1b');
    expect(plain.stderr).to.contain('\r\x1b[K2/2, 1 failed  arguments.exact.sync');
  });
});

describe('the process', () => {
  /** Built, as it is installed; otherwise its source. */
  const program =
    process.env.SUBJECT === 'dist'
      ? [path.join(__dirname, '..', 'bin', 'vircommand-conformance.js')]
      : [path.join(__dirname, '..', 'src', 'cli', 'run.ts')];
  const start = (...argv: readonly string[]) =>
    spawnSync(process.execPath, [...process.execArgv, '-r', 'ts-node/register/transpile-only', ...program, ...argv], {
      cwd: modules,
      encoding: 'utf8',
      timeout: 120_000,
    });

  it('exits with 0 for a backend that keeps its promises, and prints JSON to be read', () => {
    const { status, stdout, stderr } = start('--json', '--only', '^(arguments|output)\\.e', './good.js');
    expect([status, stderr]).to.deep.equal([0, '']);
    const { ok, subject, features, cases } = JSON.parse(stdout) as ConformanceReport;
    expect({ ok, subject }).to.deep.equal({ ok: true, subject: 'good' });
    expect(features).to.include({ sync: 'supported', limits: 'not-checked' });
    expect(cases.map(({ status }) => status))
      .to.include('passed')
      .and.to.not.include('failed');
  });

  it('exits with 1 for one that does not, and 2 for none', () => {
    expect(start('--only', '^arguments\\.exact$', './backend.js')).to.include({ status: 1, stderr: '' });
    expect(start('./none.js')).to.include({ status: 2, stdout: '' });
  });

  it('tells of an error in the very first start, which nobody caught, in the first case', () => {
    const { status, stdout, stderr } = start('--json', '--only', '^arguments\\.exact', './stray.js');
    expect([status, stderr]).to.deep.equal([1, '']);
    const { cases } = JSON.parse(stdout) as ConformanceReport;
    expect(cases.map(({ detail }) => detail?.includes('nobody caught: Error: stray'))).to.deep.equal([true, false]);
  });

  it('exits with 2 where the backend ends it, and says in which case', () => {
    const { status, stdout, stderr } = start('--only', '^arguments\\.exact$', './exits.js');
    expect([status, stdout]).to.deep.equal([2, '']);
    expect(stderr).to.equal(
      'vircommand-conformance: the process ended in the case arguments.exact: does the backend call process.exit()?\n',
    );
  });
});
