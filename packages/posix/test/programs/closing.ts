/** `closing WHERE DRIVER FD...`: loads libc in the main thread, or in a worker only, closes descriptors, and ends with code 3. */
import { closeSync } from 'node:fs';
import { isMainThread, Worker } from 'node:worker_threads';
import { chosenDriver } from '../../src/ffi';
import { libcThrough } from '../../src/libc';

const [, , where = '', driver, ...descriptors] = process.argv;
const load = (): unknown => libcThrough(chosenDriver(driver as 'koffi')).getppid();
const close = (): void => {
  for (const fd of descriptors) closeSync(Number(fd));
};

const ways: Readonly<Record<string, () => unknown>> = {
  'main thread': () => {
    load();
    close();
  },
  'main thread without listeners': () => {
    load();
    process.removeAllListeners();
    close();
  },
  'main thread that had closed them': () => {
    close();
    load();
  },
  'worker that has ended': () => new Worker(__filename, { argv: process.argv.slice(2) }).once('exit', close),
  worker: () => new Worker(__filename, { argv: process.argv.slice(2) }),
};

if (isMainThread) {
  ways[where]?.();
  process.exitCode = 3;
} else {
  load();
  if (where === 'worker') close();
}
