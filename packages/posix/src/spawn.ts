/**
 * A start on the calling thread: everything that can fail is done in this process first, so that a failing stage is known,
 * and `posix_spawn` does the rest. It costs the same whatever the size of the heap, since nothing is copied.
 */
import { constants } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { planBytes, resolveProgram, startError, type LaunchPlan, type PlanString } from '@vircommand/core/backend';
import { Arena, UnsendableError } from './arena';
import type { Move } from './descriptors';
import { DescriptorSet, openFile, type ParentEnds } from './ends';
import { Environment } from './environment';
import { errno, nulError, systemError } from './errno';
import { likelyExecError, spawnError } from './exec-error';
import { actionError, FileActions } from './file-actions';
import type { Libc } from './libc';
import { cString, LINUX, SIZE } from './struct';

export type { ParentEnds } from './ends';

/** A program that runs. */
export interface StartedProcess {
  readonly pid: number;
  /** The program leads a process group or session of its own, whose number is its pid. */
  readonly leadsGroup: boolean;
  readonly parentEnds: ParentEnds;
}

/** The attributes a start can have: its process group, with every signal at its default and none blocked. */
type Group = 'none' | 'group' | 'session';
const groupFlags: Readonly<Record<Group, number>> = {
  none: 0,
  group: LINUX.POSIX_SPAWN_SETPGROUP,
  session: LINUX.POSIX_SPAWN_SETSID,
};

const none: readonly never[] = [];
const devTty = cString('/dev/tty');

/** Somebody had the program's file open for writing: mostly another thread's fork, which ends within microseconds. */
const busyMs = 50;

/** Starts programs through one libc in one thread. Starts never overlap: they are synchronous. */
class Spawner {
  private readonly arena: Arena;
  private readonly environment: Environment;
  private readonly descriptors: DescriptorSet;
  private readonly attributes: Readonly<Record<Group, Buffer>>;
  private readonly actions: FileActions;
  private readonly pid = Buffer.allocUnsafeSlow(4);
  private readonly pidInt = new Int32Array(this.pid.buffer, 0, 1);
  private readonly limit = Buffer.allocUnsafeSlow(SIZE.rlimit);
  private autoGroup: Group | undefined;
  /** Whether `posix_spawn` succeeds although exec fails; `undefined`: nobody had a reason to ask. */
  private lossy: boolean | undefined;

  constructor(private readonly libc: Libc) {
    this.arena = new Arena(libc.driver);
    this.environment = new Environment(libc);
    this.descriptors = new DescriptorSet(libc);
    this.actions = new FileActions(libc);
    this.attributes = {
      none: makeAttributes(libc, 'none'),
      group: makeAttributes(libc, 'group'),
      session: makeAttributes(libc, 'session'),
    };
  }

  start(plan: LaunchPlan): StartedProcess {
    checkPermission();
    const { arena, descriptors } = this;
    const program = resolve(plan.program);
    if (this.lossy === true) {
      const error = likelyExecError(program);
      if (error !== undefined) throw error;
    }
    const env = plan.env === 'inherit' ? this.environment.inherited() : plan.env;
    this.pack(program, plan.argv, typeof env === 'number' ? undefined : env);
    const group = plan.group === 'auto' ? (this.autoGroup ??= this.chooseGroup()) : plan.group;

    let started = false;
    try {
      const cwd = plan.cwd === undefined ? -1 : descriptors.keep(openDirectory(this.libc, plan.cwd));
      const parentEnds = descriptors.prepare(plan);
      this.fillActions(plan, cwd);
      const result = this.spawn(typeof env === 'number' ? env : arena.envp, this.attributes[group]);
      if (result !== 0) throw spawnError(result, program);
      started = true;
      return { pid: this.pidInt[0] ?? 0, leadsGroup: group !== 'none', parentEnds };
    } finally {
      descriptors.release(started);
    }
  }

  /**
   * Whether exec errors are lost here, as under qemu-user: a program that cannot be executed then "exits" with 127. Asked
   * for when a program ends so; from then on the file is looked at before each start.
   */
  execErrorsAreLost(): boolean {
    if (this.lossy !== undefined) return this.lossy;
    const { libc, pid } = this;
    // Nothing can lie below a device.
    this.arena.pack('/dev/null/vircommand', ['vircommand'], []);
    const result = libc.posix_spawn(pid, this.arena.path, null, this.attributes.none, this.arena.argv, this.arena.envp);
    this.lossy = result === 0;
    if (this.lossy) libc.wait4(this.pidInt[0] ?? 0, null, 0, null);
    return this.lossy;
  }

  private pack(program: PlanString, argv: readonly PlanString[], env: Parameters<Arena['pack']>[2]): void {
    try {
      this.arena.pack(program, argv, env);
    } catch (error) {
      if (!(error instanceof UnsendableError)) throw error;
      throw startError('exec', systemError(errno[error.code], 'execve', undefined, error.message));
    }
  }

