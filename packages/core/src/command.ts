/** The public interface of a command: what can be said of a program to run, and the ways to run it. */
import { makeConstructor } from './bind';
import type { Backend } from './contract';
import type { RunningCommand } from './running';
import type { Secret } from './secret';
import type {
  Arg,
  AsBytes,
  Bytes,
  BytesRunOptions,
  Capability,
  CommandOptions,
  CommandResult,
  Fd,
  HookReference,
  Limit,
  Limits,
  LineOptions,
  PassFd,
  RunOptions,
  Sink,
  SinkOf,
  Source,
  SourceOf,
  StderrOption,
  StdinOption,
  StdoutOption,
} from './types';

/**
 * A reusable description of a program to run (virCommand).
 *
 * Setters never throw: the first misuse sticks, and the run rejects with a {@link CommandUsageError} that names the call
 * and whose stack points at it. Every run takes a snapshot; setters called meanwhile are for the next one. One command
 * runs once at a time; {@link Command.clone} makes an independent one.
 *
 * Defaults are the safe ones: stdin, stdout and stderr are `/dev/null`, other descriptors are closed where the backend can
 * (`close-other-fds`), and no shell is ever involved.
 *
 * @example
 * ```ts
 * const { stdout } = await new Command('git').addArgs(['log', '-1', '--format=%s']).setOutputBuffer().run();
 * ```
 */
export interface Command<Out extends Sink = Sink, Err extends Sink = Sink, In extends Source = Source> {
  /** Appends one argument; the empty string is one (`virCommandAddArg`). */
  addArg(value: Arg): this;
  /** Appends the arguments of an array (`virCommandAddArgSet`; an empty array is no error). */
  addArgs(values: readonly Arg[]): this;
  /** Appends its arguments (`virCommandAddArgList`). */
  addArgList(...values: Arg[]): this;
  /** Appends `name=value` as one argument (`virCommandAddArgPair`). */
  addArgPair(name: string, value: Arg): this;
  /** Appends one argument, formatted: `%s %d %x %%` only (`virCommandAddArgFormat`). */
  addArgFormat(format: string, ...values: (Arg | number | bigint)[]): this;
  /** `argv[0]` as the program sees it. Needs feature `argv0`. */
  setArgv0(value: Arg): this;

  /** Adds a variable; the first `addEnv…` call ends the inheritance of the parent's environment (`virCommandAddEnvPair`). */
  addEnvPair(name: string, value: Arg): this;
  /** Adds a formatted `NAME=value`, as {@link Command.addArgFormat} (`virCommandAddEnvFormat`). */
  addEnvFormat(format: string, ...values: (Arg | number | bigint)[]): this;
  /** Adds `NAME=value` (`virCommandAddEnvString`; without `=` it is a usage error). */
  addEnvString(nameEqualsValue: Arg): this;
  /** Adds the parent's value of now, if it is set; ends the inheritance in any case (`virCommandAddEnvPass`). */
  addEnvPass(name: string): this;
  /** Adds `LC_ALL=C` and passes the loader's variables, PATH, HOME, USER, LOGNAME, TMPDIR (`virCommandAddEnvPassCommon`). */
  addEnvPassCommon(): this;
  /** Adds XDG_DATA_HOME, XDG_CACHE_HOME and XDG_CONFIG_HOME below a directory (`virCommandAddEnvXDG`). */
  addEnvXdg(baseDirectory: string): this;
  /** An empty environment, to be added to. */
  clearEnv(): this;

