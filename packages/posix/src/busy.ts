/** The program's file was open for writing in another process: mostly in a fork of another thread, which lasts microseconds. */
import { realTime } from '@vircommand/core/backend';
import { errno } from './errno';
import type { Libc } from './libc';

const busyMs = 50;
/** On a machine that is so busy that the time is over at once, it may still come free. */
const leastTries = 5;

/** Calls `posix_spawn`, and again while it says that the file is busy; its result. */
export function spawnPatiently(libc: Pick<Libc, 'poll'>, spawn: () => number): number {
  let until: number | undefined;
  for (let tries = 1; ; tries++) {
    const result = spawn();
    if (result !== errno.ETXTBSY) return result;
    const now = realTime.now();
    until ??= now + busyMs;
    if (now >= until && tries > leastTries) return result;
    libc.poll(null, 0, 1);
  }
}
