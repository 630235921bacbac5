/** Backends that are broken on purpose: a good one, and one thing that it does wrong. */
import type { Backend, ChildHandle, LaunchPlan, SyncOutcome, SyncRequest } from '@vircommand/core/backend';

export interface Mutant {
  /** What is wrong with it. */
  readonly does: string;
  /** The case that is meant to catch it. */
  readonly caughtBy: string;
  /** It hangs: how long to let it, in milliseconds. */
  readonly bound?: number;
  /** Without this program, this user, or core dumps, the case checks nothing. */
  readonly needs?: 'setpriv' | 'root' | 'coreDumps';
  /** Called for each backend that is made. */
  readonly break: (good: Backend) => Backend;
  /** Takes away what it left. */
  readonly cleanUp?: () => void;
}

/** For those that hang. The case itself needs a few milliseconds. */
export const hangs = 1500;

type StartSync = (plan: LaunchPlan, request: SyncRequest) => SyncOutcome;

/** The synchronous half of a backend that has one. */
export function startSync(good: Backend, plan: LaunchPlan, request: SyncRequest): SyncOutcome {
  if (good.startAndWaitSync === undefined) throw new TypeError('the good backend has no synchronous half');
  return good.startAndWaitSync(plan, request);
}

/** Does something else than what the plan says, both ways. */
export const withPlan =
  (change: (plan: LaunchPlan) => LaunchPlan) =>
  (good: Backend): Backend => ({
    ...good,
    start: (plan) => good.start(change(plan)),
    startAndWaitSync: (plan, request) => startSync(good, change(plan), request),
  });

/** Starts in another way. */
export const withStart =
  (start: (good: Backend, plan: LaunchPlan) => Promise<ChildHandle>) =>
  (good: Backend): Backend => ({ ...good, start: (plan) => start(good, plan) });

/** Handles a program wrongly that was started rightly. */
export const withHandle =
  (change: (handle: ChildHandle, plan: LaunchPlan) => Partial<ChildHandle>) =>
  (good: Backend): Backend => ({
    ...good,
    async start(plan) {
      const handle = await good.start(plan);
      // Getters stay what they are.
      return Object.defineProperties({ ...handle }, Object.getOwnPropertyDescriptors(change(handle, plan)));
    },
  });

/** Blocks wrongly. */
export const withSync =
  (startAndWaitSync: (good: StartSync, plan: LaunchPlan, request: SyncRequest) => SyncOutcome) =>
  (good: Backend): Backend => ({
    ...good,
    startAndWaitSync: (plan, request) => startAndWaitSync((p, r) => startSync(good, p, r), plan, request),
  });

/** Says that it can do something that it cannot. */
export const declaring =
  (...more: Backend['features']) =>
  (good: Backend): Backend => ({ ...good, features: Object.freeze([...good.features, ...more]) });

/** Both, one after the other. */
export const both =
  (first: Mutant['break'], second: Mutant['break']): Mutant['break'] =>
  (good) =>
    second(first(good));
