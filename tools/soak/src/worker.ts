/** A worker thread with a crowd of its own. It ends by itself: whatever it still held would keep it. */
import { parentPort, workerData } from 'node:worker_threads';
import { crowd, type CrowdOptions } from './crowd';
import { subjectOf } from './subjects';

const { backend, options } = workerData as { readonly backend: string; readonly options: CrowdOptions };

void crowd(subjectOf(backend), options).then((tally) => {
  parentPort?.postMessage(tally);
});
