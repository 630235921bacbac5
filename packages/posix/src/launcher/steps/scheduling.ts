/** Niceness and processors: both belong to the thread that calls, which is the one that becomes the program. */
import { startError, type LaunchPlan } from '@vircommand/core/backend';
import { errno, systemError } from '../../errno';
import type { Libc } from '../../libc';
import { LINUX } from '../../linux';

/** Of the largest set of processors that Linux can be built for, 8,192. */
const maskBytes = 1024;

type Calls = Pick<Libc, 'setpriority' | 'sched_setaffinity' | 'sched_getaffinity'>;

/** @throws CommandStartError, stage `limits` */
export function setScheduling(libc: Calls, { privileged }: Pick<LaunchPlan, 'privileged'>): void {
  if (privileged.nice !== undefined) setNice(libc, privileged.nice);
  if (privileged.affinity !== undefined) setAffinity(libc, privileged.affinity);
}

function setNice(libc: Calls, nice: number): void {
  const result = libc.setpriority(LINUX.PRIO_PROCESS, 0, nice);
  if (result >= 0) return;
  const why = result === -errno.EACCES ? `niceness ${nice} is less than now: that needs CAP_SYS_NICE` : undefined;
  throw startError('limits', systemError(-result, 'setpriority', undefined, why));
}

function setAffinity(libc: Calls, processors: readonly number[]): void {
  const mask = Buffer.alloc(maskBytes);
  for (const number of processors) mask[number >> 3] = (mask[number >> 3] ?? 0) | (1 << (number & 7));
  const why = `processors ${processors.join(', ')}`;
  const result = libc.sched_setaffinity(0, maskBytes, mask);
  if (result < 0) throw startError('limits', systemError(-result, 'sched_setaffinity', undefined, why));

  // The kernel takes those that there are and that this process may use, and leaves out the others in silence.
  const got = Buffer.alloc(maskBytes);
  const seen = libc.sched_getaffinity(0, maskBytes, got);
  if (seen < 0) throw startError('limits', systemError(-seen, 'sched_getaffinity', undefined, why));
  if (got.equals(mask)) return;
  const missing = processors.filter((number) => ((got[number >> 3] ?? 0) & (1 << (number & 7))) === 0);
  const gone = missing.length === 0 ? why : `not there, or not for this process: ${missing.join(', ')}`;
  throw startError('limits', systemError(errno.EINVAL, 'sched_setaffinity', undefined, gone));
}
