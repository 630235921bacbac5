/** What runs may not leave behind: processes, zombies, descriptors, listeners. */
import { readdirSync, readFileSync } from 'node:fs';
import { repeat } from './crowd';
import { variable } from './one-run';

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return ''; // It ended meanwhile, or belongs to another user.
  }
}

/** Every process that was started with the mark, and our zombies; and how to repeat the run. */
export function processesLeft(mark: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    const stat = read(`/proc/${pid}/stat`);
    const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(parent) === process.pid && state === 'Z') return [`${pid} is a zombie`];
    const begin = `${variable}=${mark} `;
    const own = read(`/proc/${pid}/environ`)
      .split('\0')
      .find((entry) => entry.startsWith(begin));
    if (own === undefined) return [];
    const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
    return [`${pid} is left, in state ${state}: ${command}(${repeat(own.slice(begin.length))})`];
  });
}

export const descriptors = (): number => readdirSync('/proc/self/fd').length;

export const listeners = (): number => process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);

/** Waits for a condition, not for a time; what is still there after a while. */
export async function settledTo<T>(look: () => T, good: (seen: T) => boolean): Promise<T> {
  let seen = look();
  for (let tries = 0; tries < 250 && !good(seen); tries++) {
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    seen = look();
  }
  return seen;
}
