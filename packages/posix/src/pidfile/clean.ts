/** Ends the process that has a pid file, and removes the file. */
import { GivenOptions, procIsOurs, realTime } from '@vircommand/core/backend';
import { errno, systemError } from '../errno';
import type { Libc } from '../libc';
import { SIGTERM, SIGCONT, SIGKILL } from '../signal-numbers';
import { heldError } from './acquire';
import { Members } from './members';
import { HeldProcess } from './process';
import { isAlive, pidNow } from './read';
import { removeIfFree } from './remove';
import { parsePid } from './text';

// Not promisify(): that gives the function of timers/promises, which is a fake where time is faked now.
const delay = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    realTime.after(ms, resolve);
  });

/** How {@link forceCleanupPath} goes about it. */
export interface CleanupOptions {
  /**
   * Ends the whole process group of the process that has the file; default: that process only. Refused where `/proc` is that
   * of another pid namespace, which does not show what is in it.
   */
  readonly group?: boolean | undefined;
  /** Milliseconds from SIGTERM to SIGKILL; default 5000. */
  readonly killDelay?: number | undefined;
  /** Milliseconds that the end may take after SIGKILL; default 30,000. */
  readonly timeout?: number | undefined;
  /**
   * Absolute path of the program, for one that closes the descriptors it inherits and so loses its lock (`dnsmasq` does):
   * where the file is not locked, the process that it names is ended too if it runs this program.
   */
  readonly executable?: string | undefined;
}

/** Those options, complete. */
interface CleanupSettings {
  readonly group: boolean;
  readonly killDelay: number;
  readonly timeout: number;
  readonly executable: string | undefined;
}

function settingsOf(options: CleanupOptions): CleanupSettings {
  const given = new GivenOptions('forceCleanupPath()', options, ['group', 'killDelay', 'timeout', 'executable']);
  return {
    group: given.boolean('group') ?? false,
    killDelay: given.milliseconds('killDelay') ?? 5000,
    timeout: given.milliseconds('timeout') ?? 30_000,
    executable: given.absolutePath('executable'),
  };
}

/** What {@link forceCleanupPath} did. */
export interface Cleanup {
  /** The process that was ended; `undefined`: no process had the file. */
  readonly pid: number | undefined;
  /** The last signal that it got; `undefined`: no process had the file. */
  readonly signal: 'SIGTERM' | 'SIGKILL' | undefined;
  /** `false`: there was no file, or another process has it by now. */
  readonly removed: boolean;
}

/** Rounds of 10 ms for a lock that is only passing, as in {@link lockPidFile}. */
const patience = 20;

export async function forceCleanup(libc: Libc, path: string, options: CleanupOptions): Promise<Cleanup> {
  const settings = settingsOf(options);
  const { executable } = settings;
  // Not locked, but named: only by a process that is sure to be that program.
  const isIdle = (text: string): boolean => {
    const pid = parsePid(text);
    return executable === undefined || pid === undefined || !isAlive(libc, pid, executable);
  };
  for (let round = 0; ; round++) {
    const found = removeIfFree(libc, path, isIdle);
    if (found.state === 'absent' || found.state === 'removed') {
      return { pid: undefined, signal: undefined, removed: found.state === 'removed' };
    }
    const holder = holderOf(libc, path, executable);
    if (holder !== undefined) {
      const signal = await end(libc, path, holder, settings);
      return { pid: holder.pid, signal, removed: removeIfFree(libc, path, isIdle).state === 'removed' };
    }
    if (round >= patience && found.state === 'held') throw heldError(path, found.owner);
    await delay(10);
  }
}

/**
 * The process that has the file, held by a pidfd; `undefined`: none, or its pid is not the one in the file. We open the pidfd
 * first and then look: so it belongs to the process that has the lock, not to one that got its pid since.
 */
function holderOf(libc: Libc, path: string, executable: string | undefined): HeldProcess | undefined {
  const pid = holderPid(libc, path, executable);
  if (pid === undefined) return undefined;
  if (pid === process.pid || pid === 1) {
    throw systemError(errno.EPERM, 'kill', path, `pid ${pid} is ${pid === 1 ? 'init' : 'this process'}`);
  }
  const holder = HeldProcess.open(libc, pid);
  if (holder?.isAlive() === true && holderPid(libc, path, executable) === pid && holder.isAlive()) return holder;
  holder?.close();
  return undefined;
}

function holderPid(libc: Libc, path: string, executable: string | undefined): number | undefined {
  const found = pidNow(libc, path);
  if (found === undefined) return undefined;
  if (found.owner !== undefined) return found.owner === found.pid ? found.pid : undefined;
  return executable !== undefined && isAlive(libc, found.pid, executable) ? found.pid : undefined;
}

async function end(
  libc: Libc,
  path: string,
  holder: HeldProcess,
  settings: CleanupSettings,
): Promise<Cleanup['signal']> {
  const { group, killDelay, timeout } = settings;
  let members: Members | undefined;
  try {
    members = new Members(libc, holder, group ? groupOf(libc, path, holder.pid) : undefined);
    members.signal(SIGTERM);
    // One that is stopped would sleep through it.
    members.signal(SIGCONT);
    if (await isGone(members, killDelay, undefined)) return 'SIGTERM';
    if (await isGone(members, timeout, SIGKILL)) return 'SIGKILL';
    const why = `pid ${holder.pid} is still there ${timeout} ms after SIGKILL`;
    throw systemError(errno.ETIMEDOUT, 'kill', path, why);
  } finally {
    if (members === undefined) holder.close();
    else members.close();
  }
}

/** Daemons mostly do not lead their group: its leader was the process that started them. */
function groupOf(libc: Libc, path: string, pid: number): number | undefined {
  if (!procIsOurs()) {
    throw systemError(
      errno.EPERM,
      'kill',
      path,
      `the group of pid ${pid} is unknown: /proc is that of other processes`,
    );
  }
  const group = libc.getpgid(pid);
  if (group === libc.getpgid(0)) {
    throw systemError(errno.EPERM, 'kill', path, `pid ${pid} is in the process group of this process`);
  }
  return group > 1 ? group : undefined;
}

/** @param signal is sent each time, also to those that are new */
async function isGone(members: Members, ms: number, signal: number | undefined): Promise<boolean> {
  const limit = realTime.now() + ms;
  for (let pause = 1; ; pause = Math.min(2 * pause, 20)) {
    if (signal !== undefined) {
      members.find();
      members.signal(signal);
    }
    if (!members.areAlive()) return true;
    const left = limit - realTime.now();
    if (left <= 0) return false;
    await delay(Math.min(pause, left));
  }
}
