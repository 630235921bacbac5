/**
 * Sizes and layouts of libc's structures. They are the same for glibc and musl on the 64-bit Linux architectures, with
 * the exceptions named here; where one libc has a longer structure, the size is the longer one.
 */
import { planBytes, type PlanString } from '@vircommand/core/backend';

/** Sizes in bytes. */
export const SIZE = {
  posixSpawnattr: 336,
  /** glibc 80, musl 80. */
  posixSpawnFileActions: 80,
  sigset: 128,
  /** `struct sigaction` of libc, not of the kernel: 152 in both. */
  sigaction: 152,
  pollfd: 8,
  siginfo: 128,
  /** glibc 144; musl reserves 16 longs more. */
  rusage: 272,
  rlimit: 16,
  passwd: 48,
  flock: 32,
  /** Packed on x86-64 alone. */
  epollEvent: process.arch === 'x64' ? 12 : 16,
} as const;

/** Offset of `data` in `struct epoll_event`. */
export const EPOLL_DATA = process.arch === 'x64' ? 4 : 8;

/** Offsets in `struct sigaction` of libc: the handler is the first, then come 128 bytes of mask. */
export const SIGACTION = { flags: 136 } as const;

/** Offsets in `siginfo_t` as `waitid` fills it: `si_signo` 0, `si_code` 8, four bytes of nothing, then pid, uid and status. */
export const SIGINFO = { code: 8, pid: 16, status: 24 } as const;

/** Offsets in `struct flock`: two `short`, then two `off_t` and a pid. */
export const FLOCK = { type: 0, length: 16, pid: 24 } as const;

/** Offsets in `struct rusage`, each a `long`: two `timeval` of seconds and microseconds, then the counters. */
export const RUSAGE = {
  userSeconds: 0,
  userMicroseconds: 8,
  systemSeconds: 16,
  systemMicroseconds: 24,
  maxRss: 32,
  voluntaryContextSwitches: 128,
  involuntaryContextSwitches: 136,
} as const;

/** Offsets in `struct passwd`; `name` is a pointer. */
export const PASSWD = { name: 0, gid: 20 } as const;

/** Flags and commands of Linux that `node:os` and `node:fs` do not name. */
export const LINUX = {
  O_CLOEXEC: 0o2000000,
  O_PATH: 0o10000000,
  // The values of arm64 and x64 differ.
  O_DIRECTORY: process.arch === 'arm64' ? 0o40000 : 0o200000,
  F_GETFD: 1,
  F_SETFD: 2,
  F_GETFL: 3,
  F_SETFL: 4,
  F_GETLK: 5,
  F_SETLK: 6,
  F_SETOWN: 8,
  F_SETLEASE: 1024,
  F_GETLEASE: 1025,
  F_DUPFD_CLOEXEC: 1030,
  FD_CLOEXEC: 1,
  F_RDLCK: 0,
  F_WRLCK: 1,
  F_UNLCK: 2,
  AT_FDCWD: -100,
  POLLIN: 0x1,
  POLLOUT: 0x4,
  POLLHUP: 0x10,
  EPOLL_CLOEXEC: 0o2000000,
  EPOLL_CTL_ADD: 1,
  EPOLL_CTL_DEL: 2,
  EPOLLIN: 0x1,
  WNOHANG: 1,
  WEXITED: 4,
  WNOWAIT: 0x1000000,
  MADV_HUGEPAGE: 14,
  CLD_EXITED: 1,
  CLD_DUMPED: 3,
  P_ALL: 0,
  P_PID: 1,
  SYS_waitid: process.arch === 'arm64' ? 95 : 247,
  SYS_pidfd_send_signal: 424,
  SYS_pidfd_open: 434,
  SYS_close_range: 436,
  POSIX_SPAWN_SETPGROUP: 0x02,
  POSIX_SPAWN_SETSIGDEF: 0x04,
  POSIX_SPAWN_SETSIGMASK: 0x08,
  POSIX_SPAWN_SETSID: 0x80,
  SYS_gettid: process.arch === 'arm64' ? 178 : 186,
  SYS_rt_sigprocmask: process.arch === 'arm64' ? 135 : 14,
  SIG_BLOCK: 0,
  SIG_SETMASK: 2,
  SYS_unshare: process.arch === 'arm64' ? 97 : 272,
  CLONE_FS: 0x200,
  SYS_setgroups: process.arch === 'arm64' ? 159 : 116,
  SYS_setresuid: process.arch === 'arm64' ? 147 : 117,
  SYS_setresgid: process.arch === 'arm64' ? 149 : 119,
  PRIO_PROCESS: 0,
  PR_GET_DUMPABLE: 3,
  PR_SET_KEEPCAPS: 8,
  PR_CAPBSET_READ: 23,
  PR_CAPBSET_DROP: 24,
  PR_SET_NO_NEW_PRIVS: 38,
  PR_CAP_AMBIENT: 47,
  PR_CAP_AMBIENT_RAISE: 2,
  PR_CAP_AMBIENT_CLEAR_ALL: 4,
  PR_SCHED_CORE: 62,
  PR_SCHED_CORE_CREATE: 1,
  PR_SCHED_CORE_SHARE_FROM: 3,
  PR_SCHED_CORE_SCOPE_THREAD: 0,
  PR_SCHED_CORE_SCOPE_THREAD_GROUP: 1,
  RLIMIT_NOFILE: 7,
  RUSAGE_SELF: 0,
} as const;

/** A C string: the bytes and a NUL. */
export function cString(text: PlanString): Buffer {
  const bytes = planBytes(text);
  const string = Buffer.allocUnsafeSlow(bytes.length + 1);
  bytes.copy(string);
  string[bytes.length] = 0;
  return string;
}
