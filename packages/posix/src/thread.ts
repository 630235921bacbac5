/** Which thread this is, asked of the kernel: `node:worker_threads` takes longer to load than a start to be prepared. */
import type { Libc } from './libc';

const SYS_gettid = process.arch === 'arm64' ? 178 : 186;

/** The id of a process is that of its main thread. */
export const isMainThread = (libc: Libc): boolean => libc.syscall(SYS_gettid, 0, 0, 0, 0, 0) === process.pid;
