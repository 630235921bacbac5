/** The thread way, for one libc: which class a plan needs and its lane, and the gate for what is changed from outside. */
import type { ChildHandle, LaunchPlan } from '@vircommand/core/backend';
import { Attributes } from '../attributes';
import type { Libc } from '../libc';
import type { Moment } from '../moment';
import { unwantedStart } from '../pace';
import type { Gate } from '../prepare';
import { Gatehouse } from './gate';
import { Lane } from './lane';
import type { ThreadClass } from './protocol';
import { heldAttributes, type Shared } from './slot';

type Instead = (why: string) => ChildHandle | Promise<ChildHandle>;

/** Two numbers that the gate needs, below the limit of descriptors. */
const gateNumbers = 2;

export class SpawnerThreads {
  private readonly shared: Shared;
  private readonly lanes = new Map<string, Lane>();
  private readonly plain: Lane;
  private readonly atGate = new Set<LaunchPlan>();

  constructor(libc: Libc) {
    this.shared = {
      libc,
      attributes: new Attributes(libc),
      gatehouse: new Gatehouse(libc.driver.name),
    };
    this.plain = this.lane({ noNewPrivs: false });
  }

  /** Plain starts are under way, so that the next one should queue behind them. */
  get busy(): boolean {
    return this.plain.busy;
  }

  /** @param instead what is done where there can be no such thread */
  start(plan: LaunchPlan, moment: Moment, instead: Instead): Promise<ChildHandle> | ChildHandle {
    const lane = this.lane(classOf(plan));
    return heldAttributes(plan) === undefined
      ? lane.start(plan, moment, instead)
      : this.startHeld(lane, plan, moment, instead);
  }

  /** Takes a plain start off the event loop; `undefined`: the thread is not there yet, but will be. */
  take(plan: LaunchPlan, moment: Moment, instead: Instead): Promise<ChildHandle> | undefined {
    if (this.plain.ready) return this.plain.start(plan, moment, instead);
    this.plain.prepare();
    return undefined;
  }

  cancel(plan: LaunchPlan): void {
    this.atGate.delete(plan);
    for (const lane of this.lanes.values()) lane.cancel(plan);
  }

  /** Ends the threads that there are. */
  async dispose(): Promise<void> {
    await Promise.all(Array.from(this.lanes.values(), (lane) => lane.dispose()));
    await this.shared.gatehouse.dispose();
  }

  private async startHeld(lane: Lane, plan: LaunchPlan, moment: Moment, instead: Instead): Promise<ChildHandle> {
    if (!hasRoomForGate(plan)) return instead('the limit of descriptors is too low for what is done under it');
    const refusal = lane.refusal();
    if (refusal !== undefined) return instead(refusal);
    // Both are made at the same time.
    lane.prepare();
    this.atGate.add(plan);
    const gate = await this.shared.gatehouse.gate().catch((error: unknown) => error);
    // Deleted by cancel().
    if (!this.atGate.delete(plan)) throw unwantedStart();
    if (gate instanceof Error) return instead(gate.message);
    return lane.start(plan, moment, instead, gate as Gate);
  }

  private lane(kind: ThreadClass): Lane {
    const name = JSON.stringify(kind);
    let lane = this.lanes.get(name);
    if (lane === undefined) this.lanes.set(name, (lane = new Lane(kind, this.shared)));
    return lane;
  }
}

/** As few threads as there can be: what is asked for is what they differ in. */
const classOf = ({ privileged: { noNewPrivs } }: LaunchPlan): ThreadClass => ({ noNewPrivs: noNewPrivs === true });

function hasRoomForGate({ privileged: { limits }, passFds, sendBuffers }: LaunchPlan): boolean {
  const files = limits?.files;
  const soft = typeof files === 'object' ? files.soft : files;
  return typeof soft !== 'number' || soft >= 3 + passFds.length + sendBuffers.length + gateNumbers;
}
