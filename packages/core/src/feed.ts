/** Writes the program's input. A program that does not read all of it is no error. */
import type { Writable } from 'node:stream';
import type { ChildHandle } from './contract';
import { gone, isGone, type Input } from './spec';

// The program closed its end, or core closed ours.
const uninterested = new Set([
  'EPIPE',
  'ECONNRESET',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ECANCELED',
  'EOF',
]);

/** Whether an error of a stream to the program says only that the program does not read. */
export function isUninterested(error: unknown): boolean {
  return typeof error === 'object' && error !== null && uninterested.has(String(Reflect.get(error, 'code')));
}

/** Writes all input, then closes the stream. Calls `done` once, with an error only if it is a real one. */
export function feed(stream: Writable, input: Input, done: (error?: unknown) => void): void {
  let over = false;
  const finish = (error?: unknown): void => {
    if (over) return;
    over = true;
    done(error === undefined || isUninterested(error) ? undefined : error);
  };
  stream.on('error', finish);
  stream.once('close', () => {
    finish();
  });
  // If the memory is gone, the program must not take a short input for all of it.
  if (isGone(input)) finish(new Error(gone));
  else if (input.size === 0) stream.end();
  else stream.end(input.data);
  stream.once('finish', () => {
    finish();
  });
}

/** An error of a stream that the caller writes to, and does not listen to, must not end the process. */
export function letCallerWrite(stream: Writable | undefined): void {
  stream?.on('error', () => undefined);
}

/** What is to be written where. */
export function pairs(
  { stdin, sendBuffers }: Pick<ChildHandle, 'stdin' | 'sendBuffers'>,
  input: Input | undefined,
  buffers: readonly Input[],
): [Writable, Input][] {
  const all: [Writable | undefined, Input | undefined][] = [[stdin, input]];
  for (const [index, data] of buffers.entries()) all.push([sendBuffers?.[index], data]);
  return all.filter((pair): pair is [Writable, Input] => pair[0] !== undefined && pair[1] !== undefined);
}
