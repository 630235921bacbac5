/** Writes what the program is to read. That it does not want it is no error. */
import type { Writable } from 'node:stream';

// The program closed its end, or core closed ours.
const uninterested = new Set([
  'EPIPE',
  'ECONNRESET',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ECANCELED',
  'EOF',
]);

/** Whether an error of a stream to the program says only that nobody reads. */
export function isUninterested(error: unknown): boolean {
  return typeof error === 'object' && error !== null && uninterested.has(String(Reflect.get(error, 'code')));
}

/** Writes everything, then closes; calls `done` once, with an error only if it is a real one. */
export function feed(stream: Writable, data: Uint8Array, done: (error?: unknown) => void): void {
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
  if (data.length === 0) stream.end();
  else stream.end(data);
  stream.once('finish', () => {
    finish();
  });
}
