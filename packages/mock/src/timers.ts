/** Timers by due time, then by the order in which they were set: the axis that virtual time runs along. */

interface Timer {
  readonly due: number;
  readonly order: number;
  /** `undefined`: cancelled or called. */
  callback: (() => void) | undefined;
}

const before = (a: Timer, b: Timer): boolean => a.due < b.due || (a.due === b.due && a.order < b.order);

/** A binary heap; cancelled timers stay until they come up, or until they are most of it. */
export class TimerQueue {
  private heap: Timer[] = [];
  private order = 0;
  /** Timers that were neither called nor cancelled. */
  size = 0;

  /** The returned function cancels and may be called at any time. */
  add(due: number, callback: () => void): () => void {
    const timer: Timer = { due, order: this.order++, callback };
    this.push(timer);
    this.size++;
    return () => {
      if (timer.callback === undefined) return;
      timer.callback = undefined;
      this.size--;
      if (this.size === 0) this.heap = [];
      else if (this.heap.length > 64 && this.size * 2 < this.heap.length) this.compact();
    };
  }

  /** Takes the next timer out. */
  take(): { readonly due: number; readonly callback: () => void } | undefined {
    while (this.heap.length > 0) {
      const timer = this.pop();
      const callback = timer?.callback;
      if (timer === undefined || callback === undefined) continue;
      timer.callback = undefined;
      this.size--;
      return { due: timer.due, callback };
    }
    return undefined;
  }

  private compact(): void {
    const live = this.heap.filter((timer) => timer.callback !== undefined);
    this.heap = [];
    for (const timer of live) this.push(timer);
  }

  private push(timer: Timer): void {
    const { heap } = this;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || before(parent, timer)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = timer;
  }

  private pop(): Timer | undefined {
    const { heap } = this;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      const left = heap[below];
      if (left === undefined) break;
      const right = heap[below + 1];
      const least = right !== undefined && before(right, left) ? right : left;
      if (least === right) below++;
      if (before(last, least)) break;
      heap[at] = least;
      at = below;
    }
    heap[at] = last;
    return top;
  }
}
