/**
 * The descriptors of one start: what is made for it (pipes, `/dev/null`, files, the working directory) and what is the
 * caller's. Whatever is made here is closed here, except our ends of the pipes when the start succeeds.
 */
import { constants } from 'node:fs';
import {
  CommandStartError,
  openAgain,
  openStreamFile,
  pipeEnd,
  startError,
  statDescriptor,
  type LaunchPlan,
  type PlanStream,
} from '@vircommand/core/backend';
import { aboveStdio } from './above-stdio';
import { errno, nulError, systemError } from './errno';
import type { Libc } from './libc';
import { LINUX } from './linux';
import type { Moment } from './moment';
import { cString } from './struct';
import { bindToThread, closeBound, closeOfNode } from './thread-bound';

const { O_RDWR, O_APPEND, O_NONBLOCK } = constants;

const devNull = cString('/dev/null');

/** Our ends of the pipes to a program: non-blocking, closed on exec, never 0, 1 or 2. Whoever has them closes them. */
export interface ParentEnds {
  readonly stdin: number | undefined;
  readonly stdout: number | undefined;
  readonly stderr: number | undefined;
  /** Writing ends, in the order of the plan. */
  readonly sendBuffers: readonly number[];
  /** The program's ends of the first three, by which the processes that inherit them are known. */
  readonly programEnds: readonly string[];
}

type FileStream = Extract<PlanStream, { type: 'file' }>;

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
  /** Of those, what Node has opened. */
  private ofNode: number[] = [];
  private ours: number[] = [];
  private null = -1;

  /** @param callerGoesOn whether anybody here uses the caller's descriptors afterwards */
  constructor(
    private readonly libc: Libc,
    private readonly callerGoesOn = true,
  ) {}

  /**
   * Makes and checks all that the plan names.
   *
   * @param moment when it was asked for, if that was not just now
   * @throws CommandStartError, stage `stdio`. Then {@link release} with `false` closes what was made until there.
   */
  prepare(plan: LaunchPlan, moment?: Moment): ParentEnds {
    checkCallersDescriptors(plan, this.libc);
    const stdin = this.end(plan.stdin, 'stdin', moment);
    const stdout = this.end(plan.stdout, 'stdout', moment);
    const stderr =
      plan.stderr.type === 'same-as-stdout'
        ? { ours: -1, childs: stdout.childs }
        : this.end(plan.stderr, 'stderr', moment);
    this.stdio = [stdin.childs, stdout.childs, stderr.childs];
    const sendBuffers = plan.sendBuffers.map(() => {
      const { ours, childs } = this.pipe(false);
      this.sendEnds.push(childs);
      return ours;
    });
    const { uid } = plan.privileged;
    if (uid !== undefined) this.give([stdin.ours, stdout.ours, stderr.ours, ...sendBuffers], uid);
    const programEnds = [stdin, stdout, stderr].flatMap(({ ours }, number) => programEnd(ours, number !== 0));
    const [ofStdin, ofStdout, ofStderr] = [known(stdin.ours), known(stdout.ours), known(stderr.ours)];
    return { stdin: ofStdin, stdout: ofStdout, stderr: ofStderr, sendBuffers, programEnds };
  }

  /** Remembers a descriptor that is for this start only; its number from now on. */
  keep(fd: number): number {
    const kept = bindToThread(this.libc, fd);
    this.temporary.push(kept);
    return kept;
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
    for (const fd of this.temporary) closeBound(libc, fd);
    for (const fd of this.ofNode) closeOfNode(fd);
    if (!started) for (const fd of this.ours) closeBound(libc, fd);
    // New ones cost less than to empty these.
    this.temporary = [];
    this.ours = [];
    if (this.ofNode.length > 0) this.ofNode = [];
    if (this.sendEnds.length > 0) this.sendEnds = [];
    this.null = -1;
  }

  private end(stream: PlanStream, name: 'stdin' | 'stdout' | 'stderr', moment: Moment | undefined): Ends {
    switch (stream.type) {
      case 'null':
        return { ours: -1, childs: this.nullDevice() };
      case 'pipe':
        return this.pipe(name !== 'stdin');
      case 'fd':
        return { ours: -1, childs: this.blocking(stream.fd) };
      case 'file':
        return { ours: -1, childs: this.file(stream, moment) };
      case 'same-as-stdout':
        throw stdioError(errno.EINVAL, 'dup2', `${name} cannot be the same as stdout`);
    }
  }

  /** `/dev/null`, for this start. */
  nullDevice(): number {
    if (this.null >= 0) return this.null;
    const fd = openFile(this.libc, devNull, O_RDWR);
    if (fd < 0) throw stdioError(-fd, 'open', undefined, '/dev/null');
    return (this.null = this.keep(fd));
  }

  /**
   * A pipe whose end here is not blocking, for this start; ours is left open if it succeeds.
   *
   * @param forStream whether a stream gets it at once, which closes it itself
   */
  pipe(reading: boolean, forStream = false): Ends {
    const { libc } = this;
    const result = libc.pipe2(this.pair, LINUX.O_CLOEXEC);
    if (result < 0) throw stdioError(-result, 'pipe2');
    const [readEnd = -1, writeEnd = -1] = this.pairInts;
    const raised = aboveStdio(libc, reading ? readEnd : writeEnd);
    const childs = this.keep(reading ? writeEnd : readEnd);
    if (raised < 0) throw stdioError(-raised, 'fcntl');
    const ours = forStream ? raised : bindToThread(libc, raised);
    this.ours.push(ours);
    // Only ours: the flag belongs to the open file, and the program must not find it on its end.
    this.setFlags(ours, O_NONBLOCK);
    return { ours, childs };
  }

  /**
   * Gives pipes to the user of the program, which may open them again, as by `/dev/stdout`: a pipe is for its owner only. It
   * has one for both ends, but only a process that may trace this one gets at ours. Where this process may not give them, the
   * program has its ends all the same.
   */
  private give(pipes: readonly number[], uid: number): void {
    for (const fd of pipes) if (fd >= 0) this.libc.syscall(LINUX.SYS_fchown, fd, uid, -1, 0, 0);
  }

  private setFlags(fd: number, flags: number): void {
    const result = this.libc.fcntl(fd, LINUX.F_SETFL, flags);
    if (result < 0) throw stdioError(-result, 'fcntl');
  }

  private file({ path, mode }: FileStream, moment: Moment | undefined): number {
    if (path.includes('\0')) throw startError('stdio', nulError('open', path), path);
    const fd = moment === undefined ? openStreamFile({ path, mode }) : openSince(moment, { path, mode });
    this.ofNode.push(fd);
    this.setFlags(fd, mode === 'append' ? O_APPEND : 0);
    return fd;
  }

  /**
   * Node makes its own streams nonblocking as soon as they are used, perhaps after the start, and a program would find no
   * input or lose output. As with `node:child_process`, what cannot be opened again becomes blocking for the caller too.
   */
  private blocking(fd: number): number {
    if (!this.callerGoesOn) return fd;
    const flags = this.libc.fcntl(fd, LINUX.F_GETFL, 0);
    if (flags < 0) return fd;
    const again = openAgain(fd, flags);
    if (again !== undefined) this.ofNode.push(again);
    if (again !== undefined || (flags & O_NONBLOCK) !== 0) this.setFlags(again ?? fd, flags & ~O_NONBLOCK);
    return again ?? fd;
  }
}

