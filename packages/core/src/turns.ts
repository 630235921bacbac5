/**
 * Turns of the event loop, in which it tells of what has happened already. As they were when this package was loaded: what is
 * in the pipes is no matter of time, which a test may fake by now.
 */
import { setImmediate } from 'node:timers';

/** The next turn has come. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** By then the loop has told of all that had happened before the call. */
export function afterTwoTurns(callback: () => void): void {
  setImmediate(() => setImmediate(callback));
}
