/** `killOnParentExit`, for every way in which a parent ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { backend as posix, whyNot } from '@vircommand/posix';
import { settledTo } from '../src/left';
import { subjectNames } from '../src/subjects';
import { program } from './programs';

function alive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

/** Ends a parent in one way; which of its program and the program's child live on: so many (`most`) may. */
async function survivors(backend: string, kill: string, end: string, most = 0): Promise<string[]> {
  const parent = spawn(process.execPath, program('parent', backend, kill, end), { stdio: ['pipe', 'pipe', 'ignore'] });
  const exited = once(parent, 'exit');
  const lines = createInterface(parent.stdout);
  const early = exited.then(() => Promise.reject(new Error('the parent ended too early')));
  early.catch(() => undefined);
  const [line] = (await Promise.race([once(lines, 'line'), early])) as [string];
  const pids = line.split(' ').map(Number);
  const names = ['program', 'child'];
  const living = (): string[] => names.filter((_, index) => alive(pids[index] ?? 0));
  expect(living()).to.deep.equal(names);
  parent.stdin.write('end\n');
  // Its handler is there when it says so.
  if (end.startsWith('SIGTERM')) await once(lines, 'line');
  if (end.startsWith('SIG')) parent.kill(end === 'SIGKILL' ? 'SIGKILL' : 'SIGTERM');
  await exited;
  const left = await settledTo(living, (list) => list.length <= most);
  for (const pid of pids) if (alive(pid)) process.kill(pid, 'SIGKILL');
  return left;
}

/** Node runs code of its own before these ends. */
const orderly = ['process.exit()', 'an uncaught error', 'an unhandled rejection'] as const;
const signals = ['SIGTERM', 'SIGKILL'] as const;

describe('a program that is to end with its parent', function () {
  this.timeout(120_000);

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  for (const backend of subjectNames) {
    const here = backend !== 'posix' || whyNot() === undefined;
    (here ? describe : describe.skip)(backend, () => {
      for (const end of orderly) {
        it(`ends with its child by ${end}`, async () => {
          expect(await survivors(backend, 'true', end)).to.deep.equal([]);
        });
      }

      it('survives a signal that ends the parent: nothing runs then, and that is what best effort means', async () => {
        expect(await survivors(backend, 'true', 'SIGKILL', 2)).to.deep.equal(['program', 'child']);
        expect(await survivors(backend, 'true', 'SIGTERM', 2)).to.deep.equal(['program', 'child']);
      });
    });
  }

  it('ends by SIGTERM where the application turns it into an exit', async () => {
    expect(await survivors('child-process', 'true', 'SIGTERM with a handler')).to.deep.equal([]);
  });

  for (const end of [...orderly, ...signals]) {
    it(`that the kernel watches ends by ${end}`, async function () {
      if (!posix.features.includes('parent-death-signal')) this.skip();
      // The kernel's signal is for the program; whom it started is not told.
      expect(await survivors('posix', 'guaranteed', end, 1)).to.not.include('program');
    });
  }
});
