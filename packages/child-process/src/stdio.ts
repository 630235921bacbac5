/** The stdio array of a start: what Node makes of each of the program's descriptors. */
import type { Socket } from 'node:net';
import { startError, type LaunchPlan, type PlanStream } from '@vircommand/core/backend';
import type { OpenFiles } from './files';

/** Typed by what is used here; `spawnSync()` takes no sockets. */
export type Entry<Shared extends Socket | number> = 'ignore' | 'pipe' | number | Shared;

/** The descriptors of the caller that a plan hands on. */
export const givenFds = ({ stdin, stdout, stderr, passFds }: LaunchPlan): number[] => [
  ...[stdin, stdout, stderr].flatMap((stream) => (stream.type === 'fd' ? [stream.fd] : [])),
  ...passFds.map(({ fd }) => fd),
];

/** Node's array is as long as the highest number. */
const highestFd = 65_535;

/**
 * `null` is `'ignore'`: libuv opens `/dev/null` in the program, and our process needs no descriptor for it.
 * `shared`: what stdout and stderr both lead to, where the plan merges a pipe.
 */
export function stdioOf<Shared extends Socket | number>(
  plan: LaunchPlan,
  files: OpenFiles | undefined,
  shared: Shared | undefined,
): Entry<Shared>[] {
  const entry = (name: 'stdin' | 'stdout' | 'stderr'): Entry<Shared> => {
    const stream: PlanStream = plan[name];
    if (stream.type === 'pipe') return 'pipe';
    return files?.get(name) ?? (stream.type === 'fd' ? stream.fd : 'ignore');
  };
  const stdout = isMerged(plan) && shared !== undefined ? shared : entry('stdout');
  const stderr = plan.stderr.type === 'same-as-stdout' ? stdout : entry('stderr');
  const stdio = [entry('stdin'), stdout, stderr];
  for (const { fd, as } of plan.passFds) {
    if (as > highestFd) {
      throw startError('stdio', `descriptor ${as} is above ${highestFd}, the highest that this backend passes`);
    }
    // Holes stay as they are: libuv opens /dev/null for 0, 1 and 2 only.
    while (stdio.length <= as) stdio.push('ignore');
    stdio[as] = fd;
  }
  return stdio;
}

/** Whether stdout and stderr are to be one pipe, which Node's options cannot say. */
export const isMerged = (plan: LaunchPlan): boolean =>
  plan.stderr.type === 'same-as-stdout' && plan.stdout.type === 'pipe';
