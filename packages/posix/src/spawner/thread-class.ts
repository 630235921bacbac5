/** What a thread changes of itself before its first start, and keeps. */
import { systemError } from '../errno';
import type { Libc } from '../libc';
import { LINUX } from '../linux';
import type { Said, ThreadClass } from './protocol';

export function become(libc: Libc, { noNewPrivs }: ThreadClass): Extract<Said, { type: 'ready' | 'refused' }> {
  if (noNewPrivs) {
    const result = libc.prctl(LINUX.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (result < 0) return { type: 'refused', why: systemError(-result, 'prctl').message };
  }
  // A seccomp filter, like that of containers, may forbid it.
  const result = libc.syscall(LINUX.SYS_unshare, LINUX.CLONE_FS, 0, 0, 0, 0);
  return { type: 'ready', shares: result < 0 ? systemError(-result, 'unshare').message : undefined };
}
