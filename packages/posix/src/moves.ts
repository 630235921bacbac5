/** The descriptors that a plan gives to its program, by their numbers here and there. */
import type { LaunchPlan } from '@vircommand/core/backend';
import type { DescriptorSet } from './descriptor-set';
import type { Move } from './descriptors';
import { errno } from './errno';
import { actionError } from './file-actions';
import type { Libc } from './libc';
import { LINUX } from './linux';
import { SIZE } from './struct';

interface ProgramMoves {
  /** What becomes 0, 1 and 2. */
  readonly stdio: [number, number, number];
  readonly others: readonly Move[];
}

/**
 * Of a plan whose descriptors are prepared. File actions take numbers below the soft limit only, which may have been
 * lowered below what is open.
 *
 * @throws CommandStartError, stage `stdio`
 */
export function programMoves(libc: Libc, plan: LaunchPlan, descriptors: DescriptorSet): ProgramMoves {
  const limit = softLimit(libc);
  const below = (fd: number): number => (fd < limit ? fd : descriptors.duplicate(fd));
  const others: Move[] = plan.passFds.map(({ fd, as }) => ({ source: below(fd), target: as }));
  plan.sendBuffers.forEach((target, index) => others.push({ source: descriptors.sendEnds[index] ?? -1, target }));
  for (const { target } of others) {
    if (!Number.isInteger(target) || target < 3 || target >= limit) throw actionError(errno.EBADF, target);
  }
  const [stdin, stdout, stderr] = descriptors.stdio;
  return { stdio: [below(stdin), below(stdout), below(stderr)], others };
}

/** Of RLIMIT_NOFILE. */
export function softLimit(libc: Libc): number {
  const limit = Buffer.allocUnsafeSlow(SIZE.rlimit);
  if (libc.getrlimit(LINUX.RLIMIT_NOFILE, limit) < 0) return Infinity;
  return Number(limit.readBigUInt64LE(0));
}
