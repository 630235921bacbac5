/** The lines of a run's stream, for who iterates over them. */
import type { Readable } from 'node:stream';
import type { Clock } from './clock';
import type { LineReader } from './lines';

/**
 * Lines asked for after the exit have `drainDelay` to arrive, and as long as the reader needs. Call the result when the reader
 * goes on; while it stops no timer runs.
 */
export function boundReader(reader: LineReader, stream: Readable, clock: Clock, drainDelay: number): () => void {
  // It would tell nobody any more, and the timer would keep the process for nothing.
  if (stream.closed) return () => undefined;
  let cancel = (): void => undefined;
  let waits = true;
  const resumed = (): void => {
    if (!waits) return;
    waits = false;
    cancel = clock.after(drainDelay, () => {
      waits = reader.blocked;
      if (!waits) stream.destroy();
    });
  };
  resumed();
  stream.once('close', () => {
    cancel();
  });
  return resumed;
}
