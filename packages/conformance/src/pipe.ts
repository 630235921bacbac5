/** A pipe with nothing but Node and mkfifo(1): a named pipe, opened at both ends and unlinked. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';

/** Both ends block, as those of pipe(2) do. */
export function openPipe(): { readonly read: number; readonly write: number } {
  const directory = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  const fifo = path.join(directory, 'pipe');
  let both: number | undefined;
  try {
    execFileSync('mkfifo', [fifo], { stdio: 'ignore' });
    // While somebody has both ends, opening one of them does not wait for the other.
    both = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    const read = openSync(fifo, 'r');
    const write = openSync(fifo, 'w');
    return { read, write };
  } finally {
    if (both !== undefined) closeSync(both);
    rmSync(directory, { recursive: true });
  }
}
