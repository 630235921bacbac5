/**
 * What a program gets from this process where its plan says nothing, as it was when the caller called: a start that waits for
 * its turn must not get what was set meanwhile, which is meant for the next ones.
 */
import { constants } from 'node:fs';
import { isAbsolute } from 'node:path';
import { startError, type LaunchPlan, type PlanStream, type PlanString } from '@vircommand/core/backend';
import type { Entries } from './arena';
import { openFile } from './ends';
import { systemError } from './errno';
import type { EnvironmentCopy, InheritedEnvironment } from './inherited';
import type { Libc } from './libc';
import { resolvePath, workingDirectory } from './program';
import { cString, LINUX } from './struct';
import { isMainThread } from './thread';

export interface Moment {
  /** Where it was found. */
  readonly program: PlanString;
  readonly directory: string;
  readonly env: EnvironmentCopy | Entries;
  /** `undefined`: there is no `/proc`. */
  readonly umask: number | undefined;
  readonly user: string;
  /** Our own numbers for descriptors of the caller, who may close them, or have others by these numbers. */
  readonly held: ReadonlyMap<number, number>;
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

const none: ReadonlyMap<number, number> = new Map();

function hold({ stdin, stdout, stderr, passFds }: LaunchPlan, libc: Libc): ReadonlyMap<number, number> {
  const streams = [stdin, stdout, stderr].flatMap((stream) => (stream.type === 'fd' ? [stream.fd] : []));
  if (streams.length + passFds.length === 0) return none;
  const held = new Map<number, number>();
  for (const fd of new Set([...streams, ...passFds.map(({ fd }) => fd)])) {
    const own = libc.fcntl(fd, LINUX.F_DUPFD_CLOEXEC, 3);
    if (own < 0) {
      release(held, libc);
      throw startError('stdio', systemError(-own, 'fcntl', undefined, `descriptor ${fd} cannot be kept`));
    }
    held.set(fd, own);
  }
  return held;
}

function release(held: Moment['held'], libc: Libc): void {
  for (const own of held.values()) libc.close(own);
}

/**
 * Whatever becomes of it, {@link endMoment} must be called when the start is over.
 *
 * @throws CommandStartError, stages `resolve` and `stdio`
 */
export const momentOf = (plan: LaunchPlan, environment: InheritedEnvironment, libc: Libc): Moment => ({
  program: resolvePath(plan.program),
  directory: workingDirectory(),
  env: plan.env === 'inherit' ? environment.get() : plan.env,
  umask: umaskOf(libc),
  user: user(),
  held: hold(plan, libc),
});

/** Closes what it holds when a start is over. */
export async function endMoment<T>({ held }: Moment, libc: Libc, start: () => T | Promise<T>): Promise<T> {
  try {
    return await start();
  } finally {
    release(held, libc);
  }
}

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
  const { program, directory, held } = moment;
  const now = user();
  if (now !== moment.user) {
    const what = `this process has become ${now} (from ${moment.user}) before the turn of this start came: wait for runAsync()`;
    throw startError('fork', what);
  }
  const moved = workingDirectory() !== directory;
  if (held.size === 0 && !moved) return program === plan.program ? plan : { ...plan, program };
  // Not normalized: `..` behind a symbolic link leads elsewhere than its text. An empty path stays an error.
  const at = (path: string): string => (!moved || isAbsolute(path) || path === '' ? path : `${directory}/${path}`);
  const stream = <S extends PlanStream>(said: S): S => {
    if (said.type === 'file') return { ...said, path: at(said.path) };
    return said.type === 'fd' ? { ...said, fd: held.get(said.fd) ?? said.fd } : said;
  };
  const { cwd = moved ? directory : undefined, pidFile } = plan;
  return {
    ...plan,
    program,
    cwd: cwd && at(cwd),
    stdin: stream(plan.stdin),
    stdout: stream(plan.stdout),
    stderr: stream(plan.stderr),
    passFds: plan.passFds.map(({ fd, as }) => ({ fd: held.get(fd) ?? fd, as })),
    pidFile: pidFile && at(pidFile),
  };
}
