/** Where we are between a program and our own streams, because somebody has to see what goes through. */
import type { RunningCommand } from '@vircommand/core';
import { copyIn } from './copy-in';
import { copyOut, type Copy } from './copy-out';

/** What is being copied. */
export interface Copies extends Disposable {
  readonly outputs: readonly Copy[];
  /** All of them are done. */
  readonly done: Promise<unknown>;
  /** One of them has had more than it may, which ends the others too. */
  readonly exceeded: Promise<void>;
}

/** Hands everything through, and ends the program when it writes more than `limit` bytes to one stream. */
export function copyAll(running: RunningCommand, limit: number | undefined): Copies {
  let tell = (): void => undefined;
  const exceeded = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const onExceeded = (): void => {
    tell();
    void running.abort();
  };
  const sources = [running.stdout, running.stderr];
  const outputs = sources.flatMap((stream, index) =>
    stream === undefined ? [] : [copyOut(stream, index + 1, { limit, exceeded: onExceeded })],
  );
  const input = running.stdin === undefined ? undefined : copyIn(0, running.stdin);
  return {
    outputs,
    done: Promise.all(outputs.map(({ done }) => done)),
    exceeded,
    [Symbol.dispose]() {
      input?.[Symbol.dispose]();
      // What came from the program may hold them still, and is not read any more.
      for (const source of sources) source?.destroy();
    },
  };
}
