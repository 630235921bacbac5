/** The clock that deadlines run on. It comes from the backend in force, so a mock's time can be virtual. */
import type { Backend } from './contract';
import { member } from './plain';
import { longestTimer, milliseconds } from './real-time';

/** Where core takes its time from. Backends leave it out; mocks bring their own. */
export interface Clock {
  /** Milliseconds, monotonic, from an arbitrary origin. */
  now(): number;
  /** Calls `callback` once after `ms` milliseconds; the returned function cancels it and may be called at any time. */
  after(ms: number, callback: () => void): () => void;
}

/** Asked of `process` each time, so that a test which fakes the time fakes deadlines too. */
const now = (): number => milliseconds(process.hrtime());

/** The real clock. */
export const systemClock: Clock = {
  now,
  after(ms, callback) {
    // A longer delay is waited for in slices.
    const end = now() + ms;
    let timer: NodeJS.Timeout;
    const arm = (left: number): void => {
      timer = setTimeout(
        () => {
          const rest = end - now();
          if (ms > longestTimer && rest > 1) arm(rest);
          else callback();
        },
        Math.min(left, longestTimer),
      );
    };
    arm(ms);
    return () => {
      clearTimeout(timer);
    };
  },
};

/** The clock of a backend that has one. */
export const clockOf = (backend: Pick<Backend, 'clock'>): Clock =>
  (member(backend, 'clock') === undefined ? undefined : backend.clock) ?? systemClock;
