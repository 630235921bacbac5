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
import { InheritedEnvironment, type EnvironmentCopy } from './inherited';
import type { Libc } from './libc';
import { resolvePath, workingDirectory } from './program';
import { cString, LINUX } from './struct';

export interface Moment {
  /** What was asked for. */
  readonly plan: LaunchPlan;
  /** Where it was found. */
  readonly program: PlanString;
  readonly directory: Directory;
  readonly env: EnvironmentCopy | Entries;
  /** Of programs, and of files that are made for them. `undefined`: there is no `/proc`. */
  readonly umask: number | undefined;
  readonly user: string;
  /** Our own numbers for descriptors of the caller, who may close them, or have others by these numbers. */
  readonly held: ReadonlyMap<number, number>;
}

/** Who this process is, with whatever decides on its rights. */
function user(): string {
  const { getuid, geteuid, getgid, getegid, getgroups } = process;
  return `user ${getuid?.()}/${geteuid?.()}, group ${getgid?.()}/${getegid?.()}, groups ${getgroups?.().join()}`;
}

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

const currentDirectory = cString('.');

/** The working directory, which can be deleted or renamed while a start waits. Those of one turn mostly have the same. */
class Directory {
  private users = 0;

  constructor(
    /** As this process calls it. */
    readonly name: string,
    private readonly fd: number,
    private readonly libc: Libc,
  ) {}

  /** Leads there as long as it is held. */
  get path(): string {
    return this.fd < 0 ? this.name : `/proc/self/fd/${this.fd}`;
  }

  hold(): this {
    this.users++;
    return this;
  }

  release(): void {
    if (--this.users === 0) this.libc.close(this.fd);
  }

  get held(): boolean {
    return this.users > 0;
  }
}

/** The moments of all starts of one backend. */
export class Moments {
  private readonly environment: InheritedEnvironment;
  private directory: Directory | undefined;

  constructor(private readonly libc: Libc) {
    this.environment = new InheritedEnvironment(libc);
  }

  /**
   * Whatever becomes of it, {@link during} or {@link release} must be called when the start is over.
   *
   * @throws CommandStartError, stages `resolve` and `stdio`
   */
  take(plan: LaunchPlan): Moment {
    const { libc, environment } = this;
    const program = resolvePath(plan.program);
    const held = this.hold(plan);
    const env = plan.env === 'inherit' ? environment.get() : plan.env;
    return { plan, program, directory: this.here().hold(), env, umask: umaskOf(libc), user: user(), held };
  }

  release({ directory, held }: Moment): void {
    for (const own of held.values()) this.libc.close(own);
    directory.release();
  }

  /** Starts, and lets go of the moment when that is over. */
  async during<T>(moment: Moment, start: () => T | Promise<T>): Promise<T> {
    try {
      return await start();
    } finally {
      this.release(moment);
    }
  }

  private here(): Directory {
    const name = workingDirectory();
    const { libc, directory } = this;
    if (directory?.held === true && directory.name === name) return directory;
    const fd = openFile(libc, currentDirectory, LINUX.O_PATH | LINUX.O_DIRECTORY);
    return (this.directory = new Directory(name, fd, libc));
  }

  /** Numbers of our own for descriptors of the caller. */
  private hold({ stdin, stdout, stderr, passFds }: LaunchPlan): Moment['held'] {
    const { libc } = this;
    const streams = [stdin, stdout, stderr].flatMap((stream) => (stream.type === 'fd' ? [stream.fd] : []));
    if (streams.length + passFds.length === 0) return none;
    const held = new Map<number, number>();
    for (const fd of new Set([...streams, ...passFds.map((passed) => passed.fd)])) {
      const own = libc.fcntl(fd, LINUX.F_DUPFD_CLOEXEC, 3);
      if (own < 0) {
        for (const made of held.values()) libc.close(made);
        throw startError('stdio', systemError(-own, 'fcntl', undefined, `descriptor ${fd} cannot be kept`));
      }
      held.set(fd, own);
    }
    return held;
  }
}

const none: Moment['held'] = new Map();

/**
 * What the plan must ask for so that the program has the umask of then; the plan itself if it has it anyway. It is never set
 * in this process, where it would be that of all threads.
 */
export function withUmaskOf(plan: LaunchPlan, { umask }: Moment, libc: Libc): LaunchPlan {
  const { privileged, requires } = plan;
  if (umask === undefined || privileged.umask !== undefined || umask === umaskOf(libc)) return plan;
  return { ...plan, requires: [...requires, 'umask'], privileged: { ...privileged, umask } };
}

/**
 * The plan as it must be now to mean what it meant then.
 *
 * @param moment `undefined`: it is asked for now
 * @param where how to call the directory: another process does not have ours
 * @throws CommandStartError if this process has become another user meanwhile
 */
export function planSince(plan: LaunchPlan, moment: Moment | undefined, where: 'path' | 'name' = 'path'): LaunchPlan {
  if (moment === undefined) return plan;
  const { program, directory, held } = moment;
  const now = user();
  if (now !== moment.user) {
    const what = `this process has become ${now} (from ${moment.user}) before the turn of this start came: wait for runAsync()`;
    throw startError('fork', what);
  }
  const moved = workingDirectory() !== directory.name;
  if (held.size === 0 && !moved) return program === plan.program ? plan : { ...plan, program };
  // Not normalized: `..` behind a symbolic link leads elsewhere than its text. An empty path stays an error.
  const at = (path: string): string =>
    !moved || isAbsolute(path) || path === '' ? path : `${directory[where]}/${path}`;
  const stream = <S extends PlanStream>(said: S): S => {
    if (said.type === 'file') return { ...said, path: at(said.path) };
    return said.type === 'fd' ? { ...said, fd: held.get(said.fd) ?? said.fd } : said;
  };
  const { cwd = moved ? directory[where] : undefined, pidFile } = plan;
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
