/** Starts through the launcher, on the event loop: a child, or a daemon. */
import {
  startError,
  type ChildHandle,
  type CommandStartError,
  type ExitStatus,
  type LaunchPlan,
} from '@vircommand/core/backend';
import { makeHandle } from '../handle';
import type { Libc } from '../libc';
import type { Moment } from '../moment';
import { unwantedStart } from '../pace';
import { mayNotSignal } from '../pidfd';
import { beginLauncher, type BegunLauncher } from './client';
import { Daemon } from './daemon';
import { LauncherProcess } from './process';
import { hasLostPidFile } from './pid-file';
import { longestSilence, saidNothing } from './progress';
import { LauncherShell } from './shell';

/** Starts that are not finished, so that `cancelStart()` can end them. */
const starting = new WeakMap<LaunchPlan, () => void>();

/** Ends a start that is not finished. */
export function cancelLaunch(plan: LaunchPlan): void {
  starting.get(plan)?.();
}

/**
 * Resolves when the program was executed, or is held.
 *
 * @throws CommandStartError. Then nothing is left: no process, no descriptor, no pid file.
 */
export async function launch(
  plan: LaunchPlan,
  libc: Libc,
  moment?: Moment,
  patience = longestSilence,
): Promise<ChildHandle> {
  try {
    return await (plan.daemon ? launchDaemon : launchChild)(plan, libc, moment, patience);
  } finally {
    starting.delete(moment?.plan ?? plan);
  }
}

async function launchChild(
  plan: LaunchPlan,
  libc: Libc,
  moment: Moment | undefined,
  patience: number,
): Promise<ChildHandle> {
  const begun = beginLauncher(plan, libc, moment);
  const launcher = new LauncherProcess(plan, begun, libc);
  const handle = makeHandle(plan, begun.process, libc, launcher);
  const key = moment?.plan ?? plan;
  let ended = false as boolean;
  const end = (): void => {
    ended = true;
    handle.dispose();
  };
  starting.set(key, end);
  launcher.whenSilent(patience, end);
  try {
    const ready = await launcher.ready;
    // From here on it is the caller's.
    starting.delete(key);
    if (ready === 'died') throw await launcher.cause(handle.exited);
    // It may have been executed before it was ended, or in the middle of that; its pipes are closed. One that may not be
    // signalled lives on, and is not told as one that has never been.
    if (ended && !mayNotSignal(libc, begun.process.pid)) throw launcher.silent ? saidNothing() : unwantedStart();
    return handle;
  } catch (error) {
    handle.dispose();
    throw error;
  }
}

async function launchDaemon(
  plan: LaunchPlan,
  libc: Libc,
  moment: Moment | undefined,
  patience: number,
): Promise<ChildHandle> {
  const begun = beginLauncher(plan, libc, moment);
  const launcher = new LauncherProcess(plan, begun, libc);
  const shell = new LauncherShell(libc, begun.process.pid);
  void launcher.pinned.then(() => {
    shell.release();
  });
  const end = (): boolean => (launcher.kill() || shell.killGroup()) && !launcher.refused;
  starting.set(moment?.plan ?? plan, end);
  launcher.whenSilent(patience, end);
  const started = becomesDaemon(begun, launcher, shell, libc);
  const handle = new Daemon(libc, begun.process.parentEnds, launcher, started, end);
  try {
    const ready = await launcher.ready.catch(() => 'failed' as const);
    if (ready !== 'held') await started;
    return handle;
  } catch (error) {
    handle.dispose();
    throw error;
  }
}

/** Resolves when the launcher is the daemon. */
function becomesDaemon(
  begun: BegunLauncher,
  launcher: LauncherProcess,
  shell: LauncherShell,
  libc: Libc,
): Promise<ExitStatus> {
  const started = async (): Promise<ExitStatus> => {
    try {
      // The shell is reaped also if it fails.
      const outcome = await launcher.outcome.finally(() => shell.ended);
      const { pid } = launcher;
      if (launcher.removed() || outcome === 'died' || pid === undefined) throw await launcher.cause(shell.ended);
      if (begun.pidFile !== undefined && hasLostPidFile(libc, begun.pidFile, pid)) {
        launcher.kill();
        throw lostLock(begun.pidFile);
      }
      return daemonStatus;
    } finally {
      shell.release();
      launcher.unpin();
    }
  };
  const promise = started();
  // The caller of the start is told of a failure, or the one that lets the daemon go on.
  promise.catch(() => undefined);
  return promise;
}

/** Before Linux 5.11 a process with threads, as the launcher is, loses its locks at exec. */
export function lostLock(path: string): CommandStartError {
  return startError('pid-file', 'the daemon has lost the lock of its pid file at exec: this needs Linux 5.11', path);
}

/** Of a daemon that has begun: virCommand's intermediate process ends so. */
export const daemonStatus: ExitStatus = Object.freeze({
  exitCode: 0,
  signal: undefined,
  coreDumped: undefined,
  usage: undefined,
});
