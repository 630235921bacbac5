/** A bound on the time of a reader that asks for lines after the run is over. */
import type { Readable } from 'node:stream';
import type { Clock } from './clock';
import type { LineReader } from './lines';

/**
 * Lines that a caller asks for after the run must arrive within `drainDelay`; the caller itself may take as long as it needs.
 * Call the result when the reader goes on. No timer runs while the reader pauses.
 */
export function boundReader(reader: LineReader, stream: Readable, clock: Clock, drainDelay: number): () => void {
  // A closed stream emits no 'close', so the timer would never be cancelled.
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
