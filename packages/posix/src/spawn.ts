/**
 * A start on the calling thread: everything that can fail is done in this process first, so that a failing stage is known,
 * and `posix_spawn` does the rest. It costs the same whatever the size of the heap, since nothing is copied.
 */
import { performance } from 'node:perf_hooks';
import { startError, type LaunchPlan, type PlanString } from '@vircommand/core/backend';
import { Arena, UnsendableError } from './arena';
import { Attributes } from './attributes';
import { DescriptorSet, openFile, type ParentEnds } from './ends';
import { Environment } from './environment';
import { errno, nulError, systemError } from './errno';
import { likelyExecError, spawnError } from './exec-error';
import { FileActions } from './file-actions';
import type { Libc } from './libc';
import { programMoves } from './moves';
import { checkPermission, resolvePath } from './program';
import { cString, LINUX } from './struct';

export type { ParentEnds } from './ends';

/** A program that runs. */
export interface StartedProcess {
  readonly pid: number;
  /** The program leads a process group or session of its own, whose number is its pid. */
  readonly leadsGroup: boolean;
  readonly parentEnds: ParentEnds;
}

const none: readonly never[] = [];

/** Somebody had the program's file open for writing: mostly another thread's fork, which ends within microseconds. */
const busyMs = 50;
/** On a machine that is so busy that the time is over at once, it may still come free. */
const leastTries = 5;

/** Starts programs through one libc in one thread. Starts never overlap: they are synchronous. */
class Spawner {
  private readonly arena: Arena;
  private readonly environment: Environment;
  private readonly descriptors: DescriptorSet;
  private readonly attributes: Attributes;
  private readonly actions: FileActions;
  private readonly pid = Buffer.allocUnsafeSlow(4);
  private readonly pidInt = new Int32Array(this.pid.buffer, 0, 1);
  /** Whether `posix_spawn` succeeds although exec fails; `undefined`: nobody had a reason to ask. */
  private lossy: boolean | undefined;

  constructor(private readonly libc: Libc) {
    this.arena = new Arena(libc.driver);
    this.environment = new Environment(libc);
    this.descriptors = new DescriptorSet(libc);
    this.actions = new FileActions(libc);
    this.attributes = new Attributes(libc);
  }

  start(plan: LaunchPlan): StartedProcess {
    checkPermission();
    const { arena, descriptors } = this;
    const program = resolvePath(plan.program);
    if (this.lossy === true) {
      const error = likelyExecError(program);
      if (error !== undefined) throw error;
    }
    const env = plan.env === 'inherit' ? this.environment.inherited() : plan.env;
    this.pack(program, plan.argv, typeof env === 'number' ? undefined : env);
    const group = this.attributes.group(plan.group);

    let started = false;
    try {
      const cwd = plan.cwd === undefined ? -1 : descriptors.keep(openDirectory(this.libc, plan.cwd));
      const parentEnds = descriptors.prepare(plan);
      this.fillActions(plan, cwd);
      const result = this.spawn(typeof env === 'number' ? env : arena.envp, this.attributes.of(group));
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
    const result = libc.posix_spawn(
      pid,
      this.arena.path,
      null,
      this.attributes.of('none'),
      this.arena.argv,
      this.arena.envp,
    );
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
    const { stdio } = descriptors;
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
    const moves = programMoves(this.libc, plan, descriptors);
    actions.fill(moves.stdio, moves.others, cwd);
  }

  private spawn(envp: number, attributes: Buffer): number {
    const { libc, arena, pid, actions } = this;
    let until: number | undefined;
    for (let tries = 1; ; tries++) {
      const result = libc.posix_spawn(pid, arena.path, actions.buffer, attributes, arena.argv, envp);
      if (result !== errno.ETXTBSY) return result;
      const now = performance.now();
      until ??= now + busyMs;
      if (now >= until && tries > leastTries) return result;
      libc.poll(null, 0, 1);
    }
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

/** Opened with its `.`, so that a directory that may not be entered fails here and not when it is too late to tell. */
function openDirectory(libc: Libc, path: string): number {
  if (path.includes('\0')) throw startError('cwd', nulError('chdir', path), path);
  const name = path === '' ? '' : path + '/.';
  const fd = openFile(libc, cString(name), LINUX.O_PATH | LINUX.O_DIRECTORY);
  if (fd < 0) throw startError('cwd', systemError(-fd, 'chdir', path), path);
  return fd;
}