  /** What the program reads from stdin (`virCommandSetInputBuffer`). NUL bytes are fine here. */
  setInputBuffer(data: Bytes | Secret): this;
  /** Captures stdout as text, or with `'buffer'` as bytes (`virCommandSetOutputBuffer`). */
  setOutputBuffer(): Command<'text', Err, In>;
  setOutputBuffer(encoding: 'buffer'): Command<'bytes', Err, In>;
  /** Captures stderr as text, or with `'buffer'` as bytes (`virCommandSetErrorBuffer`). */
  setErrorBuffer(): Command<Out, 'text', In>;
  setErrorBuffer(encoding: 'buffer'): Command<Out, 'bytes', In>;
  /** stdin from a descriptor, which stays the caller's, or a pipe to the caller of `runAsync()` (`virCommandSetInputFD`). */
  setInputFd(fd: Fd): Command<Out, Err, 'none'>;
  setInputFd(pipe: 'pipe'): Command<Out, Err, 'pipe'>;
  /** stdout to a descriptor, which stays the caller's, or a pipe to the caller of `runAsync()` (`virCommandSetOutputFD`). */
  setOutputFd(fd: Fd): Command<'none', Err, In>;
  setOutputFd(pipe: 'pipe'): Command<'pipe', Err, In>;
  /** As {@link Command.setOutputFd} for stderr; `'stdout'` is `2>&1`: one pipe, in the program's order (`virCommandSetErrorFD`). */
  setErrorFd(fd: Fd | 'stdout'): Command<Out, 'none', In>;
  setErrorFd(pipe: 'pipe'): Command<Out, 'pipe', In>;
  /** stdin from a file. Needs feature `file-stdio`. */
  setInputFile(path: string): Command<Out, Err, 'none'>;
  /** stdout to a file, created or truncated, or appended to. Needs feature `file-stdio`. */
  setOutputFile(path: string, options?: { readonly append?: boolean | undefined }): Command<'none', Err, In>;
  /** stderr to a file, created or truncated, or appended to. Needs feature `file-stdio`. */
  setErrorFile(path: string, options?: { readonly append?: boolean | undefined }): Command<Out, 'none', In>;
  /** Lets `runAsync()` feed and capture buffers, complete after `wait()` (`virCommandDoAsyncIO`). */
  doAsyncIo(): this;
  /** Reading ends of output pipes never block in the parent (`virCommandNonblockingFDs`). Needs feature `nonblocking-fds`. */
  nonblockingFds(): this;
  /** Gives the program a descriptor, by the same or another number (`virCommandPassFD`). Needs feature `pass-fd`. */
  passFd(fd: Fd, options?: Omit<PassFd, 'fd'>): this;
  /** The program reads `data`, then EOF, from descriptor `fd` of its own (`virCommandSetSendBuffer`). Needs feature `send-buffer`. */
  setSendBuffer(fd: number, data: Bytes | Secret): this;

  /** Once only; not with a daemon (`virCommandSetWorkingDirectory`). */
  setWorkingDirectory(path: string): this;
  /** Created, locked and written by the process that is the program; needs `daemonize()` (`virCommandSetPidFile`). */
  setPidFile(path: string): this;
  /** Session of its own, `/`, reparented; `run()` resolves when it has started (`virCommandDaemonize`). */
  daemonize(): this;
  /** A session of its own, without controlling terminal. Needs feature `session`. */
  setSession(): this;
  /** `true` (default): a process group of its own; `false`: the parent's. Needs feature `process-group`. */
  setProcessGroup(own?: boolean): this;
  /** (`virCommandSetUID`) */
  setUid(uid: number): this;
  /** (`virCommandSetGID`) */
  setGid(gid: number): this;
  /** Supplementary groups, instead of those of the user. */
  setGroups(groups: readonly number[]): this;
  /** 0 to 0o777; 0 can be asked for, other than upstream (`virCommandSetUmask`). */
  setUmask(mask: number): this;
  /** -20 to 19. */
  setNice(nice: number): this;
  /** Processor numbers. */
  setAffinity(processors: readonly number[]): this;
  /** Drops all capabilities that are not allowed (`virCommandClearCaps`). */
  clearCaps(): this;
  /** Keeps a capability (`virCommandAllowCap`). */
  allowCap(capability: Capability): this;
  /** Neither the program nor its descendants gain privileges by executing anything. */
  setNoNewPrivs(): this;
  /** Any of {@link Limits}. */
  setLimit(name: keyof Limits, limit: Limit): this;
  /** Bytes (`virCommandSetMaxMemLock`). */
  setMaxMemLock(bytes: number): this;
  /** (`virCommandSetMaxProcesses`) */
  setMaxProcesses(count: number): this;
  /** Exactly `count`, other than upstream, which sets one more (`virCommandSetMaxFiles`). */
  setMaxFiles(count: number): this;
  /** Bytes; 0 disables core dumps (`virCommandSetMaxCoreSize`). */
  setMaxCoreSize(bytes: number): this;
  /** (`virCommandSetSELinuxLabel`) */
  setSelinuxLabel(label: string): this;
  /** (`virCommandSetAppArmorProfile`) */
  setAppArmorProfile(profile: string): this;
  /** A function to call in the process that becomes the program, just before exec (`virCommandSetPreExecHook`). */
  setPreExecHook(hook: HookReference): this;
  /** Holds the program before exec until `handshakeNotify()`; needs `runAsync()` (`virCommandRequireHandshake`). */
  requireHandshake(): this;
  /** Accepts any end of the program, also a death by signal (`virCommandRawStatus`). */
  rawStatus(): this;
  /** A core-scheduling group of its own (`virCommandSetRunAlone`). */
  setRunAlone(): this;
  /** The core-scheduling group of a process (`virCommandSetRunAmong`). */
  setRunAmong(pid: number): this;

