/** What starts programs and waits for them, in one place, since it is loaded only when one is started. */
import { debuglog } from 'node:util';
import type { ChildHandle, LaunchPlan, SyncOutcome, SyncRequest } from '@vircommand/core/backend';
import { runDirectly, startDirectly } from './direct';
import { checkCallersDescriptors } from './ends';
import type { Way } from './features';
import { cancelLaunch, launch } from './launcher/start';
import { launchAndWaitSync } from './launcher/sync';
import type { Libc } from './libc';
import { Pace } from './pace';
import { SpawnerThreads } from './spawner/client';
import { canDo, wayFor } from './ways';

const log = debuglog('vircommand');

interface Starter {
  start(plan: LaunchPlan, libc: Libc): ChildHandle | Promise<ChildHandle>;
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
  private threads: SpawnerThreads | undefined;

  /** @param ways those that may be taken, the cheapest first */
  constructor(
    private readonly libc: Libc,
    private readonly ways: readonly Way[],
  ) {
    this.ownWays = ownWays.filter((way) => ways.includes(way));
  }

  async start(plan: LaunchPlan): Promise<ChildHandle> {
    const way = wayFor(plan, this.ways);
    checkCallersDescriptors(plan, this.libc);
    if (!this.ways.includes('thread') || !canDo('thread', plan)) return this.paced(plan, way);
    const threads = (this.threads ??= new SpawnerThreads(this.libc));
    const instead = (why: string): ChildHandle | Promise<ChildHandle> => this.startWithoutThread(plan, why);
    if (way === 'thread' || (way === 'direct' && threads.busy)) return threads.start(plan, instead);
    return this.paced(plan, way, () => threads.take(plan, instead));
  }

  cancel(plan: LaunchPlan): void {
    cancelLaunch(plan);
    this.threads?.cancel(plan);
  }

  async dispose(): Promise<void> {
    await this.threads?.dispose();
  }

  startAndWaitSync(plan: LaunchPlan, request: SyncRequest): SyncOutcome {
    const way = wayFor(plan, this.ownWays);
    return starters[way].startAndWaitSync(plan, request, this.libc);
  }

  private paced(plan: LaunchPlan, way: Way, elsewhere?: () => Promise<ChildHandle> | undefined): Promise<ChildHandle> {
    const starter: Starter = starters[way === 'thread' ? wayFor(plan, this.ownWays) : way];
    return this.pace.take(() => starter.start(plan, this.libc), elsewhere);
  }

  private startWithoutThread(plan: LaunchPlan, why: string): Promise<ChildHandle> {
    const way = wayFor(plan, this.ownWays);
    log('%s: by the way %s, since there can be no spawner thread: %s', plan.text, way, why);
    return this.paced(plan, way);
  }
}
