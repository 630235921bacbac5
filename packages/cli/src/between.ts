/** Where we are between a program and our own streams, because somebody has to see what goes through. */
import type { RunningCommand } from '@vircommand/core';
import { copyIn } from './copy-in';
import { copyOut, type Copy } from './copy-out';

/** What is being copied. */
export interface Copies extends Disposable {
  readonly outputs: readonly Copy[];
}

/** Hands everything through, and ends the program when it writes more than `limit` bytes to one stream. */
export function copyAll(running: RunningCommand, limit: number | undefined): Copies {
  const exceeded = (): void => void running.abort();
  const outputs = [running.stdout, running.stderr].flatMap((stream, index) =>
    stream === undefined ? [] : [copyOut(stream, index + 1, { limit, exceeded })],
  );
  const input = running.stdin === undefined ? undefined : copyIn(0, running.stdin);
  return {
    outputs,
    [Symbol.dispose]() {
      input?.[Symbol.dispose]();
    },
  };
}
