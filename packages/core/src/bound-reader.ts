/** The lines of a run's stream, for who iterates over them. */
import type { Readable } from 'node:stream';
import type { Clock } from './clock';
import type { LineReader } from './lines';

/**
 * The program was over before somebody asked for its lines: they have the drain's time to come, and as long as the reader
 * takes for what came.
 */
export function boundReader(reader: LineReader, stream: Readable, clock: Clock, drainDelay: number): void {
  // It would tell nobody any more, and the timer would keep the process for nothing.
  if (stream.closed) return;
  let cancel = (): void => undefined;
  const look = (): void => {
    if (!reader.blocked) stream.destroy();
    else cancel = clock.after(drainDelay, look);
  };
  cancel = clock.after(drainDelay, look);
  stream.once('close', () => {
    cancel();
  });
}
