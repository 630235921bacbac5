/** Turns of the event loop, in which it tells of what has happened already: what is in the pipes is no matter of a faked time. */
import { realTime } from './real-time';

/** The next turn has come. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => realTime.setImmediate(resolve));

/** By then the loop has told of all that had happened before the call. */
export function afterTwoTurns(callback: () => void): void {
  realTime.setImmediate(() => realTime.setImmediate(callback));
}
