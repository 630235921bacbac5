/**
 * The vocabulary of the public interface: what a caller hands in, and what comes back.
 * Types only; nothing here exists at run time.
 */
import type { Readable, Writable } from 'node:stream';
import type { Backend } from './contract';
import type { Secret } from './secret';

/**
 * What became of an output stream: captured as text or bytes, piped to the caller, or neither.
 * The union `Sink` itself means "not known to the type checker".
 */
export type Sink = 'text' | 'bytes' | 'pipe' | 'none';
/** Whether the caller writes the program's stdin itself. `Source` itself means "not known". */
export type Source = 'pipe' | 'none';

/** The type of a captured stream in a {@link CommandResult}, by {@link Sink}. */
export interface Captured {
  /** A string. */
  text: string;
  /** A Buffer. */
  bytes: Buffer;
  /** Goes to the caller as it comes. */
  pipe: undefined;
  /** Is not kept. */
  none: undefined;
}
/** The type of an output stream of a {@link RunningCommand}, by {@link Sink}. */
export interface Streamed {
  /** Is kept for the result. */
  text: undefined;
  /** Is kept for the result. */
  bytes: undefined;
  /** A stream to read. */
  pipe: Readable;
  /** There is none. */
  none: undefined;
}
/** The type of the stdin stream of a {@link RunningCommand}, by {@link Source}. */
export interface Written {
  /** A stream to write to. */
  pipe: Writable;
  /** There is none. */
  none: undefined;
}
/** What `encoding: 'buffer'` makes of a {@link Sink}. */
export interface AsBytes {
  /** Bytes instead of text. */
  text: 'bytes';
  /** As it is. */
  bytes: 'bytes';
  /** As it is. */
  pipe: 'pipe';
  /** As it is. */
  none: 'none';
}
/** {@link Sink} of a `stdout` or `stderr` option. */
export type SinkOf<T> = [T] extends ['text' | 'bytes' | 'pipe']
  ? T
  : T extends 'text' | 'bytes' | 'pipe'
    ? Sink
    : 'none';
/** {@link Source} of a `stdin` option. */
export type SourceOf<T> = [T] extends ['pipe'] ? 'pipe' : 'pipe' extends T ? Source : 'none';

/** Text is sent as UTF-8 and must be well formed (no lone surrogate); bytes are sent as they are. No NUL in either. */
export type Bytes = string | Uint8Array;
/** An argument or an environment value. Numbers go through `addArgFormat('%d', n)` or `String(n)`. */
export type Arg = Bytes | Secret;
/** What JSON can hold: it crosses process borders. */
export type PlainData = null | boolean | number | string | readonly PlainData[] | { readonly [key: string]: PlainData };
/** A descriptor number, or anything that has one (a `FileHandle`). It stays the caller's unless `closeInParent`. */
export type Fd = number | { readonly fd: number };
/** A signal by name; real-time and other unnamed signals are `SIG` and their number (`SIG34`). */
export type SignalName = NodeJS.Signals | `SIG${number}`;

/** Where the program's stdin comes from. Default `'null'` (`/dev/null`). */
export type StdinOption =
  'null' | 'inherit' | 'pipe' | Fd | { readonly file: string } | { readonly input: Bytes | Secret };
/** Where the program's stdout goes. Default `'null'` (`/dev/null`). A file is created or truncated, or appended to. */
export type StdoutOption =
  | 'null'
  | 'inherit'
  | 'pipe'
  | 'text'
  | 'bytes'
  | Fd
  | { readonly file: string; readonly append?: boolean | undefined };
/** As {@link StdoutOption}; `'stdout'` is `2>&1`: one pipe or descriptor, so the order is the program's. */
export type StderrOption = StdoutOption | 'stdout';

/** A descriptor that the program gets besides 0, 1 and 2. */
export interface PassFd {
  /** Of this process. */
  readonly fd: Fd;
  /** Its number in the program; default: the same number. At least 3. */
  readonly as?: number | undefined;
  /** Core takes the descriptor when a run begins and closes it once, after the start or its failure. Such a command runs once. */
  readonly closeInParent?: boolean | undefined;
}

