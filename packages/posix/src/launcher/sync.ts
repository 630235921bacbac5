/** Starts through the launcher for a caller that blocks the event loop. */
import {
  realTime,
  type ExitStatus,
  type LaunchPlan,
  type SyncOutcome,
  type SyncRequest,
} from '@vircommand/core/backend';
import { waitSync } from '../blocking-run';
import { errno } from '../errno';
import type { Libc } from '../libc';
import { LINUX } from '../linux';
import { mayNotSignal, openPidfd, waitForDeath } from '../pidfd';
import { pollTimeout } from '../poll-timeout';
import { unknownStatus, watchBlocking } from '../reap';
import { SIGKILL } from '../signal-numbers';
import { SIZE } from '../struct';
import { bindToThread, closeBound } from '../thread-bound';
import { beginLauncher, type BegunLauncher } from './client';
import { hasLostPidFile, removeOwnPidFile } from './pid-file';
import {
  diedBeforeExec,
  longestLauncherDeath,
  longestSilence,
  Progress,
  saidNothing,
  withoutLauncher,
} from './progress';
import { daemonStatus, lostLock } from './start';

/** As {@link waitSync}, with the launcher before it: the deadline begins with it. */
export function launchAndWaitSync(
  plan: LaunchPlan,
  request: SyncRequest,
  libc: Libc,
  patience = longestSilence,
): SyncOutcome {
  const begun = beginLauncher(plan, libc);
  const progress = new Progress(begun, libc);
  const now = realTime.now();
  const deadline = request.timeout === undefined ? Infinity : now + request.timeout;
  const report = bindToThread(libc, begun.report);
  let end = readReports(libc, report, progress, deadline, now + patience);
  // The group that the shell leads: it is not reaped yet.
  if (plan.daemon && end !== 'end' && !endGroup(libc, begun.process.pid, report, progress)) end = 'end';
  // What may be signalled is ended by that alone; it must not end by itself before.
  if (plan.daemon || end !== 'deadline' || mayNotSignal(libc, begun.process.pid)) progress.closeGo();
  try {
    return plan.daemon
      ? daemonOutcome(begun, progress, end, libc)
      : childOutcome(begun, progress, report, end, { ...request, timeout: left(deadline) }, libc);
  } finally {
    progress.closeGo();
    closeBound(libc, report);
  }
}

/**
 * Kills the group of a launcher, which may be the program by now, and waits until it is dead; whether that ends it. One that may
 * not be signalled, as it has changed its user, ends by itself, unless it was executed before: then it has begun.
 */
function endGroup(libc: Libc, group: number, report: number, progress: Progress): boolean {
  libc.kill(-group, SIGKILL);
  // After the signal: what it can still say is not why it ends.
  progress.closeGo();
  const until = realTime.now() + longestLauncherDeath;
  const last = readReports(libc, report, progress, until, until);
  const { pid, executed } = progress;
  if (pid === undefined) return true;
  if (last === 'end' && executed !== undefined && mayNotSignal(libc, pid)) return false;
  // exec closes the pipe too: what is killed in the middle of it dies, and lets go of its pid file, a moment later.
  const pidfd = openPidfd(libc, pid);
  if (pidfd < 0) return true;
  waitForDeath(libc, pidfd, until - realTime.now());
  closeBound(libc, pidfd);
  return true;
}

type ReportsEnd = 'end' | 'deadline' | 'silence';

/** Until the launcher is the program, or is dead, or the time is over, which it has for its first word, too. */
function readReports(libc: Libc, fd: number, progress: Progress, deadline: number, silence: number): ReportsEnd {
  const set = Buffer.alloc(SIZE.pollfd);
  set.writeInt32LE(fd, 0);
  set.writeInt16LE(LINUX.POLLIN, 4);
  const chunk = Buffer.allocUnsafeSlow(4096);
  for (;;) {
    const count = libc.read(fd, chunk, chunk.length);
    if (count > 0) progress.take(chunk.subarray(0, count));
    else if (count === 0) return 'end';
    else if (count === -errno.EAGAIN) {
      const now = realTime.now();
      if (deadline <= now) return 'deadline';
      const silent = progress.pid === undefined;
      if (silent && silence <= now) return 'silence';
      const patience = Math.min(deadline, silent ? silence : Infinity) - now;
      libc.poll(set, 1, pollTimeout(libc, patience));
    } else if (count !== -errno.EINTR) return 'end';
  }
}

