/** Memory that the host of a virtual machine has to give first is not what a case asks about. */
import { spawnSync } from 'node:child_process';
import { NotHere } from './case';
import { compile } from './compile';

/** So many MiB are there when the rounds begin, or half of what is free. Where nothing can be compiled it stays as it is. */
export function touchMemory(mebibytes: number): void {
  const free = Math.floor(process.availableMemory() / 2 ** 21);
  try {
    spawnSync(compile('touch.c'), [String(Math.min(mebibytes, free))]);
  } catch (error) {
    if (!(error instanceof NotHere)) throw error;
  }
}
