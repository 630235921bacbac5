/** Which thread this is, asked of the kernel: `node:worker_threads` takes longer to load than a start to be prepared. */
import type { Libc } from './libc';
import { LINUX } from './struct';

/** The id of a process is that of its main thread. */
export const isMainThread = (libc: Libc): boolean => libc.syscall(LINUX.SYS_gettid, 0, 0, 0, 0, 0) === process.pid;
