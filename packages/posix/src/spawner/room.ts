/** The room that a thread of Node's takes: V8 ends the process where there is too little, and nothing can catch that. */
import { readFileSync } from 'node:fs';

/** Bytes of address space for one thread: Node 20 to 26 take 630 to 970 MB, most of it reserved for code. */
const forThread = 2 ** 30;

/** Bytes that RLIMIT_AS leaves this process. */
function addressSpaceLeft(): number {
  let limits, status;
  try {
    limits = readFileSync('/proc/self/limits', 'latin1');
    status = readFileSync('/proc/self/status', 'latin1');
  } catch {
    return Infinity; // There is no /proc, or no descriptor, without which there will be no thread either.
  }
  const limit = /^Max address space +(\d+)/m.exec(limits)?.[1] ?? Infinity;
  const taken = /^VmSize:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0;
  return Number(limit) - Number(taken) * 1024;
}

/**
 * Why there is no room for one more.
 *
 * @param coming threads that are being made, and may not have taken theirs yet
 */
export function lackOfRoom(coming: number): string | undefined {
  if (addressSpaceLeft() >= (coming + 1) * forThread) return undefined;
  return 'the limit of address space leaves too little for a thread';
}
