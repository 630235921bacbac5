/** Time that passes when a test says so. */
import type { Clock } from '@vircommand/core/backend';

/** Lets everything happen that needs no time: promises, streams, and what waits for a turn of the loop. */
export async function turns(count = 6): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

export class VirtualClock implements Clock {
  private time = 1000;
  private readonly timers = new Set<Timer>();

  now(): number {
    return this.time;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { due: this.time + ms, callback };
    this.timers.add(timer);
    return () => {
      this.timers.delete(timer);
    };
  }

  /** Timers that are set: none may be left of a run that is over. */
  get pending(): number {
    return this.timers.size;
  }

  /** What is due in the next `ms` milliseconds happens in its order, and all that it leads to. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    await turns();
    for (;;) {
      const next = Array.from(this.timers)
        .sort((a, b) => a.due - b.due)
        .find(({ due }) => due <= end);
      if (next === undefined) break;
      this.timers.delete(next);
      this.time = Math.max(this.time, next.due);
      next.callback();
      await turns();
    }
    this.time = end;
  }
}
