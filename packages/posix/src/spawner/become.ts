/** What a thread changes of itself before its first start, and keeps. */
import { systemError } from '../errno';
import type { Libc } from '../libc';
import { LINUX } from '../struct';
import type { ThreadClass } from './protocol';

/** Why it cannot; `undefined`: done. */
export function become(libc: Libc, { ownFiles, noNewPrivs }: ThreadClass): string | undefined {
  if (ownFiles) {
    const result = libc.syscall(LINUX.SYS_unshare, LINUX.CLONE_FS, 0, 0, 0, 0);
    // A seccomp filter, like that of containers, may forbid it.
    if (result < 0) return systemError(-result, 'unshare').message;
  }
  if (noNewPrivs) {
    const result = libc.prctl(LINUX.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (result < 0) return systemError(-result, 'prctl').message;
  }
  return undefined;
}
