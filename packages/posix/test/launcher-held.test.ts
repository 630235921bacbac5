/** Who is held and ended, where that is not as easy as a signal: it may not be sent. */
import { expect } from 'chai';
import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { startError, type ChildHandle, type LaunchPlan } from '@vircommand/core/backend';
import { chosenDriver } from '../src/ffi';
import { beginLauncher } from '../src/launcher/client';
import { Progress } from '../src/launcher/progress';
import { failureOf, line } from '../src/launcher/protocol';
import { cancelLaunch, launch } from '../src/launcher/start';
import { libcThrough, type Libc } from '../src/libc';
import { LINUX } from '../src/struct';
import { pidFiles } from './lockers';
import { openFds, planOf, sh } from './plans';
import { pidsWith, stateOf, until } from './started';

const { EPERM } = constants.errno;
const { SIGCONT } = constants.signals;
const real = libcThrough(chosenDriver(undefined));

/** As {@link real}, but this process may not signal a launcher that has changed its user; where it is root, that cannot remove its file. */
const forbidden: Libc = {
  ...real,
  kill: (pid, signal) => (signal === SIGCONT ? real.kill(pid, signal) : -EPERM),
  syscall: (number, ...rest) => (number === LINUX.SYS_pidfd_send_signal ? -EPERM : real.syscall(number, ...rest)),
};
const another: LaunchPlan['privileged'] = process.geteuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a program that is held', () => {
  const file = pidFiles();
  /** Unique to this test run: by it what is left is found. */
  const marker = `1${process.pid}`;
  const gone = (pid = 0): boolean => [undefined, 'Z'].includes(stateOf(pid));
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

    it('has its file removed by that name only as long as it waits: another may have the name by then', () => {
      const path = file();
      const begun = beginLauncher(sleeper(), real);
      const failed = line({ type: 'failed', pidFile: true, ...failureOf(startError('handshake', 'no')) });
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
});
