/** A 1 ms timer while something runs: how late it is, and how busy the event loop. Node, Bun and Deno run this. */
import { performance, type EventLoopUtilization } from 'node:perf_hooks';
import type { Figures } from '../case';

const interval = 1;

type Utilisation = (since?: EventLoopUtilization) => EventLoopUtilization;

/** `undefined`: a runtime that does not tell. */
function utilisation(since?: EventLoopUtilization): EventLoopUtilization | undefined {
  const { eventLoopUtilization } = performance as { readonly eventLoopUtilization?: Utilisation };
  return eventLoopUtilization?.(since);
}

export class Meter {
  private readonly gaps: number[] = [];
  private last = performance.now();
  private stopped = false;
  private readonly before = utilisation();
  private readonly turn = (): void => {
    const now = performance.now();
    this.gaps.push(now - this.last);
    this.last = now;
    // A timer and not setImmediate(), which would keep a processor busy.
    if (!this.stopped) setTimeout(this.turn, interval);
  };

  constructor() {
    setTimeout(this.turn, interval);
  }

  /** `longest`: between two turns of the timer. `late`: the 99th percentile of what is above its 1 ms. */
  stop(): Figures {
    this.turn();
    this.stopped = true;
    const gaps = this.gaps.sort((a, b) => a - b);
    const late = Math.max(0, (gaps[Math.ceil(gaps.length * 0.99) - 1] ?? 0) - interval);
    const longest = gaps.at(-1) ?? 0;
    // 0: a runtime that has the name only.
    const { utilization = 0 } = utilisation(this.before) ?? {};
    return utilization > 0 ? { longest, late, utilization } : { longest, late };
  }
}

/**
 * For how long a start holds the event loop: from the call to the next turn, with everything that the call has put off to the
 * end of this one.
 */
export async function blocked(start: () => PromiseLike<unknown>): Promise<Figures> {
  await new Promise((resolve) => setImmediate(resolve));
  const begun = performance.now();
  const ended = start();
  await new Promise((resolve) => setImmediate(resolve));
  const taken = performance.now() - begun;
  await ended;
  return { taken };
}
