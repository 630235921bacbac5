/**
 * Room for the descriptors of a start. When `spawn()` fails for want of them, Node neither closes the handles of the pipes
 * that it made nor tells where they are: so it is not called then.
 */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { startError, type LaunchPlan } from '@vircommand/core/backend';

/** libuv learns through a pipe of its own whether exec succeeded. */
const always = 2;
/** What the event loop takes that `spawnSync()` makes; Node 20 leaves open what it had of it when it failed. */
export const loopOfItsOwn = 8;

/**
 * @param more that the start needs besides, in any case
 * @throws CommandStartError, stage `stdio`, if there are fewer than the start needs.
 */
export function checkRoom(plan: LaunchPlan, more = 0): void {
  if (process.platform === 'win32') return;
  const pipes = [plan.stdin, plan.stdout, plan.stderr].filter(({ type }) => type === 'pipe').length;
  if (pipes + more === 0) return;
  const taken: number[] = [];
  try {
    while (taken.length < always + 2 * pipes + more) taken.push(openSync(devNull, 'r'));
  } catch (error) {
    const { code, errno, message } = error as NodeJS.ErrnoException;
    // Anything else is for the start to find out.
    if (code === 'EMFILE' || code === 'ENFILE')
      throw startError('stdio', Object.assign(new Error(message), { code, errno }));
  } finally {
    for (const fd of taken) closeSync(fd);
  }
}
