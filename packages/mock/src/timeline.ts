/**
 * The time that fake programs live in, which is also core's time for their deadlines. Real time, or the stepped time of
 * one synchronous run; virtual time has a file of its own.
 */
import { realTime, systemClock, type Clock } from '@vircommand/core/backend';
import { TimerQueue } from './timers';

/** A clock, and what a fake program needs besides. */
export interface Timeline extends Clock {
  /** Calls back when the code that runs now has finished its turn, and before any time passes. */
  soon(callback: () => void): void;
  /** Something happened, so time must not pass before its consequences are over. */
  touch(): void;
  /** The thread was blocked for so many milliseconds, by a program that was waited for synchronously. */
  block(ms: number): void;
  /**
   * Calls back when no time is left to pass and nobody has done anything for a while; never where time does not wait for
   * anybody. The returned function cancels.
   */
  idle(callback: () => void): () => void;
}

const never = (): (() => void) => () => undefined;

/** Calls all that is waiting in one turn of the event loop. */
export class Turns {
  private waiting: (() => void)[] = [];

  add(callback: () => void): void {
    if (this.waiting.push(callback) === 1) realTime.nextTurn(this.run);
  }

  private readonly run = (): void => {
    const { waiting } = this;
    this.waiting = [];
    let at = 0;
    try {
      while (at < waiting.length) waiting[at++]?.();
    } finally {
      // One that throws must not stop the others.
      for (const callback of waiting.slice(at)) this.add(callback);
    }
  };
}

/** Time as it passes. */
export class RealTime implements Timeline {
  private readonly turns = new Turns();
  readonly idle = never;

  now(): number {
    return systemClock.now();
  }

  after(ms: number, callback: () => void): () => void {
    return systemClock.after(ms, callback);
  }

  soon(callback: () => void): void {
    this.turns.add(callback);
  }

  touch(): void {
    // Real time waits for nobody.
  }

  block(ms: number): void {
    if (ms > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  }
}

/** Time that passes only when it is told to: the inside of a synchronous run. */
export class SteppedTime implements Timeline {
  private time = 0;
  private readonly timers = new TimerQueue();
  readonly idle = never;

  now(): number {
    return this.time;
  }

  after(ms: number, callback: () => void): () => void {
    return this.timers.add(this.time + Math.max(0, ms), callback);
  }

  soon(callback: () => void): void {
    this.timers.add(this.time, callback);
  }

  touch(): void {
    // Only step() makes time pass.
  }

  block(ms: number): void {
    this.time += ms;
  }

  /** Goes to the next timer; `false`: nothing will ever happen. */
  step(): boolean {
    const next = this.timers.take();
    if (next === undefined) return false;
    this.time = Math.max(this.time, next.due);
    next.callback();
    return true;
  }
}
