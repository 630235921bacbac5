/** A program that has ended, and whose output somebody still holds when the deadline comes. */
import type { Run } from './installed';

/** It tells who holds its output. */
export const holding: readonly string[] = ['--', 'sh', '-c', 'sleep 1000 & echo $!; exit 3'];

/** Ends who has this number; whether there was somebody. No number would be 0, which is the group of this process. */
function end(told: string): boolean {
  const pid = Number(told);
  if (!(pid > 1)) return false;
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** A deadline that came before the program had ended shows nothing: that is tried again with more time. */
export async function heldUntil(run: (timeout: string) => Promise<Run>): Promise<Run> {
  for (let ms = 100; ms < 10_000; ms *= 4) {
    const seen = await run(`${ms}ms`);
    if (end(seen.stdout)) return seen;
  }
  throw new Error('nobody held the output when the deadline came');
}