/**
 * Opens, closed on exec; negative: the error. Network file systems can be interrupted.
 *
 * @param from a descriptor of the directory from where a relative path leads; -1: that of this thread
 */
export function openFile(libc: Libc, path: Uint8Array, flags: number, from = -1): number {
  for (;;) {
    const fd = libc.openat(from < 0 ? LINUX.AT_FDCWD : from, path, flags | LINUX.O_CLOEXEC, 0);
    if (fd !== -errno.EINTR) return fd;
  }
}

/** Name of the program's pipe end, by which descendants are found. Optional: a start must not fail because `fs` is mocked. */
function programEnd(ours: number, writing: boolean): string[] {
  if (ours < 0) return [];
  try {
    return [pipeEnd(statDescriptor(ours).ino, writing)];
  } catch {
    return [];
  }
}

/** As it would have been opened then; a file that is made has not more rights, where this process has another umask by now. */
function openSince(
  { directory, identity, identities }: Moment,
  { path, mode }: Pick<FileStream, 'path' | 'mode'>,
): number {
  const { umask = 0 } = identity;
  const way = directory.lead(path);
  try {
    // Where a directory says what its files are like, no umask counts.
    return openStreamFile({ path: way, mode }, umask === identities.now().umask ? 0o666 : 0o666 & ~umask);
  } catch (error) {
    if (way === path || !(error instanceof CommandStartError)) throw error;
    // Nobody has said that path.
    const { reason, code, errno, syscall } = error;
    const said = Object.assign(new Error(reason.replaceAll(way, () => path)), { code, errno, syscall });
    throw startError('stdio', said, path);
  }
}

const known = (fd: number): number | undefined => (fd < 0 ? undefined : fd);

function stdioError(number: number, syscall: string, what?: string, path?: string): CommandStartError {
  return startError('stdio', systemError(number, syscall, path, what), path);
}
