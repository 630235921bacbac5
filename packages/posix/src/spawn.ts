/**
 * A start on the calling thread: everything that can fail is done in this process first, so that a failing stage is known,
 * and `posix_spawn` does the rest. It costs the same whatever the size of the heap, since nothing is copied.
 */
import type { LaunchPlan, PlanString } from '@vircommand/core/backend';
import type { Entries } from './arena';
import { Attributes } from './attributes';
import { spawnPatiently } from './busy';
import type { ParentEnds } from './descriptor-set';
import { addressOr, Environment } from './environment';
import { likelyExecError, spawnError } from './exec-error';
import type { Libc } from './libc';
import { placeOf, planSince, type Moment } from './moment';
import { Preparation } from './prepare';
import { checkPermission, resolvePath } from './program';

/** A program that runs. */
export interface StartedProcess {
  readonly pid: number;
  /** The program leads a process group or session of its own, whose number is its pid. */
  readonly leadsGroup: boolean;
  readonly parentEnds: ParentEnds;
}

/** Starts programs through one libc in one thread. Starts never overlap: they are synchronous. */
class Spawner {
  private readonly environment: Environment;
  private readonly attributes: Attributes;
  private readonly preparation: Preparation;
  /** Whether `posix_spawn` succeeds although exec fails; `undefined`: nobody had a reason to ask. */
  private lossy: boolean | undefined;

  constructor(private readonly libc: Libc) {
    this.environment = new Environment(libc);
    this.preparation = new Preparation(libc);
    this.attributes = new Attributes(libc);
  }

  start(asked: LaunchPlan, moment?: Moment): StartedProcess {
    checkPermission();
    const { preparation } = this;
    const plan = planSince(asked, moment);
    const env = moment === undefined ? this.environmentOf(plan) : addressOr(moment.env);
    const program = resolvePath(plan);
    this.lookBefore(program);
    const group = this.attributes.group(plan.group);

    let started = false;
    try {
      const parentEnds = preparation.prepare(plan, program, env, moment, placeOf(moment, plan.cwd));
      const result = this.spawn(
        typeof env === 'number' ? env : preparation.arena.envp,
        this.attributes.of(group),
        preparation,
      );
      if (result !== 0) throw spawnError(result, program);
      started = true;
      return { pid: preparation.startedPid, leadsGroup: group !== 'none', parentEnds };
    } finally {
      preparation.release(started);
    }
  }

  private environmentOf({ env }: LaunchPlan): number | Entries {
    return env === 'inherit' ? this.environment.inherited() : env;
  }

  /** Where exec errors are lost, the error that is likely. */
  lookBefore(program: PlanString): void {
    if (this.lossy !== true) return;
    const error = likelyExecError(program);
    if (error !== undefined) throw error;
  }

  /**
   * Whether exec errors are lost here, as under qemu-user: a program that cannot be executed then "exits" with 127. Asked
   * for when a program ends so; from then on the file is looked at before each start.
   */
  execErrorsAreLost(): boolean {
    if (this.lossy !== undefined) return this.lossy;
    const { libc, preparation } = this;
    const { arena, pid } = preparation;
    // Nothing can lie below a device.
    arena.pack('/dev/null/vircommand', ['vircommand'], []);
    const result = libc.posix_spawn(pid, arena.path, null, this.attributes.of('none'), arena.argv, arena.envp);
    this.lossy = result === 0;
    if (this.lossy) libc.wait4(preparation.startedPid, null, 0, null);
    return this.lossy;
  }

  private spawn(envp: number, attributes: Buffer, { arena, pid, actions }: Preparation): number {
    const { libc } = this;
    return spawnPatiently(libc, () => libc.posix_spawn(pid, arena.path, actions.buffer, attributes, arena.argv, envp));
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
 * @param moment when it was asked for, if that was not just now
 * @throws CommandStartError. Then nothing is left: no process, no descriptor.
 */
export function startProcess(plan: LaunchPlan, libc: Libc, moment?: Moment): StartedProcess {
  return spawnerOf(libc).start(plan, moment);
}

/** Whether exec errors show as exit code 127 here. To be asked when a program has ended with that code. */
export function execErrorsAreLost(libc: Libc): boolean {
  return spawnerOf(libc).execErrorsAreLost();
}

/**
 * Before a start of this program, where exec errors show as exit code 127.
 *
 * @throws CommandStartError that is likely
 */
export function lookBeforeStart(program: PlanString, libc: Libc): void {
  spawnerOf(libc).lookBefore(program);
}
