/**
 * Sizes and layouts of libc's structures. They are the same for glibc and musl on the 64-bit Linux architectures, with
 * the exceptions named here; where one libc has a longer structure, the size is the longer one.
 */
import { planBytes, type PlanString } from '@vircommand/core/backend';

/** Structures of the kernel that are packed there, and nowhere else. */
const packed = process.arch === 'x64';

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
  epollEvent: packed ? 12 : 16,
} as const;

/** Offset of `data` in `struct epoll_event`. */
export const EPOLL_DATA = packed ? 4 : 8;

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

/** A C string: the bytes and a NUL. */
export function cString(text: PlanString): Buffer {
  const bytes = planBytes(text);
  const string = Buffer.allocUnsafeSlow(bytes.length + 1);
  bytes.copy(string);
  string[bytes.length] = 0;
  return string;
}