  /**
   * Runs the program and **waits for its end** (to only start it, use `runAsync()`); resolves with what was captured
   * (`virCommandRun`).
   *
   * @throws CommandUsageError, UnsupportedFeatureError, CommandStartError: nothing was started. CommandExitError unless
   * the exit code is 0 (see `check` and `rawStatus()`). CommandTimeoutError, CommandAbortedError, OutputLimitError,
   * CommandIoError: with what is known in `error.result`.
   *
   * @example
   * ```ts
   * const { stdout } = await new Command('uname', ['-r'], { stdout: 'text' }).run({ timeout: 5_000 });
   * ```
   */
  run(options: BytesRunOptions): Promise<CommandResult<AsBytes[Out], AsBytes[Err]>>;
  run(options?: RunOptions): Promise<CommandResult<Out, Err>>;
  /** As `run()`, but blocks the thread; the errors are thrown. Needs feature `sync`, and `sync-deadline` for bounds. */
  runSync(options: Omit<BytesRunOptions, 'signal'>): CommandResult<AsBytes[Out], AsBytes[Err]>;
  runSync(options?: Omit<RunOptions, 'signal'>): CommandResult<Out, Err>;
  /**
   * Only **starts** the program: resolves when it runs (with a handshake: when it is held), **not at its end**; that is
   * `wait()` of what it resolves with. The deadline counts from this call (`virCommandRunAsync`).
   */
  runAsync(options?: RunOptions): Promise<RunningCommand<Out, Err, In>>;
  /** Runs the program with the first `next()` and iterates over its lines, with backpressure; leaving the loop aborts it. */
  runLines(options?: RunOptions & LineOptions): AsyncIterableIterator<string>;
  /**
   * Rows of the capture groups of all patterns, for each line (less `prefix`) that **all** of them match
   * (`virCommandRunRegex`). A group that took no part is the empty string.
   */
  runRegex(
    patterns: readonly RegExp[],
    options?: RunOptions & LineOptions & { readonly prefix?: string | undefined },
  ): AsyncIterableIterator<string[]>;
  /** Rows of `columns` NUL-terminated fields; the last one may be shorter (`virCommandRunNul`). */
  runNul(columns: number, options?: RunOptions & LineOptions): AsyncIterableIterator<string[]>;

  /** An independent copy that may run beside this one. @throws CommandUsageError if a descriptor is to be closed in the parent. */
  clone(): Command<Out, Err, In>;
  /** The arguments without `argv[0]`; secrets as `***` (`virCommandGetArgList`). @throws the deferred CommandUsageError. */
  getArgList(): readonly Bytes[];
  /** Shell text, secrets as `***`; `<invalid command: …>` for an unusable one (`virCommandToString`). */
  toString(): string;
  /** (`virCommandToStringFull`) */
  toStringFull(options?: {
    readonly lineBreaks?: boolean | undefined;
    readonly stripPath?: boolean | undefined;
  }): string;
  /** Writes environment and arguments unquoted and a newline to a descriptor; errors of it are ignored (`virCommandWriteArgLog`). */
  writeArgLog(fd: Fd): void;
}

/** What a backend package exports as `Command`. */
export interface CommandConstructor {
  /** A program by name (looked for in the parent's PATH) or path, with arguments (`virCommandNew`, `virCommandNewArgs`). */
  new (program: Bytes, args?: readonly Arg[]): Command;
  /** The options form: the same as the setters, for who knows `child_process`. */
  new <
    O extends StdoutOption | undefined = 'null',
    E extends StderrOption | undefined = 'null',
    I extends StdinOption | undefined = 'null',
  >(
    program: Bytes,
    args: readonly Arg[],
    options: CommandOptions & { readonly stdout?: O; readonly stderr?: E; readonly stdin?: I },
  ): Command<SinkOf<O>, SinkOf<E>, SourceOf<I>>;
  /** The backend that this constructor binds; `undefined` on core's own. */
  readonly backend: Backend | undefined;
  /** True for every package's Command, also of another copy of core. */
  [Symbol.hasInstance](value: unknown): value is Command;
}

/** Unbound: give `{ backend }`, or the run is a usage error. Backend packages export a bound one of the same type. */
export const Command: CommandConstructor = makeConstructor(undefined);
