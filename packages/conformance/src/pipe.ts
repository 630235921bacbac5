/** Pipes with nothing but Node and a shell's tools. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';

/** Makes a named pipe, and opens it so that whoever opens an end of it waits for nobody. */
export function openFifo(fifo: string): number {
  execFileSync('mkfifo', [fifo], { stdio: 'ignore' });
  return openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
}

/** A named pipe, opened at both ends and unlinked. Both block, as those of pipe(2) do. */
export function openPipe(): { readonly read: number; readonly write: number } {
  const directory = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  const fifo = path.join(directory, 'pipe');
  let both: number | undefined;
  try {
    both = openFifo(fifo);
    const read = openSync(fifo, 'r');
    const write = openSync(fifo, 'w');
    return { read, write };
  } finally {
    if (both !== undefined) closeSync(both);
    rmSync(directory, { recursive: true });
  }
}

/** A pipe without a name, as pipe(2) makes it (Linux): what a shell has given to a program, which is ended then. */
export function openUnnamedPipe(): { readonly read: number; readonly write: number } {
  const script = 'exec 3>&1; : | { exec 4<&0; sleep 60 <&4 >&2 3>&- 4<&- & echo $! >&3; }';
  const pid = Number(execFileSync('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'], encoding: 'latin1' }));
  try {
    const end = `/proc/${pid}/fd/0`;
    return { read: openSync(end, 'r'), write: openSync(end, 'w') };
  } finally {
    process.kill(pid, 'SIGKILL');
  }
}