const left = (deadline: number): number | undefined =>
  deadline === Infinity ? undefined : Math.max(0, deadline - realTime.now());

function childOutcome(
  begun: BegunLauncher,
  progress: Progress,
  report: number,
  end: ReportsEnd,
  request: SyncRequest,
  libc: Libc,
): SyncOutcome {
  const { failure, executed } = progress;
  const { pid, parentEnds } = begun.process;
  if (end === 'end' && executed !== undefined) {
    const outcome = waitSync(begun.process, request, libc);
    return { ...outcome, ...withoutLauncher(outcome, executed) };
  }
  if (end === 'deadline') return endLate(begun, progress, report, request, libc);
  const { stdin, stdout, stderr, sendBuffers } = parentEnds;
  for (const fd of [stdin, stdout, stderr, ...sendBuffers]) if (fd !== undefined) closeBound(libc, fd);
  // It has nothing to say (any more), so it is dead already, or as good as that.
  libc.kill(pid, SIGKILL);
  const status = reapNow(libc, pid);
  throw failure ?? (end === 'silence' ? saidNothing() : diedBeforeExec(status));
}

/** Ends what is the launcher when the deadline comes, and may be the program a moment later. */
function endLate(
  begun: BegunLauncher,
  progress: Progress,
  report: number,
  request: SyncRequest,
  libc: Libc,
): SyncOutcome {
  const outcome = waitSync(begun.process, { ...request, timeout: 0 }, libc);
  readReports(libc, report, progress, 0, 0);
  const { executed } = progress;
  if (executed !== undefined) return { ...outcome, ...withoutLauncher(outcome, executed) };
  // The status is the launcher's. Where it ended by itself, since this process let go of it, that was the end too.
  const { exitCode, signal, ended } = outcome;
  const isGone = exitCode !== undefined || signal !== undefined;
  return { ...outcome, ...unknownStatus, ending: 'timeout', ended: isGone && ended === 'none' ? 'process' : ended };
}

/** Waits for a child that is about to end. */
function reapNow(libc: Libc, pid: number): ExitStatus {
  let ended: ExitStatus = unknownStatus;
  const watch = watchBlocking(libc, pid, (status) => {
    ended = status;
  });
  watch.keep = false;
  do watch.wait();
  while (watch.state !== 'reaped');
  return ended;
}

function daemonOutcome(begun: BegunLauncher, progress: Progress, end: ReportsEnd, libc: Libc): SyncOutcome {
  const shell = reapNow(libc, begun.process.pid);
  const { pid, failure, executed } = progress;
  const { pidFile } = begun;
  if (end !== 'end') {
    // What it says when nobody lets it go on is not why.
    if (pidFile !== undefined && pid !== undefined) removeOwnPidFile(libc, pidFile, pid);
    if (end === 'silence') throw saidNothing();
    return { ...daemonResult(pid), ...unknownStatus, ending: 'timeout', ended: 'process' };
  }
  if (failure !== undefined) throw failure;
  if (pid === undefined) throw diedBeforeExec(shell);
  if (executed === undefined) {
    if (pidFile !== undefined) removeOwnPidFile(libc, pidFile, pid);
    throw diedBeforeExec(shell);
  }
  if (pidFile !== undefined && hasLostPidFile(libc, pidFile, pid)) {
    libc.kill(pid, SIGKILL);
    throw lostLock(pidFile);
  }
  return daemonResult(pid);
}

const daemonResult = (pid: number | undefined): SyncOutcome => ({
  ...daemonStatus,
  pid,
  stdout: undefined,
  stderr: undefined,
  ending: 'exit',
  outputComplete: true,
  ended: 'none',
});
