/** Descriptors that a caller gave away with `closeInParent`: each is closed once, when its run is past its start. */
import { closeSync } from 'node:fs';
import { fdNumber, type PassedFd } from './spec';
import type { Fd } from './types';

/** Of all commands: no two have the same entry for one that is to be closed. */
const closed = new WeakSet<PassedFd>();

/** Whether some of these were closed by a run before. */
export function isSpent(fds: readonly PassedFd[]): boolean {
  return fds.length > 0 && fds.some((passed) => closed.has(passed));
}

/** Closes those that are to be closed and are not yet. */
export function closeOwned(fds: readonly PassedFd[]): void {
  if (fds.length === 0) return;
  const ours = fds.filter((passed) => passed.closeInParent && !closed.has(passed));
  // A number that was passed twice is closed once: after the first close, other code may have it.
  const numbers = new Set<number>();
  for (const passed of ours) {
    closed.add(passed);
    const number = fdNumber(passed.fd);
    if (!numbers.has(number)) closeFd(passed.fd);
    numbers.add(number);
  }
}

/** That it is closed already is no error. */
function closeFd(fd: Fd): void {
  try {
    // A FileHandle must close itself, or it would close the number a second time when it is collected.
    if (typeof fd === 'object' && 'close' in fd && typeof fd.close === 'function') {
      const close = fd.close as () => unknown;
      Promise.resolve(close.call(fd)).catch(() => undefined);
    } else closeSync(fdNumber(fd));
  } catch {
    // EBADF
  }
}
