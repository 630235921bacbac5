/**
 * What a program gets from this process where its plan says nothing, as it was when the caller called: a start that waits for
 * its turn must not get what was set meanwhile, which is meant for the next ones.
 */
import { existsSync, readlinkSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import {
  currentPlace,
  leadsTo,
  startError,
  type LaunchPlan,
  type PlanStream,
  type PlanString,
} from '@vircommand/core/backend';
import type { Entries } from './arena';
import { systemError } from './errno';
import { Identities, isSameUser, type Identity } from './identity';
import { InheritedEnvironment, type EnvironmentCopy } from './inherited';
import { KeptDescriptor } from './kept-descriptor';
import type { Libc } from './libc';
import { LINUX } from './linux';
import { resolvePath, workingDirectory } from './program';
import { cString } from './struct';
import { bindToThread, closeBound } from './thread-bound';

export interface Moment {
  /** What was asked for. */
  readonly plan: LaunchPlan;
  /** Where it was found. */
  readonly program: PlanString;
  readonly directory: Directory;
  readonly env: EnvironmentCopy | Entries;
  /** Its umask is that of programs; files that are made for them have no right that it takes away. */
  readonly identity: Identity;
  /** Who knows what it is now. */
  readonly identities: Identities;
  /** Our own numbers for descriptors of the caller, which it may close, or have others by these numbers. */
  readonly held: ReadonlyMap<number, number>;
}

const currentDirectory = cString('.');

/**
 * The working directory of a moment. It can be renamed or deleted while a start waits, and another one can get its name. Those of
 * one turn mostly have the same.
 */
class Directory extends KeptDescriptor {
  private readonly place = currentPlace();

  constructor(
    libc: Libc,
    /** As this process calls it. */
    readonly name: string,
  ) {
    super(libc, currentDirectory, LINUX.O_PATH | LINUX.O_DIRECTORY);
  }

  /** This process is there now. */
  get isHere(): boolean {
    const { place, name } = this;
    if (place !== undefined) return leadsTo('.', place);
    return currentPlace() === undefined && workingDirectory() === name;
  }

  /** Leads there as long as it is held. */
  get path(): string {
    return this.fd < 0 ? this.name : `/proc/self/fd/${this.fd}`;
  }

  /** A path that leads from here where this one led from there. */
  lead(path: string): string {
    // Not normalized: `..` behind a symbolic link leads elsewhere than its text. An empty path stays an error.
    return isAbsolute(path) || path === '' || this.isHere ? path : `${this.path}/${path}`;
  }
}

/** The moments of all starts of one backend. */
export class Moments {
  private readonly environment: InheritedEnvironment;
  private readonly identities: Identities;
  private directory: Directory | undefined;

  constructor(private readonly libc: Libc) {
    this.environment = new InheritedEnvironment(libc);
    this.identities = new Identities(libc);
  }

  /**
   * Whatever becomes of it, {@link during} or {@link release} must be called when the start is over. `undefined`: it must not
   * wait.
   *
   * @throws CommandStartError, stages `resolve` and `stdio`
   */
  take(plan: LaunchPlan): Moment | undefined {
    const { environment, identities } = this;
    // First of all: if this takes the last descriptor, who we are is asked in another way until the start is over.
    identities.hold();
    try {
      const identity = identities.now();
      if (identity.actsAsAnother) {
        identities.release();
        return undefined;
      }
      const program = resolvePath(plan);
      const env = plan.env === 'inherit' ? environment.get() : plan.env;
      const held = this.hold(plan);
      return { plan, program, directory: this.here().hold(), env, identity, identities, held };
    } catch (error) {
      identities.release();
      throw error;
    }
  }

  release({ directory, held }: Moment): void {
    for (const own of held.values()) closeBound(this.libc, own);
    directory.release();
    this.identities.release();
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
    const { libc, directory } = this;
    if (directory?.held === true && directory.isHere) return directory;
    return (this.directory = new Directory(libc, workingDirectory()));
  }

  /** Numbers of our own for descriptors of the caller. */
  private hold({ stdin, stdout, stderr, passFds }: LaunchPlan): Moment['held'] {
    const { libc } = this;
    const streams = [stdin, stdout, stderr].flatMap((stream) => (stream.type === 'fd' ? [stream.fd] : []));
    if (streams.length + passFds.length === 0) return none;
    const held = new Map<number, number>();
    for (const fd of new Set([...streams, ...passFds.map((passed) => passed.fd)])) {
      const own = bindToThread(libc, libc.fcntl(fd, LINUX.F_DUPFD_CLOEXEC, 3));
      if (own < 0) {
        for (const made of held.values()) closeBound(libc, made);
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
export function withUmaskOf(plan: LaunchPlan, { identity: { umask }, identities }: Moment): LaunchPlan {
  const { privileged, requires } = plan;
  if (umask === undefined || privileged.umask !== undefined || umask === identities.now().umask) return plan;
  return { ...plan, requires: [...requires, 'umask'], privileged: { ...privileged, umask } };
}

/**
 * Descriptor of the directory that the plan's relative paths start from; -1: the thread's own, or the path is absolute.
 *
 * @throws CommandStartError, stage `cwd`, if this process is elsewhere by now and could not keep the directory
 */
export function placeOf(moment: Moment | undefined, cwd = ''): number {
  if (moment === undefined || isAbsolute(cwd) || moment.directory.isHere) return -1;
  const { fd, name } = moment.directory;
  if (fd < 0) throw startError('cwd', systemError(-fd, 'open', name), name);
  return fd;
}

/**
 * The plan as it must be now to mean what it meant then, but for where its relative paths lead from: that is {@link placeOf}.
 *
 * @param moment `undefined`: it is asked for now
 * @throws CommandStartError if this process has become another user meanwhile
 */
export function planSince(plan: LaunchPlan, moment: Moment | undefined): LaunchPlan {
  if (moment === undefined) return plan;
  const { program, held, identity, identities } = moment;
  const now = identities.now();
  if (!isSameUser(identity, now)) {
    const what = `this process has become ${now.user} (from ${identity.user}) before the turn of this start came: wait for runAsync()`;
    throw startError('fork', what);
  }
  const stream = <S extends PlanStream>(said: S): S =>
    said.type === 'fd' ? { ...said, fd: held.get(said.fd) ?? said.fd } : said;
  return {
    ...plan,
    program,
    stdin: stream(plan.stdin),
    stdout: stream(plan.stdout),
    stderr: stream(plan.stderr),
    passFds: plan.passFds.map(({ fd, as }) => ({ fd: held.get(fd) ?? fd, as })),
  };
}

/** How the directory of that moment is called now; `undefined`: it was deleted. */
export function nameOfPlace(moment: Moment | undefined): string | undefined {
  const link = moment === undefined || moment.directory.fd < 0 ? '/proc/self/cwd' : moment.directory.path;
  let name;
  try {
    name = readlinkSync(link);
  } catch {
    return moment?.directory.name ?? workingDirectory();
  }
  return name.endsWith(' (deleted)') && !existsSync(name) ? undefined : name;
}
