/**
 * 0, 1 and 2 of this process while libuv makes descriptors: where one of them is closed, the next pipe or socket gets its
 * number, and libuv ends the process when it closes a handle below 3.
 */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { startError } from '@vircommand/core/backend';
import { isOpen } from './start-error';

/** A start with merged output lasts some turns, and others may begin and end meanwhile. */
let holders = 0;
const held: number[] = [];

function release(): void {
  if (--holders === 0) for (const fd of held.splice(0)) closeSync(fd);
}

/**
 * To be called after {@link checkOpen}, for which what is closed is closed.
 *
 * @returns what gives the numbers back
 * @throws CommandStartError, stage `stdio`
 */
export function holdStandardNumbers(): () => void {
  holders++;
  if (process.platform === 'win32') return release;
  try {
    // The lowest that is free.
    for (const number of [0, 1, 2]) if (!isOpen(number)) held.push(openSync(devNull, 'r'));
  } catch (error) {
    release();
    throw startError('stdio', error as NodeJS.ErrnoException, devNull);
  }
  return release;
}
