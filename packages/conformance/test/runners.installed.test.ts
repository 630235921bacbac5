/** The suite in each test runner, as a third party installs and runs it: what is published, in a directory elsewhere. */
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import type { ConformanceReport } from '../src';
import { cleanEnvironment, install, transpile } from './installed';

interface Counts {
  readonly passed: number;
  readonly skipped: number;
  readonly failed: number;
}
interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
interface Runner {
  readonly name: string;
  /** Its package and the program in it; `undefined`: this Node. */
  readonly program: readonly [string, string] | undefined;
  readonly args: readonly string[];
  /** Runs only the tests whose name has this word. */
  readonly only: (word: string) => readonly string[];
  readonly counts: (run: Run) => Counts;
}

const inJson = ({ stdout, stderr }: Run): Record<string, unknown> => {
  const start = stdout.indexOf('{');
  if (start === -1) throw new Error(`no JSON in ${stdout}\n${stderr}`);
  return JSON.parse(stdout.slice(start)) as Record<string, unknown>;
};
/** jest's form, which vitest has too. jest cannot skip a test that runs; the adapter says so in a line. */
const jestCounts = (run: Run): Counts => {
  const { numPassedTests, numPendingTests, numFailedTests } = inJson(run);
  const told = (run.stdout + run.stderr).split('    not run: ').length - 1;
  const [passed, skipped] = [Number(numPassedTests) - told, Number(numPendingTests) + told];
  return { passed, skipped, failed: Number(numFailedTests) };
};
const mochaCounts = (run: Run): Counts => {
  const { passes, pending, failures } = inJson(run).stats as Record<string, number>;
  return { passed: Number(passes), skipped: Number(pending), failed: Number(failures) };
};
const tapCounts = ({ stdout }: Run): Counts => {
  const number = (what: string): number => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(stdout)?.[1]);
  return { passed: number('pass'), skipped: number('skipped'), failed: number('fail') };
};

const runners: readonly Runner[] = [
  {
    name: 'mocha',
    program: ['mocha', 'bin/mocha.js'],
    args: ['--reporter', 'json', 'mocha.test.cjs'],
    only: (word) => ['--grep', word],
    counts: mochaCounts,
  },
  {
    name: 'jest',
    program: ['jest', 'bin/jest.js'],
    args: ['--json', '--moduleFileExtensions', 'cjs', 'js', '--testMatch=**/jest.test.cjs'],
    only: (word) => ['-t', word],
    counts: jestCounts,
  },
  {
    name: 'vitest',
    program: ['vitest', 'vitest.mjs'],
    args: ['run', '--reporter=json', '--no-color', 'vitest.test.mjs'],
    only: (word) => ['-t', word],
    counts: jestCounts,
  },
  {
    name: 'vitest, with globals and everything at once',
    program: ['vitest', 'vitest.mjs'],
    args: ['run', '--globals', '--sequence.concurrent', '--reporter=json', '--no-color', 'vitest-globals.test.mjs'],
    only: (word) => ['-t', word],
    counts: jestCounts,
  },
  {
    name: 'node:test',
    program: undefined,
    args: ['--test', '--test-reporter=tap', 'node.test.mjs'],
    only: (word) => [`--test-name-pattern=${word}`],
    counts: tapCounts,
  },
];

const packageOf = (name: string): string => path.dirname(require.resolve(`${name}/package.json`));

const countsOf = ({ cases }: ConformanceReport): Counts => {
  const count = (...wanted: readonly string[]): number => cases.filter(({ status }) => wanted.includes(status)).length;
  return { passed: count('passed'), skipped: count('undeclared', 'not-checked'), failed: count('failed') };
};

/** For the message of a test that fails: what is around each failure. Jest's JSON and vitest's is one line of 300 KB. */
const failures = ({ stdout, stderr }: Run): string => {
  const text = stdout + stderr;
  const around = (index: number): string => text.slice(Math.max(0, index - 1000), index + 1000);
  return Array.from(text.matchAll(/Why it matters/g), ({ index }) => around(index)).join('\n');
};

describe('the suite registers and runs in', function () {
  // Each of them runs all of it, in a process of its own.
  this.timeout(300_000);
  let remove = (): void => undefined;
  let directory = '';
  let expected: Counts = { passed: 0, skipped: 0, failed: 0 };

  before(async () => {
    ({ directory, remove } = install(['core', 'conformance'], { vitest: packageOf('vitest') }));
    cpSync(path.join(__dirname, 'runners'), directory, { recursive: true });
    const good = readFileSync(path.join(__dirname, 'backends', 'good.ts'), 'utf8');
    writeFileSync(path.join(directory, 'good.cjs'), transpile(good));
    // In a process of its own, too: what broken backends forgot in this one would be among what is aborted.
    const cli = path.join('node_modules', '@vircommand', 'conformance', 'bin', 'vircommand-conformance.js');
    const { stdout } = await runNode([cli, '--json', './backend.cjs']);
    const report = JSON.parse(stdout) as ConformanceReport;
    expect(report.cases.filter(({ status }) => status === 'failed')).to.deep.equal([]);
    expected = countsOf(report);
  });
  after(() => {
    remove();
  });

  const runNode = async (argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Run> => {
    const child = spawn(process.execPath, argv, {
      cwd: directory,
      env: { ...cleanEnvironment(), CI: 'true', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (chunk: string) => (text[name] += chunk));
    }
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    });
    return { status, ...text };
  };

  const run = ({ program, args, only }: Runner, broken: boolean): Promise<Run> => {
    const file = program === undefined ? [] : [path.join(packageOf(program[0]), program[1])];
    const some = broken ? only('environment') : [];
    return runNode([...file, ...args.slice(0, -1), ...some, ...args.slice(-1)], broken ? { BROKEN_BACKEND: '1' } : {});
  };

  for (const runner of runners) {
    it(`${runner.name}: a good backend passes, every reason to skip counted`, async () => {
      const result = await run(runner, false);
      expect(runner.counts(result), failures(result)).to.deep.equal(expected);
      expect(result.status).to.equal(0);
    });

    it(`${runner.name}: a broken backend fails, and it says why that matters`, async () => {
      const result = await run(runner, true);
      expect(result.status).to.not.equal(0);
      const { failed } = runner.counts(result);
      expect(failed).to.be.greaterThan(0).and.to.be.lessThan(expected.passed);
      expect(result.stdout + result.stderr).to.contain('Why it matters: ');
      expect(result.stdout + result.stderr).to.contain('environment.empty');
    });
  }
});