/** A Linux capability by its kernel name, for instance `CAP_NET_BIND_SERVICE`, or by its number, as `CAP_10`. */
export type Capability = `CAP_${string}`;

/** A resource limit: one number for soft and hard, both apart, or no limit. */
export type Limit = number | 'unlimited' | { readonly soft: number | 'unlimited'; readonly hard: number | 'unlimited' };
/** The kernel's resource limits, by what they limit. The first four are virCommand's. */
export interface Limits {
  /** Bytes of memory that may be locked (RLIMIT_MEMLOCK). */
  readonly memLock?: Limit | undefined;
  /** Processes of the user (RLIMIT_NPROC). */
  readonly processes?: Limit | undefined;
  /** One more than the highest descriptor number (RLIMIT_NOFILE). */
  readonly files?: Limit | undefined;
  /** Bytes of a core dump; 0 disables it (RLIMIT_CORE). */
  readonly core?: Limit | undefined;
  /** Bytes of address space (RLIMIT_AS). */
  readonly addressSpace?: Limit | undefined;
  /**
   * Seconds of processor time (RLIMIT_CPU). The time of the launcher, some hundredths, counts too. With 0 the kernel ends the
   * program if it still runs at the next clock tick; a quicker program ends normally.
   */
  readonly cpu?: Limit | undefined;
  /** Bytes of the data segment (RLIMIT_DATA). */
  readonly data?: Limit | undefined;
  /** Bytes of a file that the program writes (RLIMIT_FSIZE). */
  readonly fileSize?: Limit | undefined;
  /** Bytes of the stack (RLIMIT_STACK). */
  readonly stack?: Limit | undefined;
}

/** A function in another process: module by file URL or absolute path, export by name (`default`), data by JSON. */
export interface HookReference {
  /** A file URL, or an absolute path. */
  readonly module: string | URL;
  /** Name of the export. Default `'default'`. */
  readonly export?: string | undefined;
  /** First argument of the function. Default `null`. */
  readonly data?: PlainData | undefined;
}
/**
 * The shape of the function that a {@link HookReference} names. It runs in the process that becomes the program. If it
 * throws, rejects, or returns a number other than 0, the program does not run.
 */
export type PreExecHook<T extends PlainData = PlainData> = (data: T, context: { readonly pid: number }) => unknown;

