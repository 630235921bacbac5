/** What a package costs before it does anything: the time of its import in a fresh process, and its size on the disk. */
import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { figure, NotHere, type Case, type Subject } from '../case';
import { directoryOf, publishedFiles, withDependencies } from '../packages';

const packages: readonly (readonly [name: string, role: Subject['role']])[] = [
  ['@vircommand/core', 'ours'],
  ['@vircommand/child-process', 'ours'],
  ['@vircommand/posix', 'ours'],
  ['execa', 'peer'],
  ['execa-10', 'peer'],
  ['tinyexec', 'peer'],
  ['nano-spawn', 'peer'],
  ['zx', 'peer'],
  ['cross-spawn', 'peer'],
];

const run = promisify(execFile);
/** As a user does it: ES modules import, CommonJS packages are imported by name too. */
const program = `
const begun = process.hrtime.bigint();
import(process.argv[1]).then(() => console.log(String(process.hrtime.bigint() - begun)));
`;

const importing = (name: string, role: Subject['role']): Subject => ({
  name,
  role,
  setup() {
    if (name === 'execa-10' && Number(process.versions.node.split('.')[0]) < 22)
      throw new NotHere('it needs Node.js 22');
    directoryOf(name);
  },
  async run() {
    // Node's own modules that every one of them needs are loaded by their import, as they would be for a user.
    const { stdout } = await run(process.execPath, ['-e', program, name], { cwd: path.join(__dirname, '..') });
    return figure(Number(stdout) / 1e6);
  },
});

/** What `npm install` writes, with everything that comes along. */
function installedBytes(name: string): number {
  let bytes = 0;
  for (const directory of withDependencies(name))
    for (const file of publishedFiles(directory)) bytes += statSync(file).size;
  return bytes;
}

const sizing = (name: string, role: Subject['role']): Subject => ({
  name,
  role,
  setup: () => void directoryOf(name),
  run: () => figure(installedBytes(name) / 1024),
});

export const imports = (): Case[] => [
  {
    name: 'import/time',
    what: 'import in a fresh process',
    iterations: 2,
    subjects: packages.map(([name, role]) => importing(name, role)),
  },
  {
    name: 'import/size',
    what: 'installed files with all dependencies',
    unit: 'KiB',
    iterations: 1,
    rounds: 1,
    subjects: packages.map(([name, role]) => sizing(name, role)),
  },
];
