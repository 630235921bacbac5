/** What a package costs before it does anything: the time of its import in a fresh process, and its size on the disk. */
import { execFile } from 'node:child_process';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { figure, NotHere, type Case, type Subject } from '../case';
import { directoryOf, installedBytes, withDependencies } from '../packages';

const packages: readonly (readonly [name: string, role: Subject['role']])[] = [
  ['@vircommand/core', 'ours'],
  ['@vircommand/child-process', 'ours'],
  ['@vircommand/posix', 'ours'],
  ['@vircommand/mock', 'ours'],
  ['vircommand', 'ours'],
  ['execa', 'peer'],
  ['execa-10', 'peer'],
  ['tinyexec', 'peer'],
  ['nano-spawn', 'peer'],
  ['zx', 'peer'],
  ['cross-spawn', 'peer'],
];

const run = promisify(execFile);
/** The loaders themselves are loaded before. */
const programs = {
  import: `
import('data:text/javascript,').then(async () => {
  const begun = process.hrtime.bigint();
  await import(process.argv[1]);
  console.log(String(process.hrtime.bigint() - begun));
});`,
  require: `
const begun = process.hrtime.bigint();
require(process.argv[1]);
console.log(String(process.hrtime.bigint() - begun));`,
};

/** @throws NotHere */
function installed(name: string): Promise<undefined> {
  directoryOf(name);
  return Promise.resolve(undefined);
}

const importing = (how: keyof typeof programs, name: string, role: Subject['role']): Subject => ({
  name,
  role,
  setup: () => installed(name),
  async run() {
    if (name === 'execa-10' && Number(process.versions.node.split('.')[0]) < 22) {
      throw new NotHere('it needs Node.js 22');
    }
    const { stdout } = await run(process.execPath, ['-e', programs[how], name], { cwd: path.join(__dirname, '..') });
    return figure(Number(stdout) / 1e6);
  },
});

/** What `npm install` writes, with everything that comes along. */
const withAll = (name: string): number =>
  withDependencies(name).reduce((sum, directory) => sum + installedBytes(directory), 0);

const sizing = (name: string, role: Subject['role']): Subject => ({
  name,
  role,
  setup: () => installed(name),
  run: () => figure(withAll(name) / 1024),
});

export const imports = (): Case[] => [
  {
    name: 'import/time',
    what: 'import() in a fresh process',
    iterations: 2,
    subjects: packages.map(([name, role]) => importing('import', name, role)),
  },
  {
    name: 'import/require',
    what: 'require() in a fresh process',
    iterations: 2,
    subjects: packages
      .filter(([name, role]) => role === 'ours' || name === 'cross-spawn')
      .map(([name, role]) => importing('require', name, role)),
    bars: [
      { subject: '@vircommand/core', atMost: 5 },
      { subject: '@vircommand/posix', atMost: 25 },
    ],
  },
  {
    name: 'import/size',
    what: 'installed files with all dependencies',
    unit: 'KiB',
    iterations: 1,
    rounds: 1,
    exact: true,
    subjects: packages.map(([name, role]) => sizing(name, role)),
    bars: [{ subject: '@vircommand/core', atMost: 100 }],
  },
];
