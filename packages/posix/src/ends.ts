/**
 * The descriptors of one start: what is made for it (pipes, `/dev/null`, files, the working directory) and what is the
 * caller's. Whatever is made here is closed here, except our ends of the pipes when the start succeeds.
 */
import { constants, fstatSync, statfsSync } from 'node:fs';
import { startError, type CommandStartError, type LaunchPlan, type PlanStream } from '@vircommand/core/backend';
import { aboveStdio } from './above-stdio';
import { errno, nulError, systemError } from './errno';
import type { Libc } from './libc';
import { cString, LINUX } from './struct';

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND, O_NONBLOCK, O_NOCTTY } = constants;

const devNull = cString('/dev/null');
const pipefsMagic = 0x50495045;

const openFlags = {
  read: O_RDONLY,
  write: O_WRONLY | O_CREAT | O_TRUNC,
  append: O_WRONLY | O_CREAT | O_APPEND,
} as const;

/** Our ends of the pipes to a program: non-blocking, closed on exec, never 0, 1 or 2. Whoever has them closes them. */
export interface ParentEnds {
  readonly stdin: number | undefined;
  readonly stdout: number | undefined;
  readonly stderr: number | undefined;
  /** Writing ends, in the order of the plan. */
  readonly sendBuffers: readonly number[];
}

/** Both ends of what a stream leads to; -1: there is none. */
interface Ends {
  readonly ours: number;
  readonly childs: number;
}

/**
 * That the numbers of the caller are open descriptors: nothing else is handed to libc. Asked before anything is opened for
 * this start, or while it waits, that would have one of them.
 *
 * @throws CommandStartError, stage `stdio`
 */
export function checkCallersDescriptors({ stdin, stdout, stderr, passFds }: LaunchPlan, libc: Libc): void {
  const check = (fd: number, what: string): void => {
    const result =
      Number.isInteger(fd) && fd >= 0 && fd <= 0x7fffffff ? libc.fcntl(fd, LINUX.F_GETFD, 0) : -errno.EBADF;
    if (result < 0) throw stdioError(-result, 'fcntl', `${what} is not open: ${fd}`);
  };
  if (stdin.type === 'fd') check(stdin.fd, 'stdin');
  if (stdout.type === 'fd') check(stdout.fd, 'stdout');
  if (stderr.type === 'fd') check(stderr.fd, 'stderr');
  for (const { fd } of passFds) check(fd, 'a passed descriptor');
}

export class DescriptorSet {
  /** The program's 0, 1 and 2, by their numbers here. */
  stdio: [number, number, number] = [-1, -1, -1];
  /** Reading ends for the plan's `sendBuffers`. */
  sendEnds: number[] = [];
  private readonly pair = Buffer.allocUnsafeSlow(8);
  private readonly pairInts = new Int32Array(this.pair.buffer, 0, 2);
  /** Made for this start and not wanted after it. */
  private temporary: number[] = [];
  private ours: number[] = [];
  private null = -1;
  /** Of files that are made. */
  private mode = 0o666;

  constructor(private readonly libc: Libc) {}

  /**
   * Makes and checks all that the plan names.
   *
   * @param umask for files that are made, beside that of this process
   * @throws CommandStartError, stage `stdio`. Then {@link release} with `false` closes what was made until there.
   */
  prepare(plan: LaunchPlan, umask = 0): ParentEnds {
    this.mode = 0o666 & ~umask;
    checkCallersDescriptors(plan, this.libc);
    const stdin = this.end(plan.stdin, 'stdin');
    const stdout = this.end(plan.stdout, 'stdout');
    const stderr =
      plan.stderr.type === 'same-as-stdout' ? { ours: -1, childs: stdout.childs } : this.end(plan.stderr, 'stderr');
    this.stdio = [stdin.childs, stdout.childs, stderr.childs];
    const sendBuffers = plan.sendBuffers.map(() => {
      const { ours, childs } = this.pipe(false);
      this.sendEnds.push(childs);
      return ours;
    });
    return { stdin: known(stdin.ours), stdout: known(stdout.ours), stderr: known(stderr.ours), sendBuffers };
  }

  /** Remembers a descriptor that is for this start only. */
  keep(fd: number): number {
    this.temporary.push(fd);
    return fd;
  }

