/** How long a call of poll(2) may wait that blocks this thread. */
import type { Libc } from './libc';

/** The largest `int`. */
const longest = 0x7fffffff;
/** A worker thread can be terminated between two waits only, in milliseconds. */
const workerSlice = 100;

/** Of milliseconds that are left, which may be Infinity, the timeout of the next call. */
export function pollTimeout({ isMainThread }: Libc, left: number): number {
  if (left === Infinity && isMainThread) return -1;
  return Math.min(Math.max(0, Math.ceil(left)), isMainThread ? longest : workerSlice);
}
