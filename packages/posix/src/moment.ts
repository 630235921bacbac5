/**
 * What a program gets from this process where its plan says nothing, as it was when the caller called: a start that waits for
 * its turn must not get what was set meanwhile, which is meant for the next ones.
 */
import { constants } from 'node:fs';
import { isAbsolute } from 'node:path';
import { startError, type LaunchPlan, type PlanString } from '@vircommand/core/backend';
import type { Entries } from './arena';
import { openFile } from './ends';
import type { EnvironmentCopy, InheritedEnvironment } from './inherited';
import type { Libc } from './libc';
import { resolvePath, workingDirectory } from './program';
import { cString } from './struct';
import { isMainThread } from './thread';

export interface Moment {
  /** Where it was found. */
  readonly program: PlanString;
  readonly directory: string;
  readonly env: EnvironmentCopy | Entries;
  /** `undefined`: there is no `/proc`. */
  readonly umask: number | undefined;
  readonly user: string;
}

/** Who this thread acts as. */
const user = (): string => `user ${process.geteuid?.() ?? -1}, group ${process.getegid?.() ?? -1}`;

/** Whether this process acts as somebody else for a while: what it starts now must be started now. */
export const actsAsAnother = (): boolean =>
  process.geteuid?.() !== process.getuid?.() || process.getegid?.() !== process.getgid?.();

const statusFile = cString('/proc/self/status');
/** The name of the process, and then the umask. */
const status = Buffer.allocUnsafeSlow(128);

/** Asking umask(2) would set it, for all threads. */
function umaskOf(libc: Libc): number | undefined {
  const fd = openFile(libc, statusFile, constants.O_RDONLY);
  if (fd < 0) return undefined;
  const length = libc.read(fd, status, status.length);
  libc.close(fd);
  const found = /^Umask:\t(\d+)/m.exec(status.toString('latin1', 0, Math.max(0, length)));
  return found?.[1] === undefined ? undefined : parseInt(found[1], 8);
}

/** @throws CommandStartError, stage `resolve` */
export const momentOf = (plan: LaunchPlan, environment: InheritedEnvironment, libc: Libc): Moment => ({
  program: resolvePath(plan.program),
  directory: workingDirectory(),
  env: plan.env === 'inherit' ? environment.get() : plan.env,
  umask: umaskOf(libc),
  user: user(),
});

/**
 * Starts as it would have been started then.
 *
 * @param moment `undefined`: it is asked for now
 * @throws CommandStartError if this process has become another user meanwhile
 */
export function inMoment<T>(
  libc: Libc,
  asked: LaunchPlan,
  moment: Moment | undefined,
  start: (plan: LaunchPlan) => T,
): T {
  if (moment === undefined) return start(asked);
  const plan = planSince(asked, moment);
  // Only the main thread sets it, and may do so at any time as others see it.
  const now = isMainThread(libc) ? umaskOf(libc) : undefined;
  if (moment.umask === undefined || now === undefined || now === moment.umask) return start(plan);
  libc.umask(moment.umask);
  try {
    return start(plan);
  } finally {
    libc.umask(now);
  }
}

/** The plan as it must be now to mean what it meant then. */
function planSince(plan: LaunchPlan, moment: Moment): LaunchPlan {
  const { program, directory } = moment;
  const now = user();
  if (now !== moment.user) {
    const what = `this process has become ${now} (from ${moment.user}) before the turn of this start came: wait for runAsync()`;
    throw startError('fork', what);
  }
  if (workingDirectory() === directory) return program === plan.program ? plan : { ...plan, program };
  // Not normalized: `..` behind a symbolic link leads elsewhere than its text. An empty path stays an error.
  const at = (path: string): string => (isAbsolute(path) || path === '' ? path : `${directory}/${path}`);
  const stream = <S extends LaunchPlan['stdin']>(said: S): S =>
    said.type === 'file' ? { ...said, path: at(said.path) } : said;
  return {
    ...plan,
    program,
    cwd: plan.cwd === undefined ? directory : at(plan.cwd),
    stdin: stream(plan.stdin),
    stdout: stream(plan.stdout),
    stderr: stream(plan.stderr),
    pidFile: plan.pidFile && at(plan.pidFile),
  };
}
