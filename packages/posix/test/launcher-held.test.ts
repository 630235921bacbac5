/** Who is held and ended, where that is not as easy as a signal: it may not be sent, or there is nothing to send it by. */
import { expect } from 'chai';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { startError, type ChildHandle, type LaunchPlan } from '@vircommand/core/backend';
import { Command } from '../src';
import { chosenDriver } from '../src/ffi';
import { beginLauncher } from '../src/launcher/client';
import { Progress } from '../src/launcher/progress';
import { encodeReport, failureOf } from '../src/launcher/protocol';
import { cancelLaunch, launch } from '../src/launcher/start';
import { launchAndWaitSync } from '../src/launcher/sync';
import { libcThrough, type Libc } from '../src/libc';
import { LINUX } from '../src/linux';
import { pidFiles } from './lockers';
import { openFds, planOf, sh } from './plans';
import { pidsWith, stateOf, syncRequest, until } from './started';

const { EAGAIN, EINTR, EMFILE, ENOSYS, EPERM } = constants.errno;
const { SIGCONT } = constants.signals;
const real = libcThrough(chosenDriver(undefined));

/** As {@link real}, but this process may not signal a launcher that has changed its user; where it is root, that cannot remove its file. */
const forbidden: Libc = {
  ...real,
  kill: (pid, signal) => (signal === SIGCONT ? real.kill(pid, signal) : -EPERM),
  syscall: (number, ...rest) => (number === LINUX.SYS_pidfd_send_signal ? -EPERM : real.syscall(number, ...rest)),
};
const another: LaunchPlan['privileged'] = process.geteuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