/** The options form of a command. Each field means the same as the setter of that name, and is validated in the same way. */
export interface CommandOptions {
  /** `argv[0]` as the program sees it; default: the program as given. */
  readonly argv0?: Arg | undefined;
  /** Working directory. Relative paths are relative to the parent's. Default: the parent's. */
  readonly cwd?: string | undefined;
  /** Left out: the parent's environment. Given (even `{}`): only what `env` and `envPass*` say. */
  readonly env?: Readonly<Record<string, Arg | undefined>> | undefined;
  /** Variables to copy from the parent, where set. */
  readonly envPass?: readonly string[] | undefined;
  /** `LC_ALL=C` and the usual few from the parent: PATH, HOME, USER, LOGNAME, TMPDIR, the loader's. */
  readonly envPassCommon?: boolean | undefined;
  /** Default `'null'`. */
  readonly stdin?: StdinOption | undefined;
  /** Default `'null'`. */
  readonly stdout?: StdoutOption | undefined;
  /** Default: `run()` and `runSync()` keep the last 8 KiB for the error message; otherwise, and for a daemon, `'null'`. */
  readonly stderr?: StderrOption | undefined;
  /** Descriptors that the program gets besides 0, 1 and 2. */
  readonly passFds?: readonly PassFd[] | undefined;
  /** The program's process writes and locks it. Needs `daemon`. */
  readonly pidFile?: string | undefined;
  /** A session of its own, `/` as working directory, no child of this process; `run()` and `runAsync()` resolve when it has started. */
  readonly daemon?: boolean | undefined;
  /** `true`: a session of its own, without controlling terminal. */
  readonly session?: boolean | undefined;
  /** `true`: a process group of its own; `false`: the parent's; left out: the backend chooses what ends trees best without losing Ctrl-C. */
  readonly processGroup?: boolean | undefined;
  /** User id; left out: unchanged. */
  readonly uid?: number | undefined;
  /** Group id; left out: unchanged. */
  readonly gid?: number | undefined;
  /** Supplementary groups; left out: with `uid` those of the user, with `gid` alone none, with neither unchanged. */
  readonly groups?: readonly number[] | undefined;
  /** 0 to 0o777. */
  readonly umask?: number | undefined;
  /** `clear`: drop all but those of `allow`. */
  readonly capabilities?:
    { readonly clear?: boolean | undefined; readonly allow?: readonly (Capability | number)[] | undefined } | undefined;
  /** `true`: neither the program nor its descendants gain privileges by executing anything. */
  readonly noNewPrivs?: boolean | undefined;
  /** Resource limits. */
  readonly limits?: Limits | undefined;
  /** -20 (first) to 19 (last). */
  readonly nice?: number | undefined;
  /** Processor numbers. */
  readonly affinity?: readonly number[] | undefined;
  /** A core-scheduling group of its own (`'alone'`), or that of a process. */
  readonly coreScheduling?: 'alone' | { readonly among: number } | undefined;
  /** SELinux label to execute with. */
  readonly selinuxLabel?: string | undefined;
  /** AppArmor profile to execute in. */
  readonly appArmorProfile?: string | undefined;
  /** A function to call in the process that becomes the program. */
  readonly preExecHook?: HookReference | undefined;
  /** Hold the program before exec until `handshakeNotify()`. */
  readonly handshake?: boolean | undefined;
  /** Accept any end of the program, also a death by signal. */
  readonly rawStatus?: boolean | undefined;
  /** Buffers to hand to the program on descriptors of their own, by their number in the program. */
  readonly sendBuffers?: readonly { readonly fd: number; readonly data: Bytes | Secret }[] | undefined;
  /** Let `runAsync()` capture into buffers. */
  readonly asyncIo?: boolean | undefined;
  /** The reading ends of output pipes never block in the parent. */
  readonly nonblockingFds?: boolean | undefined;
  /** Instead of the one that the constructor binds. An override of a test beats both. */
  readonly backend?: Backend | undefined;
}

/** Text encodings of captured output. Malformed UTF-8 becomes U+FFFD. In UTF-16 a lone surrogate stays, and an odd last byte is dropped. */
export type TextEncoding = 'utf8' | 'latin1' | 'utf16le';

/** How many bytes of output are kept. */
export interface OutputLimit {
  /** Bytes of stdout. */
  readonly stdout?: number | undefined;
  /** Bytes of stderr. */
  readonly stderr?: number | undefined;
  /** stdout and stderr together. */
  readonly total?: number | undefined;
  /** `'kill'` (default): end the program and reject with `OutputLimitError`. `'truncate'`: let it run, drop the rest, `outputComplete: false`. */
  readonly onExceed?: 'kill' | 'truncate' | undefined;
}

/** Options of one run; the same names for `run()`, `runSync()`, `runAsync()` and the iterations. */
export interface RunOptions {
  /** `true` (default): the run rejects unless the exit code is 0. `false`: any exit code resolves. For deaths by signal see `rawStatus()`. */
  readonly check?: boolean | undefined;
  /** Deadline in milliseconds from the call, more than 0; then the run rejects with `CommandTimeoutError`, whatever `check` says. Default: none. */
  readonly timeout?: number | undefined;
  /** Milliseconds from SIGTERM to SIGKILL. Default 5000; 0: SIGKILL at once. */
  readonly killDelay?: number | undefined;
  /** How many milliseconds after the exit a run waits for pipes that other processes still hold. Default 1000. */
  readonly drainDelay?: number | undefined;
  /** Aborting it ends the program; the run rejects with `CommandAbortedError`, whatever `check` says. Not for `runSync()`. */
  readonly signal?: AbortSignal | undefined;
  /** Bytes kept of each stream, or an {@link OutputLimit}. Default: what a string (or a Buffer) can hold. */
  readonly outputLimit?: number | OutputLimit | undefined;
  /** Default `'utf8'`. For bytes use {@link BytesRunOptions}, with `'buffer'`. */
  readonly encoding?: TextEncoding | undefined;
  /**
   * Whether the program ends with this process. `true`: if this process can still run code at its end; `'guaranteed'`: always,
   * by the kernel, which needs feature `parent-death-signal`. Default `false`.
   */
  readonly killOnParentExit?: boolean | 'guaranteed' | undefined;
}
/** `encoding: 'buffer'`: every captured stream is a Buffer, whatever the command said. */
export interface BytesRunOptions extends Omit<RunOptions, 'encoding'> {
  /** Buffers instead of strings. */
  readonly encoding: 'buffer';
}
/** How output is cut into lines. */
export interface LineOptions {
  /** Longest line in bytes. A longer one ends the program, and the loop rejects with `OutputLimitError`. Default: what a string can hold. */
  readonly maxLength?: number | undefined;
  /** The stream that is read. Default `'stdout'`. */
  readonly from?: 'stdout' | 'stderr' | undefined;
}

