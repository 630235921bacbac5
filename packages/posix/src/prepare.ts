/**
 * What is done before a start, by whichever thread makes it: everything that can fail is done in this process first, so that
 * a failing stage is known, and `posix_spawn` does the rest.
 */
import { startError, type LaunchPlan, type PlanString } from '@vircommand/core/backend';
import { Arena, UnsendableError, type Entries } from './arena';
import { DescriptorSet, openFile, type ParentEnds } from './descriptor-set';
import { errno, nulError, systemError } from './errno';
import { FileActions } from './file-actions';
import type { Libc } from './libc';
import { LINUX } from './linux';
import type { Moment } from './moment';
import { programMoves } from './moves';
import { cString } from './struct';

const none: readonly never[] = [];

/** What a program waits for before it is executed: paths, with a NUL. */
export interface Gate {
  /** Opening it blocks until the program may go on. */
  readonly lease: Buffer;
  /** It is a directory if it may. */
  readonly token: Buffer;
}

/** The memory of one start at a time, used again for the next one. */
export class Preparation {
  /** Its addresses are right from {@link prepare} on, until the next one. */
  readonly arena: Arena;
  readonly descriptors: DescriptorSet;
  readonly actions: FileActions;
  /** `posix_spawn` writes it if it succeeds. */
  readonly pid = Buffer.allocUnsafeSlow(4);
  private readonly pidInt = new Int32Array(this.pid.buffer, 0, 1);

  constructor(private readonly libc: Libc) {
    this.arena = new Arena(libc.driver);
    this.descriptors = new DescriptorSet(libc);
    this.actions = new FileActions(libc);
  }

  /** What `posix_spawn` wrote. */
  get startedPid(): number {
    return this.pidInt[0] ?? 0;
  }

  /**
   * Whatever it does, {@link release} must be called when the start is over.
   *
   * @param env an address: the environment's array is there, and need not be laid out
   * @param moment when it was asked for, if that was not just now
   * @param here a descriptor of the directory where the program begins, or from where its own leads; -1: that of the thread
   * @throws CommandStartError
   */
  prepare(
    plan: LaunchPlan,
    program: PlanString,
    env: number | Entries,
    moment: Moment | undefined,
    here: number,
  ): ParentEnds {
    const { descriptors } = this;
    this.pidInt[0] = 0;
    this.pack(program, plan.argv, typeof env === 'number' ? undefined : env);
    const cwd = plan.cwd === undefined ? here : descriptors.keep(openDirectory(this.libc, plan.cwd, here));
    const parentEnds = descriptors.prepare(plan, moment);
    this.fillActions(plan, cwd);
    return parentEnds;
  }

  /** The program waits here before it is executed: after everything else, and with nothing else open. */
  hold(plan: LaunchPlan, gate: Gate): void {
    const used = [...plan.passFds.map(({ as }) => as), ...plan.sendBuffers];
    let fd = 3;
    while (used.includes(fd)) fd++;
    this.actions.hold(fd, gate.lease, gate.token);
  }

  /** Closes what the program has now; and our ends too, unless it was started. */
  release(started: boolean): void {
    this.descriptors.release(started);
  }

  private pack(program: PlanString, argv: readonly PlanString[], env: Entries | undefined): void {
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
}

/** Opened with its `.`, so that a directory that may not be entered fails here and not when it is too late to tell. */
function openDirectory(libc: Libc, path: string, from: number): number {
  if (path.includes('\0')) throw startError('cwd', nulError('chdir', path), path);
  const open = (name: string, at: number): number =>
    openFile(libc, cString(name), LINUX.O_PATH | LINUX.O_DIRECTORY, at);
  let fd = open(path === '' ? '' : path + '/.', from);
  if (fd === -errno.ENAMETOOLONG) {
    // That may be for the dot.
    const whole = open(path, from);
    fd = whole < 0 ? whole : open('.', whole);
    if (whole >= 0) libc.close(whole);
  }
  if (fd < 0) throw startError('cwd', systemError(-fd, 'chdir', path), path);
  return fd;
}