  /** A lower number for a descriptor, for this start. */
  duplicate(fd: number): number {
    const lower = this.libc.fcntl(fd, LINUX.F_DUPFD_CLOEXEC, 3);
    if (lower < 0) throw stdioError(-lower, 'fcntl', `${fd} is above RLIMIT_NOFILE`);
    return this.keep(lower);
  }

  /** Closes what the program has now; and our ends too, unless it was started. */
  release(started: boolean): void {
    const { libc } = this;
    for (const fd of this.temporary) libc.close(fd);
    if (!started) for (const fd of this.ours) libc.close(fd);
    // New ones cost less than to empty these.
    this.temporary = [];
    this.ours = [];
    if (this.sendEnds.length > 0) this.sendEnds = [];
    this.null = -1;
  }

  private end(stream: PlanStream, name: 'stdin' | 'stdout' | 'stderr'): Ends {
    switch (stream.type) {
      case 'null':
        return { ours: -1, childs: this.nullDevice() };
      case 'pipe':
        return this.pipe(name !== 'stdin');
      case 'fd':
        return { ours: -1, childs: stream.fd };
      case 'file':
        return { ours: -1, childs: this.file(stream.path, stream.mode) };
      case 'same-as-stdout':
        throw stdioError(errno.EINVAL, 'dup2', `${name} cannot be the same as stdout`);
    }
  }

  /** `/dev/null`, for this start. */
  nullDevice(): number {
    if (this.null < 0) this.null = this.open(devNull, O_RDWR, '/dev/null');
    return this.null;
  }

  /** A pipe whose end here is not blocking, for this start; ours is left open if it succeeds. */
  pipe(reading: boolean): Ends {
    const { libc } = this;
    const result = libc.pipe2(this.pair, LINUX.O_CLOEXEC);
    if (result < 0) throw stdioError(-result, 'pipe2');
    const [readEnd = -1, writeEnd = -1] = this.pairInts;
    const [ours, childs] = reading ? [readEnd, writeEnd] : [writeEnd, readEnd];
    this.keep(childs);
    const raised = aboveStdio(libc, ours);
    if (raised < 0) throw stdioError(-raised, 'fcntl');
    this.ours.push(raised);
    // Only ours: the flag belongs to the open file, and the program must not find it on its end.
    this.setFlags(raised, O_NONBLOCK);
    return { ours: raised, childs };
  }

  private setFlags(fd: number, flags: number): void {
    const result = this.libc.fcntl(fd, LINUX.F_SETFL, flags);
    if (result < 0) throw stdioError(-result, 'fcntl');
  }

  private open(path: Uint8Array, flags: number, shown: string): number {
    const fd = openFile(this.libc, path, flags, this.mode);
    if (fd < 0) throw stdioError(-fd, 'open', undefined, shown);
    return this.keep(fd);
  }

  private file(path: string, mode: keyof typeof openFlags): number {
    if (path.includes('\0')) throw startError('stdio', nulError('open', path), path);
    // Not to wait for whoever opens the other end of a named pipe, and not to get a terminal that controls us.
    const fd = this.open(cString(path), openFlags[mode] | O_NONBLOCK | O_NOCTTY, path);
    if (mode === 'read' && isNamedPipe(fd)) {
      throw stdioError(
        errno.ENXIO,
        'open',
        'a named pipe may have no writer yet, and waiting for one would block; open it and give the descriptor',
        path,
      );
    }
    this.setFlags(fd, mode === 'append' ? O_APPEND : 0);
    return fd;
  }
}

/** Opens, closed on exec; negative: the error. Network file systems can be interrupted. */
export function openFile(libc: Libc, path: Uint8Array, flags: number, mode = 0o666): number {
  for (;;) {
    const fd = libc.open(path, flags | LINUX.O_CLOEXEC, mode);
    if (fd !== -errno.EINTR) return fd;
  }
}

const known = (fd: number): number | undefined => (fd < 0 ? undefined : fd);

/** An unnamed pipe, opened as `/dev/stdin` for instance, never waits for its other end. */
function isNamedPipe(fd: number): boolean {
  return fstatSync(fd).isFIFO() && statfsSync(`/proc/self/fd/${fd}`).type !== pipefsMagic;
}

function stdioError(number: number, syscall: string, what?: string, path?: string): CommandStartError {
  return startError('stdio', systemError(number, syscall, path, what), path);
}
