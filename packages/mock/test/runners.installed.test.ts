/** Mocks in each test runner, as somebody who installed the packages uses them: what is published, in a directory elsewhere. */
import { expect } from 'chai';
import { cpSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { Command } from '@vircommand/child-process';
import { cleanEnvironment, install } from '../../conformance/test/installed';

interface Runner {
  readonly name: string;
  /** Its package and the program in it; `undefined`: this Node. */
  readonly program: readonly [string, string] | undefined;
  readonly args: readonly string[];
  /** How many tests passed and failed, in its words. */
  readonly counts: (output: string) => readonly [passed: number, failed: number];
}

const number = (output: string, key: string): number =>
  Number(new RegExp(`"?${key}"?:? (\\d+)|"${key}":(\\d+)`).exec(output)?.slice(1).find(Boolean));
const jestCounts = (output: string): [number, number] => [
  number(output, 'numPassedTests'),
  number(output, 'numFailedTests'),
];

const runners: readonly Runner[] = [
  {
    name: 'mocha',
    program: ['mocha', 'bin/mocha.js'],
    args: ['--reporter', 'json', 'mocha.test.cjs'],
    counts: (output) => [number(output, 'passes'), number(output, 'failures')],
  },
  {
    name: 'jest',
    program: ['jest', 'bin/jest.js'],
    args: ['--json', '--testMatch', '**/jest.test.cjs', '--moduleFileExtensions', 'cjs', 'js', 'json'],
    counts: jestCounts,
  },
  {
    name: 'vitest',
    program: ['vitest', 'vitest.mjs'],
    args: ['run', '--reporter=json', '--no-color', 'vitest.test.mjs'],
    counts: jestCounts,
  },
  {
    name: 'node:test',
    program: undefined,
    args: ['--test', '--test-reporter=tap', 'node.test.mjs'],
    counts: (output) => [number(output, '# pass'), number(output, '# fail')],
  },
];

// What jest and vitest fake time with, as jest has it.
const way = ['jest', '@jest/core', 'jest-config', 'jest-environment-node', '@jest/fake-timers', '@sinonjs/fake-timers'];
const fakeTimers = way.reduce((from, name) => createRequire(from).resolve(name), __filename);

const packageOf = (name: string): string => path.dirname(require.resolve(`${name}/package.json`));

describe('mocks work in', function () {
  this.timeout(120_000);
  let directory = '';
  let remove = (): void => undefined;
  before(() => {
    ({ directory, remove } = install(['core', 'child-process', 'mock'], { vitest: packageOf('vitest') }));
    cpSync(path.join(__dirname, 'runners'), directory, { recursive: true });
  });
  after(() => {
    remove();
  });

  const run = async ({ program, args }: Pick<Runner, 'program' | 'args'>, env: Record<string, string> = {}) => {
    const words = program === undefined ? [] : [path.join(packageOf(program[0]), program[1])];
    const command = new Command(process.execPath, [...words, ...args], {
      cwd: directory,
      stdout: 'text',
      stderr: 'text',
    });
    const variables: NodeJS.ProcessEnv = { ...cleanEnvironment(), CI: 'true', ...env };
    for (const [name, value] of Object.entries(variables)) {
      if (value !== undefined) command.addEnvPair(name, value);
    }
    return command.run({ check: false, timeout: 100_000 });
  };

  for (const runner of runners) {
    const tests = runner.name === 'mocha' ? 5 : 6;

    it(`${runner.name}: scripted, dry run, recorded, virtual time`, async () => {
      const { stdout, stderr, exitCode } = await run(runner);
      expect(runner.counts(stdout), stdout + stderr).to.deep.equal([tests, 0]);
      expect(exitCode).to.equal(0);
    });

    it(`${runner.name}: a test that must fail does`, async () => {
      const { stdout, exitCode } = await run(runner, { BROKEN: '1' });
      expect(runner.counts(stdout)).to.deep.equal([tests - 1, 1]);
      expect(exitCode).to.not.equal(0);
    });
  }

  for (const [name, args] of Object.entries({ 'node:test': [], '@sinonjs/fake-timers': [fakeTimers] })) {
    it(`fakes of ${name} that were there before the mock was loaded`, async () => {
      const { stdout, stderr } = await run({ program: undefined, args: ['early.cjs', ...args] });
      expect(stdout, stderr).to.equal('hi 1000 true\n');
    });
  }
});
