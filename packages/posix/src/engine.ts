/** What starts programs and waits for them, in one place, since it is loaded only when one is started. */
import type { ChildHandle, LaunchPlan, SyncOutcome, SyncRequest } from '@vircommand/core/backend';
import { runDirectly, startDirectly } from './direct';
import type { Way } from './features';
import { launch } from './launcher/start';
import { launchAndWaitSync } from './launcher/sync';
import type { Libc } from './libc';
import { Pace } from './pace';

export { cancelLaunch } from './launcher/start';
export { wayFor } from './ways';

interface Starter {
  start(plan: LaunchPlan, libc: Libc): ChildHandle | Promise<ChildHandle>;
  startAndWaitSync(plan: LaunchPlan, request: SyncRequest, libc: Libc): SyncOutcome;
}

/** For the starts of one backend. */
export const newPace = (): Pace => new Pace();

/** How each way starts. */
export const starters: Readonly<Record<Way, Starter>> = {
  direct: { start: startDirectly, startAndWaitSync: runDirectly },
  launcher: { start: launch, startAndWaitSync: launchAndWaitSync },
};
