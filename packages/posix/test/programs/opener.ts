/** A worker that opens and closes descriptors without close-on-exec until it is told to stop. */
import { workerData } from 'node:worker_threads';
import { libcThrough } from '../../src/libc';
import { LINUX } from '../../src/linux';
import { cString } from '../../src/struct';

const state = new Int32Array(workerData as SharedArrayBuffer);
const libc = libcThrough('koffi');
const path = cString('/etc/passwd');
for (let rounds = 1; Atomics.load(state, 0) === 0; rounds++) {
  const fds = Array.from({ length: 20 }, () => libc.openat(LINUX.AT_FDCWD, path, 0, 0));
  for (const fd of fds) libc.close(fd);
  Atomics.store(state, 1, rounds);
}
