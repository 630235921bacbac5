/** Starts through a spawner thread. */
import { CommandStartError } from '@vircommand/core';
import { bindCommand, type ChildHandle, type LaunchPlan } from '@vircommand/core/backend';
import { expect } from 'chai';
import { closeSync, copyFileSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { Attributes } from '../src/attributes';
import { libcThrough } from '../src/libc';
import { Moments } from '../src/moment';
import { Gatehouse } from '../src/spawner/gate';
import { Lane } from '../src/spawner/lane';
import { createPosixBackend } from '../src';
import { usableDrivers } from './drivers';
import { openFds, planOf, sh } from './plans';
import { captured, nothingNew, until } from './started';

const drivers = usableDrivers.filter((name) => name !== 'ffi-napi');
const here = { noNewPrivs: false };
const none = (why: string): never => {
  throw new Error(`no thread: ${why}`);
};

const threads = (): string[] => readdirSync('/proc/self/task');

/** Of all threads, those of other tests among them. */
const children = (): string[] =>
  threads().flatMap((task) => {
    try {
      return readFileSync(`/proc/self/task/${task}/children`, 'latin1').split(' ').filter(Boolean);
    } catch {
      return [];
    }
  });

const moments = new Moments(libcThrough(usableDrivers[0] ?? 'koffi'));
const begin = async (lane: Lane, plan: LaunchPlan): Promise<ChildHandle> => {
  const moment = moments.take(plan);
  if (moment === undefined) throw new Error('this process acts as another user');
  return moments.during(moment, () => lane.start(plan, moment, none));
};

/** What a program prints, through this lane. */
async function print(lane: Lane, script: string, part: Partial<LaunchPlan> = {}): Promise<string> {
  const handle = await begin(lane, sh(script, { stdout: { type: 'pipe' }, ...part }));
  const text = await captured(handle);
  await handle.exited;
  handle.dispose();
  return text.toString().trim();
}

for (const driver of drivers) {
  describe(`a spawner thread, with the driver ${driver}`, () => {
    const libc = libcThrough(driver);
    const laneOf = (kind = here): Lane =>
      new Lane(kind, {
        libc,
        attributes: new Attributes(libc),
        gatehouse: new Gatehouse(driver),
      });
    let lane: Lane;
    let made: Worker[];
    const note = (worker: Worker): void => {
      made.push(worker);
    };
    beforeEach(() => {
      made = [];
      process.on('worker', note);
      lane = laneOf();
    });
    afterEach(async () => {
      process.off('worker', note);
      await lane.dispose();
    });

    it('starts children of this process, with the environment as it is then', async () => {
      for (const value of ['one', 'two', 'two']) {
        process.env.VIRCOMMAND_OF_THREAD = value;
        expect(await print(lane, 'echo $PPID $VIRCOMMAND_OF_THREAD')).to.equal(`${process.pid} ${value}`);
      }
      delete process.env.VIRCOMMAND_OF_THREAD;
      expect(await print(lane, 'echo ${VIRCOMMAND_OF_THREAD-unset}')).to.equal('unset');
    });

    it('starts them where this process is, or where the plan says', async () => {
      const before = process.cwd();
      try {
        process.chdir('/usr');
        expect(await print(lane, 'pwd')).to.equal('/usr');
        expect(await print(lane, 'pwd', { cwd: '/etc' })).to.equal('/etc');
      } finally {
        process.chdir(before);
      }
    });

    it('tells the stage of what fails, and leaves nothing', async () => {
      const failures: readonly [Partial<LaunchPlan>, string, string][] = [
        [{ program: '/no/such', argv: ['such'] }, 'exec', 'ENOENT'],
        [{ program: '/etc/passwd', argv: ['passwd'] }, 'exec', 'EACCES'],
        [{ program: 'vircommand-no-such' }, 'resolve', 'ENOENT'],
        [{ cwd: '/no/such' }, 'cwd', 'ENOENT'],
        [{ stdin: { type: 'fd', fd: 999_999 } }, 'stdio', 'EBADF'],
      ];
      await print(lane, 'true');
      const before = openFds();
      for (const [part, stage, code] of failures) {
        const error = await begin(lane, planOf({ stdout: { type: 'pipe' }, ...part })).catch(
          (reason: unknown) => reason,
        );
        expect(error).to.be.instanceOf(CommandStartError).and.include({ stage, code });
      }
      expect(openFds()).to.deep.equal(before);
    });

    it('notices each of the exits of a burst, and keeps nothing', async () => {
      await print(lane, 'true');
      const before = openFds();
      const running = threads();
      const codes = await Promise.all(
        Array.from({ length: 64 }, async (_, index) => {
          const handle = await begin(lane, sh(`exit ${index}`));
          return (await handle.exited).exitCode;
        }),
      );
      expect(codes).to.deep.equal(Array.from({ length: 64 }, (_, index) => index));
      expect(openFds()).to.deep.equal(before);
      expect(threads()).to.deep.equal(running);
    });

    it('is replaced if it dies, and no start is lost or made twice', async () => {
      await print(lane, 'true');
      const before = children();
      for (let round = 0; round < 5; round++) {
        const starts = Array.from({ length: 40 }, (_, index) => begin(lane, sh(`exit ${index}`)));
        await Promise.all(starts.slice(0, 1 + round * 7));
        await made.at(-1)?.terminate();
        const handles = await Promise.all(starts);
        const codes = await Promise.all(handles.map(async ({ exited }) => (await exited).exitCode));
        expect(codes).to.deep.equal(Array.from({ length: 40 }, (_, index) => index));
        expect(new Set(handles.map(({ pid }) => pid)).size).to.equal(40);
      }
      expect(made).to.have.lengthOf.at.least(5);
      await until(() => nothingNew(children(), before));
    });

    it('does not start what nobody waits for any longer', async () => {
      const before = openFds();
      const plan = sh('exit 0');
      const start = begin(lane, plan).catch((error: unknown) => error);
      lane.cancel(plan);
      expect(await start).to.be.instanceOf(CommandStartError);
      await lane.dispose();
      await until(() => nothingNew(openFds(), before));
    });

    it('ends when it is disposed, after what it has begun', async () => {
      const before = openFds();
      const running = threads();
      const starts = Array.from({ length: 12 }, () => begin(lane, sh('exit 3')));
      await starts[0];
      await lane.dispose();
      const handles: ChildHandle[] = await Promise.all(starts);
      for (const { exited } of handles) expect((await exited).exitCode).to.equal(3);
      await lane.dispose();
      await until(() => nothingNew(threads(), running) && nothingNew(openFds(), before));
    });

    it('has a umask and a directory of its own, and this process keeps its', async () => {
      const own = laneOf({ noNewPrivs: true });
      const before = [process.cwd(), /^Umask:.*$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[0]];
      try {
        for (const umask of [0o77, 0, 0o27]) {
          const text = await print(own, 'umask; pwd; grep NoNewPrivs /proc/self/status', { privileged: { umask } });
          const mask = umask.toString(8).padStart(4, '0');
          expect(text).to.equal(`${mask}\n${process.cwd()}\nNoNewPrivs:\t1`);
        }
        process.chdir('/usr');
        expect(await print(own, 'pwd', { privileged: { umask: 0o22 } })).to.equal('/usr');
        process.chdir(before[0] ?? '/');
        expect(await print(lane, 'grep NoNewPrivs /proc/self/status')).to.equal('NoNewPrivs:\t0');
      } finally {
        process.chdir(before[0] ?? '/');
        await own.dispose();
      }
      expect([process.cwd(), /^Umask:.*$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[0]]).to.deep.equal(
        before,
      );
    });
  });
}

describe('a start that is held', () => {
  it('has its limits also when its file is free for execution only after some tries', async () => {
    const backend = createPosixBackend({ driver: drivers[0] });
    const Bound = bindCommand(backend);
    const directory = mkdtempSync(join(tmpdir(), 'vircommand-busy-'));
    const file = join(directory, 'sh');
    copyFileSync('/bin/sh', file);
    const limited = (): Promise<string> =>
      new Bound(file, ['-c', 'ulimit -n'], { stdout: 'text' })
        .setMaxFiles(77)
        .run()
        .then(({ stdout }) => stdout);
    try {
      expect(await limited()).to.equal('77\n');
      let waited = 0;
      while (waited < 3) {
        const writer = openSync(file, 'r+');
        const running = limited().catch((error: unknown) => error);
        setTimeout(() => {
          closeSync(writer);
        }, 5);
        const seen = await running;
        // This process had no time to close it while it was tried.
        if (seen instanceof CommandStartError && seen.code === 'ETXTBSY') continue;
        expect(seen).to.equal('77\n');
        waited++;
      }
    } finally {
      await backend.dispose();
      rmSync(directory, { recursive: true });
    }
  });
});

describe('a burst of starts', function () {
  it('goes to a thread from the second one on, and ends as it should', async () => {
    const backend = createPosixBackend({ driver: drivers[0] });
    const Bound = bindCommand(backend);
    const before = threads().length;
    let seen = before;
    for (let round = 0; round < 20 && seen === before; round++) {
      const runs = Array.from({ length: 64 }, (_, index) =>
        new Bound('/bin/sh', ['-c', `echo ${index}; exit ${index}`], { stdout: 'text' }).run({ check: false }),
      );
      (await Promise.all(runs)).forEach(({ stdout, exitCode }, index) => {
        expect([stdout, exitCode]).to.deep.equal([`${index}\n`, index]);
      });
      seen = threads().length;
    }
    expect(seen).to.be.above(before);
    await backend.dispose();
    await until(() => threads().length === before);
  });
});