/** With the milliseconds that this thread was asleep for nothing. */
function attentive(libc: Libc): { libc: Libc; readonly idle: number } {
  const made = {
    libc: {
      ...libc,
      poll: (...[set, count, ms]: Parameters<Libc['poll']>) => {
        const result = libc.poll(set, count, ms);
        if (result === 0) made.idle += ms;
        return result;
      },
    },
    idle: 0,
  };
  return made;
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/** Waits for a condition without letting the event loop turn. */
function spin(condition: () => boolean): void {
  while (!condition());
}

describe('a program that is held', () => {
  const file = pidFiles();
  /** Unique to this test run: by it what is left is found. */
  const marker = `1${process.pid}`;
  const gone = (pid = 0): boolean => [undefined, 'Z'].includes(stateOf(pid));
  const runs = (pid = 0): boolean => readFileSync(`/proc/${pid}/comm`, 'latin1') === 'sleep\n';
  const sleeper = (part: Partial<LaunchPlan> = {}): LaunchPlan =>
    planOf({ argv: ['sleep', marker], handshake: true, ...part });
  const daemon = (part: Partial<LaunchPlan> = {}): LaunchPlan => sleeper({ daemon: true, pidFile: file(), ...part });
  const linkOf = (fd: number): string => readlinkSync(`/proc/self/fd/${fd}`);
  /** Without the null devices: each libc here keeps one for its launchers. */
  const open = (): number => openFds().filter((fd) => linkOf(fd) !== '/dev/null').length;
  let before: number;

  beforeEach(() => {
    before = open();
  });
  afterEach(async () => {
    for (const pid of pidsWith(marker)) process.kill(pid, 'SIGKILL');
    await until(() => open() <= before);
  });

  describe('and may not be signalled', () => {
    const ends: Readonly<Record<string, (handle: ChildHandle) => unknown>> = {
      disposed: (handle) => {
        handle.dispose();
      },
      'ended by a signal to its tree': (handle) => {
        handle.signal('SIGKILL', 'tree');
        return failure(handle.exited);
      },
    };
    for (const [how, end] of Object.entries(ends)) {
      it(`ends by itself when it is ${how}: a daemon, with its pid file`, async () => {
        const handle = await launch(daemon({ privileged: another }), forbidden);
        expect(readFileSync(file(), 'latin1')).to.equal(String(handle.pid));
        await end(handle);
        expect([gone(handle.pid), existsSync(file())]).to.deep.equal([true, false]);
        expect(await failure(handle.exited)).to.include({ stage: 'handshake', code: 'EPIPE' });
        handle.dispose();
      });

      it(`ends by itself when it is ${how}: a child`, async () => {
        const handle = await launch(sleeper({ privileged: another }), forbidden);
        await end(handle);
        expect(stateOf(handle.pid ?? 0)).to.equal(undefined);
        expect(await failure(handle.exited)).to.include({ stage: 'handshake', code: 'EPIPE' });
        handle.dispose();
      });
    }

    it('ends by itself before it is executed, where it was given up before it was held', async () => {
      const module = file('hook.cjs');
      const [waits, go, ran] = [file('waits'), file('go'), file('ran')];
      writeFileSync(
        module,
        `const { existsSync, writeFileSync } = require('node:fs');
        exports.prepare = () => {
          writeFileSync(${JSON.stringify(waits)}, '');
          while (!existsSync(${JSON.stringify(go)}));
        };`,
      );
      const preExecHook = { module, export: 'prepare', data: null };
      const plan = sh(`touch ${ran}`, { daemon: true, pidFile: file(), preExecHook });
      const starting = failure(launch(plan, forbidden));
      await until(() => existsSync(waits));
      cancelLaunch(plan);
      writeFileSync(go, '');
      expect(await starting).to.include({ stage: 'fork' });
      expect([existsSync(ran), existsSync(file())]).to.deep.equal([false, false]);
    });

    it('has no status of the program where its time is over before that is executed', () => {
      const run = (libc: Libc): ReturnType<typeof launchAndWaitSync> =>
        launchAndWaitSync(
          sleeper({ handshake: false, privileged: another }),
          { ...syncRequest, killDelay: 0, timeout: 0 },
          libc,
        );
      const nothing = { ending: 'timeout', exitCode: undefined, signal: undefined, usage: undefined };
      const waitsForItsEnd: Libc = {
        ...forbidden,
        kill(pid, signal) {
          if (signal !== 0) spin(() => gone(pid));
          return forbidden.kill(pid, signal);
        },
      };
      expect(run(waitsForItsEnd)).to.include({ ...nothing, ended: 'process' });
      expect(run(real)).to.include({ ...nothing, ended: 'tree' });
    });

    it('is a daemon that has begun if it was executed before: nobody waits for its end', async () => {
      const handle = await launch(daemon({ privileged: another }), forbidden);
      const notified = handle.handshake?.notify();
      spin(() => runs(handle.pid));
      expect(handle.signal('SIGKILL', 'tree').sent).to.equal(false);
      await notified;
      expect(await handle.exited).to.include({ exitCode: 0 });
      handle.dispose();
      expect([gone(handle.pid), existsSync(file())]).to.deep.equal([false, true]);
    });

    it('is a daemon that has begun if it was executed before, also where there are no pidfds', async () => {
      const made = attentive({
        ...forbidden,
        // The shell gets it, which is dead.
        kill: (pid, signal) => (pid < 0 ? 0 : forbidden.kill(pid, signal)),
        syscall: (number, ...rest) => (number === LINUX.SYS_pidfd_open ? -ENOSYS : forbidden.syscall(number, ...rest)),
      });
      const handle = await launch(daemon({ privileged: another }), made.libc);
      const notified = handle.handshake?.notify();
      spin(() => runs(handle.pid));
      expect(handle.signal('SIGKILL', 'tree').sent).to.equal(false);
      handle.dispose();
      await notified;
      expect(await handle.exited).to.include({ exitCode: 0 });
      expect([gone(handle.pid), existsSync(file()), made.idle]).to.deep.equal([false, true, 0]);
    });

    it('is a daemon that has begun, though it was not executed yet when it was ended', async () => {
      /** For so many looks more it has not said that it is executed. */
      let silent = 0;
      const made = attentive({
        ...forbidden,
        read: (...rest) => (silent > 0 && silent-- > 0 ? -EAGAIN : real.read(...rest)),
      });
      const handle = await launch(daemon({ privileged: another }), made.libc);
      const notified = handle.handshake?.notify();
      spin(() => runs(handle.pid));
      silent = 3;
      expect(handle.signal('SIGKILL', 'tree').sent).to.equal(false);
      handle.dispose();
      await notified;
      expect(await handle.exited).to.include({ exitCode: 0 });
      expect([silent, gone(handle.pid), existsSync(file())]).to.deep.equal([0, false, true]);
      expect(made.idle).to.be.below(100);
    });

    describe('and is waited for', () => {
      const run = (libc: Libc): ReturnType<typeof launchAndWaitSync> => {
        const plan = daemon({ privileged: another, handshake: false });
        return launchAndWaitSync(plan, { ...syncRequest, timeout: 0 }, libc);
      };

      it('ends by itself, with its pid file, when its time is over', () => {
        const made = attentive(forbidden);
        expect(run(made.libc)).to.include({ ending: 'timeout', ended: 'process', exitCode: undefined });
        expect([pidsWith(marker), existsSync(file())]).to.deep.equal([[], false]);
        expect(made.idle).to.be.below(100);
      });

      it('is a daemon that has begun if it was executed before its time was over', () => {
        const made = attentive({
          ...forbidden,
          kill: (pid, signal) => {
            spin(() => pidsWith(marker).some(runs));
            return forbidden.kill(pid, signal);
          },
        });
        const { ending, pid } = run(made.libc);
        expect([ending, pidsWith(marker), existsSync(file())]).to.deep.equal(['exit', [pid], true]);
        expect(made.idle).to.be.below(100);
      });
    });

    it('has its file removed by that name only as long as it waits: another may have the name by then', () => {
      const path = file();
      const begun = beginLauncher(sleeper(), real);
      const failed = encodeReport({ type: 'failed', pidFile: true, ...failureOf(startError('handshake', 'no')) });
      const kept = new Progress({ ...begun, pidFile: path }, real);
      kept.closeGo();
      writeFileSync(path, 'of another one');
      kept.take(failed);
      expect(existsSync(path)).to.equal(true);
      real.close(begun.report);
      real.kill(begun.process.pid, 9);
      real.wait4(begun.process.pid, null, 0, null);
    });
  });

  describe('and is killed when it runs', () => {
    it('is a daemon that has begun, also if nobody has heard of it yet', async () => {
      const command = new Command('sleep', [marker], { daemon: true, pidFile: file(), handshake: true });
      const held = await command.runAsync();
      const notified = held.handshakeNotify();
      spin(() => runs(held.pid));
      expect(held.kill('SIGKILL')).to.equal(false);
      await notified;
      expect([(await held.wait()).exitCode, gone(held.pid)]).to.deep.equal([0, false]);
    });

    it('has not begun if the signal was sent before', async () => {
      let pid = 0;
      const late: Libc = {
        ...real,
        syscall: (number, ...rest) => {
          if (number === LINUX.SYS_pidfd_send_signal) spin(() => runs(pid));
          return real.syscall(number, ...rest);
        },
      };
      const handle = await launch(daemon(), late);
      pid = handle.pid ?? 0;
      const notified = failure(handle.handshake?.notify() ?? Promise.resolve());
      expect(handle.signal('SIGKILL', 'process').sent).to.equal(true);
      expect(await notified).to.include({ stage: 'handshake', code: 'EPIPE' });
      expect([gone(pid), existsSync(file())]).to.deep.equal([true, false]);
      handle.dispose();
    });
  });

  it('and goes on leaves nothing either, where its start is given up before anybody is told of it', async () => {
    let seen = false;
    const busy: Libc = {
      ...real,
      syscall: (number, ...rest) => (number === LINUX.SYS_waitid && !seen ? -EINTR : real.syscall(number, ...rest)),
    };
    const pipes = (): number => openFds().filter((fd) => linkOf(fd).startsWith('pipe:')).length;
    const none = pipes();
    const plan = daemon({ handshake: false });
    const starting = failure(launch(plan, busy));
    // Only the end of the shell is waited for.
    await until(() => pidsWith(marker).length > 0 && pipes() === none);
    cancelLaunch(plan);
    seen = true;
    expect(await starting).to.include({ stage: 'fork' });
    expect([pidsWith(marker), existsSync(file())]).to.deep.equal([[], false]);
  });

  describe('and goes on, and is executed as its start is given up', () => {
    /** Of the launcher it is not yet said that it is the program, which it is by then. */
    const late: Libc = {
      ...real,
      kill: (pid, signal) => {
        if (signal !== 0) spin(() => runs(Math.abs(pid)));
        return real.kill(pid, signal);
      },
    };
    const child = sleeper({ handshake: false, stdout: { type: 'pipe' } });

    it('is no start, since all of it is gone: one that nobody wants', async () => {
      const starting = failure(launch(child, late));
      cancelLaunch(child);
      expect(await starting).to.include({ stage: 'fork' });
      expect(pidsWith(marker)).to.deep.equal([]);
    });

    it('is no start either where it said nothing for too long', async () => {
      let error: unknown;
      // Once more where this thread was stopped for longer than Node takes.
      while (error === undefined) {
        error = await launch(child, late, undefined, 1).then(
          (handle) => {
            handle.dispose();
          },
          (thrown: unknown) => thrown,
        );
      }
      expect(error).to.include({ stage: 'fork', code: 'EAGAIN' });
      expect(pidsWith(marker)).to.deep.equal([]);
    });
  });

  describe('while there is no descriptor to hold its number by', () => {
    let free = false;
    beforeEach(() => {
      free = false;
    });
    const poor: Libc = {
      ...real,
      syscall: (number, ...rest) =>
        number === LINUX.SYS_pidfd_open && !free ? -EMFILE : real.syscall(number, ...rest),
    };

    it('is signalled as soon as there is one', async () => {
      const handle = await launch(daemon(), poor);
      expect(handle.signal('SIGCONT', 'process').sent).to.equal(false);
      free = true;
      expect(handle.signal('SIGCONT', 'process').sent).to.equal(true);
      handle.dispose();
      expect([gone(handle.pid), existsSync(file())]).to.deep.equal([true, false]);
    });

    it('leaves no pid file when it is disposed', async () => {
      const handle = await launch(daemon(), poor);
      handle.dispose();
      expect(existsSync(file())).to.equal(false);
      await until(() => gone(handle.pid));
    });

    it('is not mistaken for who has its number since', async () => {
      const stranger: ChildProcess = spawn('sleep', [marker]);
      const strangers = stranger.pid ?? 0;
      let pid = 0;
      const recycled: Libc = {
        ...poor,
        syscall: (number, first, ...rest) =>
          poor.syscall(number, number === LINUX.SYS_pidfd_open && first === pid ? strangers : first, ...rest),
        getpgid: (of) => real.getpgid(of === pid ? strangers : of),
      };
      const handle = await launch(daemon(), recycled);
      pid = handle.pid ?? 0;
      free = true;
      expect(handle.signal('SIGKILL', 'process').sent).to.equal(false);
      handle.dispose();
      expect([gone(strangers), existsSync(file())]).to.deep.equal([false, false]);
    });
  });
});
