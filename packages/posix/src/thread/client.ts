/** The thread way, for one libc: which class a plan needs, and its lane. */
import type { ChildHandle, LaunchPlan } from '@vircommand/core/backend';
import { Attributes } from '../attributes';
import type { Libc } from '../libc';
import { InheritedEnvironment } from './inherited';
import { Lane } from './lane';
import type { ThreadClass } from './protocol';
import type { Shared } from './slot';

type Instead = (why: string) => ChildHandle | Promise<ChildHandle>;

export class SpawnerThreads {
  private readonly shared: Shared;
  private readonly lanes = new Map<string, Lane>();
  private readonly plain: Lane;

  constructor(libc: Libc) {
    this.shared = { libc, attributes: new Attributes(libc), environment: new InheritedEnvironment(libc) };
    this.plain = this.lane({ ownFiles: false, noNewPrivs: false });
  }

  /** Plain starts are under way, so that the next one should queue behind them. */
  get busy(): boolean {
    return this.plain.busy;
  }

  /** @param instead what is done where there can be no such thread */
  start(plan: LaunchPlan, instead: Instead): Promise<ChildHandle> {
    return this.lane(classOf(plan)).start(plan, instead);
  }

  /** Takes a plain start off the event loop; `undefined`: the thread is not there yet, but will be. */
  take(plan: LaunchPlan, instead: Instead): Promise<ChildHandle> | undefined {
    if (this.plain.ready) return this.plain.start(plan, instead);
    this.plain.prepare();
    return undefined;
  }

  cancel(plan: LaunchPlan): void {
    for (const lane of this.lanes.values()) lane.cancel(plan);
  }

  /** Ends the threads that there are. */
  async dispose(): Promise<void> {
    await Promise.all(Array.from(this.lanes.values(), (lane) => lane.dispose()));
  }

  private lane(kind: ThreadClass): Lane {
    const name = JSON.stringify(kind);
    let lane = this.lanes.get(name);
    if (lane === undefined) this.lanes.set(name, (lane = new Lane(kind, this.shared)));
    return lane;
  }
}

/** As few threads as there can be: what is asked for is what they differ in. */
const classOf = ({ privileged: { umask, noNewPrivs } }: LaunchPlan): ThreadClass => ({
  ownFiles: umask !== undefined,
  noNewPrivs: noNewPrivs === true,
});
