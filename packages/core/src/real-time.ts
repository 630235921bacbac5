/**
 * Timers, turns and the clock that no test fakes: not one that begins to after this package was loaded, which a backend may be
 * with the first start, and not one that did before. Programs must start, end and be reaped all the same.
 */
import * as timers from 'node:timers';

// Taken out of it, since what is asked of the module later is the fake.
const { clearTimeout, setImmediate, setTimeout } = timers;
const { scheduler } = timers.promises;

/** In milliseconds. Node truncates longer timers to 1 ms. */
export const longestTimer = 2 ** 31 - 1;

export const milliseconds = ([seconds, nanoseconds]: [number, number]): number => seconds * 1000 + nanoseconds / 1e6;

/** A fake has the promise of another fake, or none. */
const isReal = (timer: 'setImmediate' | 'setTimeout'): boolean =>
  Reflect.get(timers[timer], Symbol.for('nodejs.util.promisify.custom')) === timers.promises[timer];

/** Milliseconds, monotonic. Clocks are faked, too; nobody fakes how long the process runs. */
const now = (): number => process.uptime() * 1000;

interface TimerOptions {
  /** Whether it keeps the process alive; default: yes. Fakes leave no way to say no. */
  readonly ref?: boolean;
}

type After = (ms: number, callback: () => void, options?: TimerOptions) => () => void;

const afterTimer: After = (ms, callback, { ref = true } = {}) => {
  const timer = setTimeout(callback, Math.min(ms, longestTimer));
  if (!ref) timer.unref();
  return () => {
    clearTimeout(timer);
  };
};

/** In milliseconds. A cancelled timer keeps the process alive for no longer than this. */
const slice = 10;

/** Most libraries that fake timers leave `scheduler` real, and all of them leave its `yield()` real. */
const afterSlices: After = (ms, callback) => {
  const end = now() + ms;
  let wanted = true;
  const wait = (): void => {
    const left = Math.min(end - now(), slice);
    void (Object.hasOwn(scheduler, 'wait') ? scheduler.yield() : scheduler.wait(left)).then(look);
  };
  const look = (): void => {
    if (!wanted) return;
    if (now() < end) wait();
    else callback();
  };
  wait();
  return () => {
    wanted = false;
  };
};

/** Calls back in the next turn of the event loop. */
const nextTurn: (callback: () => void) => void = isReal('setImmediate')
  ? (callback) => void setImmediate(callback)
  : (callback) => void scheduler.yield().then(callback);

/** Real time, even where a test fakes time or a mock's time is virtual. The caller's deadlines use the {@link Clock} of the backend. */
export const realTime = {
  now,
  nextTurn,
  /** After two turns the event loop has reported everything that had happened before the call. */
  afterTwoTurns: (callback: () => void): void => {
    nextTurn(() => {
      nextTurn(callback);
    });
  },
  /** Calls back after so many milliseconds, or as many as a timer can wait; the returned function cancels. */
  after: isReal('setTimeout') ? afterTimer : afterSlices,
};
