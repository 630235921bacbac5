/** What a spawner thread and the gatekeeper wait for, in memory that both have: where the start that is held is. */
import type { MessagePort } from 'node:worker_threads';

/** The states of a start that is held. */
export const HOLD = {
  /** The gatekeeper does not know of it yet. */
  asked: 0,
  /** The gate is closed, and the program may come. */
  closed: 1,
  /** `posix_spawn` has returned. */
  returned: 2,
  /** The gatekeeper has said what became of it. */
  over: 3,
  /** One of the two is gone. */
  broken: 4,
} as const;
type State = (typeof HOLD)[keyof typeof HOLD];

/** What connects the two. */
export interface GateLink {
  readonly port: MessagePort;
  /** The state, and whether one of the two is gone for good. */
  readonly words: Int32Array;
}

export const makeWords = (): Int32Array => new Int32Array(new SharedArrayBuffer(8));

/** Called by the ordering thread when the spawner or the gatekeeper died, so that the other stops waiting. */
export function breakLink(words: Int32Array): void {
  Atomics.store(words, 1, 1);
  // Whoever set a state before that sees this one; whoever sets one later looks at the other word.
  Atomics.store(words, 0, HOLD.broken);
  Atomics.notify(words, 0);
}

export function enter(words: Int32Array, state: State): void {
  Atomics.store(words, 0, state);
  Atomics.notify(words, 0);
}

/** Blocks until the state is another one; what it is then. `ms`: not longer. */
export function waitWhile(words: Int32Array, state: State, ms = Infinity): number {
  for (;;) {
    if (Atomics.load(words, 1) === 1) return HOLD.broken;
    const now = Atomics.load(words, 0);
    if (now !== state) return now;
    if (Atomics.wait(words, 0, state, ms) === 'timed-out') return state;
  }
}
