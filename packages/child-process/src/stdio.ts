/** The stdio array of a start: what Node makes of each of the program's descriptors. */
import type { StdioOptions } from 'node:child_process';
import type { Socket } from 'node:net';
import type { LaunchPlan, PlanStream } from '@vircommand/core/backend';
import { startError } from '@vircommand/core/backend';
import type { OpenFiles } from './files';

type Entry = 'ignore' | 'pipe' | number | Socket;

/** Node's array is as long as the highest number, and each entry costs memory in the child before exec. */
const highestFd = 65_535;

function entry(stream: PlanStream, file: number | undefined): Entry {
  if (stream.type === 'fd') return stream.fd;
  if (stream.type === 'file') return file ?? 'ignore';
  return stream.type === 'pipe' ? 'pipe' : 'ignore';
}

/** `shared`: what stdout and stderr both lead to, where the plan merges a pipe. */
export function stdioOf(
  plan: LaunchPlan,
  files: OpenFiles | undefined,
  shared: Socket | number | undefined,
): StdioOptions {
  const stdout = shared ?? entry(plan.stdout, files?.get('stdout'));
  const stderr = plan.stderr.type === 'same-as-stdout' ? stdout : entry(plan.stderr, files?.get('stderr'));
  const stdio: Entry[] = [entry(plan.stdin, files?.get('stdin')), stdout, stderr];
  for (const { fd, as } of plan.passFds) {
    if (as > highestFd) throw startError('stdio', `descriptor ${as} is too high for node:child_process (${highestFd})`);
    // Holes stay closed: libuv opens /dev/null for 0, 1 and 2 only.
    while (stdio.length <= as) stdio.push('ignore');
    stdio[as] = fd;
  }
  return stdio;
}

/** Whether stdout and stderr are to be one pipe, which Node's options cannot say. */
export const isMerged = (plan: LaunchPlan): boolean =>
  plan.stderr.type === 'same-as-stdout' && plan.stdout.type === 'pipe';
