/** What this process has used, before it is the program. */
import type { Libc } from '../libc';
import { LINUX } from '../linux';
import { RUSAGE, SIZE } from '../struct';
import type { Baseline } from './protocol';

export function readBaseline(libc: Libc): Baseline {
  const usage = Buffer.alloc(SIZE.rusage);
  libc.getrusage(LINUX.RUSAGE_SELF, usage);
  const word = (offset: number): number => usage.readUInt32LE(offset);
  return {
    userMs: word(RUSAGE.userSeconds) * 1000 + word(RUSAGE.userMicroseconds) / 1000,
    systemMs: word(RUSAGE.systemSeconds) * 1000 + word(RUSAGE.systemMicroseconds) / 1000,
    maxRssKiB: word(RUSAGE.maxRss),
    voluntaryContextSwitches: word(RUSAGE.voluntaryContextSwitches),
    involuntaryContextSwitches: word(RUSAGE.involuntaryContextSwitches),
  };
}