/** How a program ended, and what it used, as far as the backend can know. */
export interface ExitStatus {
  /** `undefined`: a signal ended the program; without a `signal` too, how it ended is not known. */
  readonly exitCode: number | undefined;
  /** `undefined`: the program exited by itself; without an `exitCode` too, how it ended is not known. */
  readonly signal: SignalName | undefined;
  /** `undefined`: the backend cannot know. */
  readonly coreDumped: boolean | undefined;
  /** What it used; `undefined` without feature `resource-usage`. */
  readonly usage: ResourceUsage | undefined;
}
/** What the program used until it was reaped (getrusage). */
export interface ResourceUsage {
  /** Milliseconds of processor time in user mode. */
  readonly userMs: number;
  /** Milliseconds of processor time in the kernel. */
  readonly systemMs: number;
  /** Peak resident memory in KiB; `undefined` where it cannot be told from the parent's own. */
  readonly maxRssKiB: number | undefined;
  /** How often it waited for something. */
  readonly voluntaryContextSwitches: number | undefined;
  /** How often the processor was taken from it. */
  readonly involuntaryContextSwitches: number | undefined;
}

/** What is known of a run when it is over (or was given up). */
export interface CommandResult<Out extends Sink = Sink, Err extends Sink = Sink> extends ExitStatus {
  /** The daemon's, if the program is one; `undefined` on a backend without local pids, or if nothing was started. */
  readonly pid: number | undefined;
  /** Only if it was captured. */
  readonly stdout: Captured[Out];
  /** Only if it was captured. */
  readonly stderr: Captured[Err];
  /** Redacted shell text. */
  readonly command: string;
  /** From the call to the end, in milliseconds. */
  readonly durationMs: number;
  /** The deadline came first. */
  readonly timedOut: boolean;
  /** An abort came first. */
  readonly aborted: boolean;
  /** `false`: output that is captured or read by lines was given up after `drainDelay`, or cut at `outputLimit`. */
  readonly outputComplete: boolean;
  /**
   * What was ended: every descendant, the group, or only the program. `'none'`: nothing had to be ended, or the program still
   * lives, since this process may not signal it or the kernel holds it.
   */
  readonly ended: 'tree' | 'group' | 'process' | 'none';
}

/** What a program writes, piece by piece, and how it ended. Once only. */
export interface CommandIteration<
  T,
  Out extends Sink = Sink,
  Err extends Sink = Sink,
> extends AsyncIterableIterator<T> {
  /**
   * Await it after the loop. If the loop ran to its end, it settles as `run()` would. If the loop was left early, or never
   * began, it rejects with `CommandAbortedError`, even if the program had already ended by itself; `error.result` says how the
   * program ended. An earlier deadline or output limit is reported instead. It never causes an unhandled rejection.
   *
   * @example
   * ```ts
   * const files = new Command('git', ['grep', '-lz', 'TODO'], { stderr: 'text' }).runNul(1, { check: false });
   * for await (const [file] of files) use(file);
   * const { exitCode, stderr } = await files.result;
   * ```
   */
  readonly result: Promise<CommandResult<Out, Err>>;
  /** The next piece. After the last one the value is the result, or `undefined` if the loop was left. */
  next(): Promise<IteratorResult<T, CommandResult<Out, Err> | undefined>>;
  /** Itself. */
  [Symbol.asyncIterator](): this;
}