  private fillActions(plan: LaunchPlan, cwd: number): void {
    const { actions, descriptors } = this;
    const { stdio, sendEnds } = descriptors;
    const ofCaller =
      plan.passFds.length > 0 ||
      plan.sendBuffers.length > 0 ||
      plan.stdin.type === 'fd' ||
      plan.stdout.type === 'fd' ||
      plan.stderr.type === 'fd';
    if (!ofCaller) {
      actions.fill(stdio, none, cwd);
      return;
    }
    // File actions take numbers below the soft limit only, which may have been lowered below what is open.
    const limit = this.softLimit();
    const below = (fd: number): number => (fd < limit ? fd : descriptors.duplicate(fd));
    const moves: Move[] = plan.passFds.map(({ fd, as }) => ({ source: below(fd), target: as }));
    plan.sendBuffers.forEach((target, index) => moves.push({ source: sendEnds[index] ?? -1, target }));
    for (const { target } of moves) {
      if (!Number.isInteger(target) || target < 3 || target >= limit) throw actionError(errno.EBADF, target);
    }
    actions.fill([below(stdio[0]), below(stdio[1]), below(stdio[2])], moves, cwd);
  }

  private softLimit(): number {
    const { limit } = this;
    if (this.libc.getrlimit(LINUX.RLIMIT_NOFILE, limit) < 0) return Infinity;
    return Number(limit.readBigUInt64LE(0));
  }

  private spawn(envp: number, attributes: Buffer): number {
    const { libc, arena, pid, actions } = this;
    let until: number | undefined;
    for (;;) {
      const result = libc.posix_spawn(pid, arena.path, actions.buffer, attributes, arena.argv, envp);
      if (result !== errno.ETXTBSY) return result;
      const now = performance.now();
      until ??= now + busyMs;
      if (now >= until) return result;
      libc.poll(null, 0, 1);
    }
  }

  /** A group of its own is ended as a whole. At a terminal it would be a background job that Ctrl-C does not reach. */
  private chooseGroup(): Group {
    const terminal = openFile(this.libc, devTty, constants.O_RDWR | constants.O_NOCTTY);
    if (terminal < 0) return 'group';
    this.libc.close(terminal);
    return 'none';
  }
}

const spawners = new WeakMap<Libc, Spawner>();

function spawnerOf(libc: Libc): Spawner {
  let spawner = spawners.get(libc);
  if (spawner === undefined) spawners.set(libc, (spawner = new Spawner(libc)));
  return spawner;
}

/**
 * Starts a program on this thread; returns when it has been executed.
 *
 * @throws CommandStartError. Then nothing is left: no process, no descriptor.
 */
export function startProcess(plan: LaunchPlan, libc: Libc): StartedProcess {
  return spawnerOf(libc).start(plan);
}

/** Whether exec errors show as exit code 127 here. To be asked when a program has ended with that code. */
export function execErrorsAreLost(libc: Libc): boolean {
  return spawnerOf(libc).execErrorsAreLost();
}

/** Prepared once and used for every start; neither libc keeps memory of its own in it. */
function makeAttributes(libc: Libc, group: Group): Buffer {
  const attributes = Buffer.alloc(SIZE.posixSpawnattr);
  const flags = groupFlags[group] | LINUX.POSIX_SPAWN_SETSIGDEF | LINUX.POSIX_SPAWN_SETSIGMASK;
  const results = [
    libc.posix_spawnattr_init(attributes),
    libc.posix_spawnattr_setflags(attributes, flags),
    // Node ignores SIGPIPE and SIGXFSZ, and hands on whatever else it was started with.
    libc.posix_spawnattr_setsigdefault(attributes, Buffer.alloc(SIZE.sigset, 0xff)),
    libc.posix_spawnattr_setsigmask(attributes, Buffer.alloc(SIZE.sigset)),
  ];
  const failed = results.find((result) => result !== 0);
  if (failed !== undefined) throw startError('fork', systemError(failed, 'posix_spawnattr_init'));
  return attributes;
}

/** The permission model guards `node:child_process` only, so this must not be the hole in it. */
function checkPermission(): void {
  const permission = process.permission as NodeJS.ProcessPermission | undefined;
  if (permission === undefined || permission.has('child')) return;
  const error: NodeJS.ErrnoException = new Error("the permission model denies it: node needs '--allow-child-process'");
  error.code = 'ERR_ACCESS_DENIED';
  throw startError('fork', error);
}

/** The path of a program. An absolute one is not looked for, so that it costs nothing. */
function resolve(program: PlanString): PlanString {
  if (typeof program === 'string' ? program.includes('\0') : planBytes(program).includes(0)) {
    throw startError('exec', nulError('execve'));
  }
  if (typeof program === 'string' && program.startsWith('/')) return program;
  return resolveProgram(program, { path: process.env.PATH, cwd: workingDirectory() });
}

/** Where relative paths begin; a directory that was deleted still has this name. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return '/proc/self/cwd';
  }
}

/** Opened with its `.`, so that a directory that may not be entered fails here and not when it is too late to tell. */
function openDirectory(libc: Libc, path: string): number {
  if (path.includes('\0')) throw startError('cwd', nulError('chdir', path), path);
  const name = path === '' ? '' : path + '/.';
  const fd = openFile(libc, cString(name), LINUX.O_PATH | LINUX.O_DIRECTORY);
  if (fd < 0) throw startError('cwd', systemError(-fd, 'chdir', path), path);
  return fd;
}
