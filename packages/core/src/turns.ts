/** Turns of the event loop, in which it tells of what has happened already: what is in the pipes is no matter of a faked time. */
import * as timers from 'node:timers';

/** The next turn has come. Who fakes timers leaves this as it is, also where that is done before this package is loaded. */
export const nextTurn = (): Promise<void> => timers.promises.scheduler.yield();

/** By then the loop has told of all that had happened before the call. */
export function afterTwoTurns(callback: () => void): void {
  void nextTurn().then(nextTurn).then(callback);
}
