/** What starts programs and waits for them, in one place, since it is loaded only when one is started. */
import {
  logLine,
  type ChildHandle,
  type LaunchPlan,
  type SyncOutcome,
  type SyncRequest,
} from '@vircommand/core/backend';
import { ChildSignal } from './child-signal';
import { checkCallersDescriptors } from './descriptor-set';
import { runDirectly, startDirectly } from './direct';
import type { Way } from './features';
import { loadSpawner } from './later';
import { cancelLaunch, launch } from './launcher/start';
import { launchAndWaitSync } from './launcher/sync';
import type { Libc } from './libc';
import { Moments, withUmaskOf, type Moment } from './moment';
import { Pace } from './pace';
import type { SpawnerThreads } from './spawner/client';
import { canDo, wayFor } from './ways';

interface Starter {
  start(plan: LaunchPlan, libc: Libc, moment?: Moment): ChildHandle | Promise<ChildHandle>;
  startAndWaitSync(plan: LaunchPlan, request: SyncRequest, libc: Libc): SyncOutcome;
}

/** How the ways start that need nothing but the calling thread. */
const starters = {
  direct: { start: startDirectly, startAndWaitSync: runDirectly },
  launcher: { start: launch, startAndWaitSync: launchAndWaitSync },
} as const satisfies Partial<Record<Way, Starter>>;
type OwnWay = keyof typeof starters;
const ownWays = Object.keys(starters) as OwnWay[];

/** All starts of one backend. */
export class Engine {
  private readonly ownWays: readonly OwnWay[];
  private readonly pace = new Pace();
  private readonly childSignal: ChildSignal;
  private readonly moments: Moments;
  private threads: SpawnerThreads | undefined;

  /** @param ways those that may be taken, the cheapest first */
  constructor(
    private readonly libc: Libc,
    private readonly ways: readonly Way[],
  ) {
    this.ownWays = ownWays.filter((way) => ways.includes(way));
    this.moments = new Moments(libc);
    this.childSignal = new ChildSignal(libc);
  }

  async start(plan: LaunchPlan): Promise<ChildHandle> {
    const way = wayFor(plan, this.ways);
    checkCallersDescriptors(plan, this.libc);
    this.childSignal.keepStatuses();
    // A worker may be terminated at any moment, and koffi aborts the process if it is loading in a thread below it then.
    const allowed = this.libc.isMainThread || this.ownWays.length === 0;
    const byThread = allowed && this.ways.includes('thread') && canDo('thread', plan);
    if (byThread && (way === 'thread' || (way === 'direct' && this.threads?.busy === true))) {
      const moment = this.moments.take(plan);
      if (moment === undefined) return this.starter(plan).start(plan, this.libc);
      return this.moments.during(moment, () => this.spawner.start(plan, moment, this.without(plan, moment)));
    }
    return this.paced(plan, byThread);
  }

  cancel(plan: LaunchPlan): void {
    this.pace.cancel(plan);
    cancelLaunch(plan);
    this.threads?.cancel(plan);
  }

  async dispose(): Promise<void> {
    await this.threads?.dispose();
  }

  startAndWaitSync(plan: LaunchPlan, request: SyncRequest): SyncOutcome {
    const way = wayFor(plan, this.ownWays);
    this.childSignal.keepStatuses();
    return starters[way].startAndWaitSync(plan, request, this.libc);
  }

  private starter(plan: LaunchPlan): Starter {
    return starters[wayFor(plan, this.ownWays)];
  }

  private get spawner(): SpawnerThreads {
    return (this.threads ??= new (loadSpawner().SpawnerThreads)(this.libc));
  }

  private paced(plan: LaunchPlan, byThread: boolean): ChildHandle | Promise<ChildHandle> {
    const { libc } = this;
    return this.pace.take(
      plan,
      () => this.starter(plan).start(plan, libc),
      () => {
        const moment = this.moments.take(plan);
        if (moment === undefined) return undefined;
        return {
          start: () => this.moments.during(moment, () => this.startLate(plan, moment)),
          elsewhere: () => {
            const taken = byThread ? this.spawner.take(plan, moment, this.without(plan, moment)) : undefined;
            return taken && this.moments.during(moment, () => taken);
          },
          drop: () => {
            this.moments.release(moment);
          },
        };
      },
    );
  }

  private startLate(plan: LaunchPlan, moment: Moment): ChildHandle | Promise<ChildHandle> {
    const asked = withUmaskOf(plan, moment);
    return this.starter(asked).start(asked, this.libc, moment);
  }

  /** What is done where there can be no spawner thread. */
  private without(plan: LaunchPlan, moment: Moment): (why: string) => ChildHandle | Promise<ChildHandle> {
    return (why) => {
      logLine('%s: not by a spawner thread: %s', plan.text, why);
      const start = (): ChildHandle | Promise<ChildHandle> => this.startLate(plan, moment);
      return this.pace.take(plan, start, () => ({ start }));
    };
  }
}
