/** The memory of one start by another thread, from the order to the answer. */
import type { LaunchPlan, PlanString } from '@vircommand/core/backend';
import type { Attributes } from '../attributes';
import type { ParentEnds } from '../descriptor-set';
import { addressOr } from '../environment';
import type { Libc } from '../libc';
import { placeOf, planSince, type Moment } from '../moment';
import { Preparation, type Gate } from '../prepare';
import { checkPermission, resolvePath } from '../program';
import { lookBeforeStart, type StartedProcess } from '../spawn';
import type { Gatehouse } from './gate';
import type { HeldAttributes, Order } from './protocol';

/** What all starts through one libc share. */
export interface Shared {
  readonly libc: Libc;
  readonly attributes: Attributes;
  readonly gatehouse: Gatehouse;
}

/** What is changed of the program while it is held. */
export const heldAttributes = ({ privileged: { limits, nice, affinity } }: LaunchPlan): HeldAttributes | undefined =>
  limits === undefined && nice === undefined && affinity === undefined ? undefined : { limits, nice, affinity };

export class Slot {
  private readonly preparation: Preparation;
  private readonly pid: number;
  private readonly actions: number;
  private parentEnds!: ParentEnds;
  private leadsGroup = false;
  /** The path that is executed. */
  program: PlanString = '';
  /** What the thread reads, and is nowhere else. */
  private readonly referenced: unknown[] = [];

  constructor(private readonly shared: Shared) {
    const { libc } = shared;
    this.preparation = new Preparation(libc);
    this.pid = libc.driver.address(this.preparation.pid);
    this.actions = libc.driver.address(this.preparation.actions.buffer);
  }

  /**
   * Makes all that one start needs. If it throws, nothing is left.
   *
   * @param shares the thread has directory and umask in common with all others
   * @throws CommandStartError
   */
  order(asked: LaunchPlan, id: number, moment: Moment, shares: boolean, gate?: Gate): Order {
    checkPermission();
    const { preparation, shared } = this;
    const { libc, attributes } = shared;
    const plan = planSince(asked, moment);
    const program = (this.program = resolvePath(plan));
    lookBeforeStart(program, libc);
    const env = addressOr(moment.env);
    const group = attributes.group(plan.group);
    const attribute = attributes.of(group);
    this.referenced.push(moment.env, attribute);
    this.leadsGroup = group !== 'none';
    try {
      // Not this thread's, which may change before the program begins; the spawner thread has another one.
      const { fd } = moment.directory;
      const here = fd >= 0 ? fd : placeOf(moment, plan.cwd);
      this.parentEnds = preparation.prepare(plan, program, env, moment, here);
      if (gate !== undefined) preparation.hold(plan, gate);
    } catch (error) {
      this.release(false);
      throw error;
    }
    const { path, argv, envp } = preparation.arena;
    return {
      ...{ id, pid: this.pid, path, actions: this.actions, attributes: libc.driver.address(attribute), argv },
      euid: moment.identity.euid,
      egid: moment.identity.egid,
      envp: typeof env === 'number' ? env : envp,
      umask: shares ? undefined : (plan.privileged.umask ?? moment.identity.umask),
      hold: gate && heldAttributes(plan),
    };
  }

  /** The program that was started; `undefined`: none was. */
  get started(): StartedProcess | undefined {
    const { startedPid: pid } = this.preparation;
    return pid === 0 ? undefined : { pid, leadsGroup: this.leadsGroup, parentEnds: this.parentEnds };
  }

  /** Only when no thread reads from it any more. */
  release(started: boolean): void {
    this.preparation.release(started);
    this.referenced.length = 0;
  }
}
