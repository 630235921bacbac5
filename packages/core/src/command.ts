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
  CommandIteration,
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
  /**
   * Appends one argument; the empty string is one (`virCommandAddArg`). Text must be well formed, and nothing may hold a
   * NUL byte. Bytes that are no UTF-8 need feature `raw-bytes`.
   */
  addArg(value: Arg): this;
  /** Appends the arguments of an array (`virCommandAddArgSet`; an empty array is no error). */
  addArgs(values: readonly Arg[]): this;
  /** Appends its arguments (`virCommandAddArgList`). */
  addArgList(...values: Arg[]): this;
  /** Appends `name=value` as one argument (`virCommandAddArgPair`). */
  addArgPair(name: string, value: Arg): this;
  /**
   * Appends one argument, formatted: `%s` (text, bytes, numbers, secrets), `%d` and `%x` (whole numbers) and `%%` only
   * (`virCommandAddArgFormat`).
   *
   * @example
   * ```ts
   * new Command('nice').addArgFormat('--adjustment=%d', 5);
   * ```
   */
  addArgFormat(format: string, ...values: (Arg | number | bigint)[]): this;
  /** `argv[0]` as the program sees it. Needs feature `argv0`. */
  setArgv0(value: Arg): this;

  /** Adds a variable; the first `addEnv…` call ends the inheritance of the parent's environment (`virCommandAddEnvPair`). */
  addEnvPair(name: string, value: Arg): this;
  /** Adds a formatted `NAME=value`, as {@link Command.addArgFormat} (`virCommandAddEnvFormat`). */
  addEnvFormat(format: string, ...values: (Arg | number | bigint)[]): this;
  /** Adds `NAME=value` (`virCommandAddEnvString`; without `=` it is a usage error). */
  addEnvString(nameEqualsValue: Arg): this;
  /**
   * Adds the parent's value of now, if it is set; ends the inheritance in any case, other than upstream
   * (`virCommandAddEnvPass`).
   */
  addEnvPass(name: string): this;
  /**
   * Adds `LC_ALL=C` and passes, where set, LD_PRELOAD, LD_LIBRARY_PATH, DYLD_INSERT_LIBRARIES,
   * DYLD_FORCE_FLAT_NAMESPACE, PATH, HOME, USER, LOGNAME and TMPDIR, in this order (`virCommandAddEnvPassCommon`).
   */
  addEnvPassCommon(): this;
  /** Adds XDG_DATA_HOME, XDG_CACHE_HOME and XDG_CONFIG_HOME below a directory (`virCommandAddEnvXDG`). */
  addEnvXdg(baseDirectory: string): this;
  /** An empty environment, to be added to; what was added before is gone. Ours. */
  clearEnv(): this;

  /**
   * What the program reads from stdin, then EOF (`virCommandSetInputBuffer`). NUL bytes are fine here. Every run sends it
   * again; bytes are not copied, so leave them as they are until it is over: memory that was transferred or made smaller is a
   * usage error of the run, or a `CommandIoError` of a program that was being started. A program that does not read it is no
   * error.
   */
  setInputBuffer(data: Bytes | Secret): this;
  /**
   * Captures stdout as text, or with `'buffer'` as bytes: `stdout` of the result (`virCommandSetOutputBuffer`). Once only,
   * as everything that sets a stream.
   */
  setOutputBuffer(): Command<'text', Err, In>;
  setOutputBuffer(encoding: 'buffer'): Command<'bytes', Err, In>;
  /** Captures stderr as text, or with `'buffer'` as bytes (`virCommandSetErrorBuffer`). */
  setErrorBuffer(): Command<Out, 'text', In>;
  setErrorBuffer(encoding: 'buffer'): Command<Out, 'bytes', In>;
  /**
   * stdin from a descriptor, which stays the caller's, or a pipe to the caller of `runAsync()` (`virCommandSetInputFD`,
   * which closes the descriptor; here nothing does). A descriptor needs feature `fd-stdio`.
   */
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
  /**
   * Lets `runAsync()` feed and capture buffers, complete after `wait()` (`virCommandDoAsyncIO`). Without it, buffers with
   * `runAsync()` are a usage error.
   */
  doAsyncIo(): this;
  /** Reading ends of output pipes never block in the parent (`virCommandNonblockingFDs`). Needs feature `nonblocking-fds`. */
  nonblockingFds(): this;
  /**
   * Gives the program a descriptor, by the same number or by `as`, 3 or more (`virCommandPassFD`). It stays the caller's;
   * with `closeInParent` it is core's from the beginning of the run, and closed once when the program has started or
   * failed to, also by a usage error; that command runs once. Needs feature `pass-fd`.
   *
   * @example
   * ```ts
   * new Command('cat', ['/dev/fd/9']).passFd(file, { as: 9 }).setOutputBuffer();
   * ```
   */
  passFd(fd: Fd, options?: Omit<PassFd, 'fd'>): this;
  /**
   * The program reads `data`, then EOF, from its descriptor `fd`, 3 or more (`virCommandSetSendBuffer`, which chooses the
   * number). Bytes are not copied. Needs feature `send-buffer`.
   *
   * @example
   * ```ts
   * new Command('gpg', ['--passphrase-fd', '5', '-d', 'file.gpg']).setSendBuffer(5, secret(passphrase));
   * ```
   */
  setSendBuffer(fd: number, data: Bytes | Secret): this;

  /**
   * The program's working directory; a relative path is relative to the parent's. Default: the parent's. Once only, not
   * with a daemon (`virCommandSetWorkingDirectory`). Needs feature `cwd`.
   */
  setWorkingDirectory(path: string): this;
  /**
   * A pid file: created, locked and written by the process that is the program, which keeps the lock. Needs `daemonize()`
   * and feature `pid-file` (`virCommandSetPidFile`).
   */
  setPidFile(path: string): this;
  /**
   * A daemon: a session of its own, `/` as working directory, no child of this process; `run()` resolves when it has
   * started and what is sent to it is sent (`virCommandDaemonize`). `runAsync()` is for pipes and a handshake. It outlives
   * this process, so its output cannot be kept, and there are no lines of it by a `run…()`, no `killOnParentExit`, and with
   * `runSync()` nothing is sent. Needs feature `daemon`.
   *
   * @example
   * ```ts
   * const daemon = await new Command('server').daemonize().setPidFile('/run/server.pid').requireHandshake().runAsync();
   * use(daemon.pid); // It is there, and has not begun.
   * await daemon.handshakeNotify();
   * ```
   */
  daemonize(): this;
  /** A session of its own, without controlling terminal. Needs feature `session`. */
  setSession(): this;
  /** `true` (default): a process group of its own; `false`: the parent's. Needs feature `process-group`. */
  setProcessGroup(own?: boolean): this;
  /**
   * User id: real, effective and saved, 0 to 0xfffffffe; default: unchanged (`virCommandSetUID`). The group stays unless
   * {@link Command.setGid} says another one. Supplementary groups become those that the user database has for this user,
   * and none for an unknown one, unless {@link Command.setGroups} says them (`child-process`, which cannot look them up:
   * none). A program of another user than root has no capabilities but those of {@link Command.allowCap}, whoever starts
   * it, also if this process is that user; from the bounding set only {@link Command.clearCaps} takes. What may not be
   * taken fails the start with stage `privileges`, and so do, with `child-process`, ambient capabilities of this process.
   * Needs feature `uid-gid`.
   *
   * @example
   * ```ts
   * new Command('id').setUid(33).setGid(33).setNoNewPrivs();
   * ```
   */
  setUid(uid: number): this;
  /**
   * Group id: real, effective and saved, 0 to 0xfffffffe; default: unchanged (`virCommandSetGID`). Without
   * {@link Command.setUid} and {@link Command.setGroups} no supplementary group is left. Needs feature `uid-gid`.
   */
  setGid(gid: number): this;
  /**
   * Supplementary groups, exactly these, instead of those of the user; `[]`: none. Default: see {@link Command.setUid}; with
   * neither user nor group unchanged. Ours. Needs feature `groups`.
   */
  setGroups(groups: readonly number[]): this;
  /** The umask, 0 to 0o777; 0 can be asked for, other than upstream (`virCommandSetUmask`). Needs feature `umask`. */
  setUmask(mask: number): this;
  /** The nice value, -20 (first) to 19 (last). Less than now needs CAP_SYS_NICE: else stage `limits`, EACCES. Ours. Needs feature `nice`. */
  setNice(nice: number): this;
  /**
   * The processors that it may use, by number (0 to 8191), at least one. One that is not there, or that this process may not
   * use, fails the start with stage `limits`, EINVAL: the kernel would leave it out. Ours. Needs feature `affinity`.
   */
  setAffinity(processors: readonly number[]): this;
  /**
   * Drops all capabilities but those of {@link Command.allowCap} from all five sets (`virCommandClearCaps`). The bounding set
   * needs CAP_SETPCAP: without it the start fails with stage `privileges`, EPERM, unless nothing has to be dropped there;
   * {@link Command.setNoNewPrivs} then protects too. Needs feature `capabilities`.
   */
  clearCaps(): this;
  /**
   * Gives a capability of this process to the program, also under another user: permitted, effective, inheritable, ambient,
   * and kept in the bounding set (`virCommandAllowCap`). By its kernel name or by its number, 0 to 63. One that this process
   * has not fails the start with stage `privileges`, EPERM; one that the kernel knows not, with stage `capabilities`,
   * EINVAL. Needs feature `capabilities`.
   *
   * @example
   * ```ts
   * new Command('dnsmasq').setUid(999).setGid(999).clearCaps().allowCap('CAP_NET_BIND_SERVICE');
   * ```
   */
  allowCap(capability: Capability | number): this;
  /** Neither the program nor its descendants gain privileges by executing anything. Ours. Needs feature `no-new-privs`. */
  setNoNewPrivs(): this;
  /**
   * Any of {@link Limits}, soft and hard; default: this process's own. They begin with the program: neither hook nor user
   * change runs under them. Raising a hard one needs CAP_SYS_RESOURCE: else stage `limits`, EPERM. Needs feature `limits`.
   *
   * @example
   * ```ts
   * new Command('make').setLimit('cpu', { soft: 60, hard: 70 }).setLimit('fileSize', 1e9);
   * ```
   */
  setLimit(name: keyof Limits, limit: Limit): this;
  /** Bytes (`virCommandSetMaxMemLock`). */
  setMaxMemLock(bytes: number): this;
  /** (`virCommandSetMaxProcesses`) */
  setMaxProcesses(count: number): this;
  /** Exactly `count`, other than upstream, which sets one more (`virCommandSetMaxFiles`). */
  setMaxFiles(count: number): this;
  /** Bytes; 0 disables core dumps (`virCommandSetMaxCoreSize`). */
  setMaxCoreSize(bytes: number): this;
  /**
   * The SELinux label that the program executes with; the last call counts (`virCommandSetSELinuxLabel`). A label that the
   * kernel refuses, or a kernel without SELinux, fails the start with stage `label`; in permissive mode, as upstream, a
   * refused label is not set and the program runs. Needs feature `selinux`.
   */
  setSelinuxLabel(label: string): this;
  /**
   * The AppArmor profile that the program executes in; the last call counts (`virCommandSetAppArmorProfile`). A profile that
   * is not loaded, or a kernel without AppArmor, fails the start with stage `label`. Needs feature `apparmor`.
   */
  setAppArmorProfile(profile: string): this;
  /**
   * A function to call in the process that becomes the program, before its privileges are dropped; if it throws, rejects or
   * says a number other than 0, the start fails with stage `hook` (`virCommandSetPreExecHook`). A module and JSON data,
   * since it is another process; its streams are `/dev/null`. Once only. Needs feature `hook`.
   *
   * @example
   * ```ts
   * command.setPreExecHook({ module: new URL('file:///srv/hook.js'), export: 'prepare', data: { cpu: 1 } });
   * ```
   */
  setPreExecHook(hook: HookReference): this;
  /**
   * Holds the program before exec until `handshakeNotify()`; `runAsync()` resolves when it is held, other ways to run are
   * usage errors (`virCommandRequireHandshake`). Once only. Needs feature `handshake`.
   */
  requireHandshake(): this;
  /** Accepts any end of the program, also a death by signal (`virCommandRawStatus`). */
  rawStatus(): this;
  /**
   * A core-scheduling group of its own (`virCommandSetRunAlone`). A kernel without it fails the start with stage
   * `core-scheduling`, EINVAL. Needs feature `core-scheduling`.
   */
  setRunAlone(): this;
  /** The core-scheduling group of a process (`virCommandSetRunAmong`). Needs feature `core-scheduling`. */
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
   * `wait()` of what it resolves with. The deadline counts from this call (`virCommandRunAsync`). Also for a daemon, other
   * than upstream.
   */
  runAsync(options?: RunOptions): Promise<RunningCommand<Out, Err, In>>;
  /**
   * This process **becomes** the program and does not return (`virCommandExec`): the same pid, parent, group and terminal,
   * with everything that the command says. A stream of which nothing is said stays that of this process; other
   * descriptors than those passed are closed. Nothing of JavaScript runs any more: no `exit` listeners, no `finally`, and
   * what streams still buffer is lost. Programs that this process runs become children of the program. Not in a worker
   * thread; no buffers, pipes, `daemonize()`, hook or handshake. Needs feature `exec`.
   *
   * @throws CommandUsageError, UnsupportedFeatureError: nothing was changed. CommandStartError: descriptors and signals are
   * as they were, but what was asked for before the stage that failed has been done to this process, in the order of a
   * start; from stage `privileges` on it should end.
   *
   * @example
   * ```ts
   * new Command('nginx', ['-g', 'daemon off;']).setUid(33).setGid(33).exec();
   * ```
   */
  exec(): never;
  /**
   * Runs the program with the first `next()` and iterates over its lines, with backpressure: a reader that is slow makes
   * the program wait. A line ends with `\n` or `\r\n`, neither of which is part of it; a lone `\r` is text, and the last
   * line may have no end. Leaving the loop aborts the program, without an error; a bad end rejects after the last line.
   * What else `run()` would have resolved with is in `result`.
   *
   * @throws as `run()`, from `next()`.
   *
   * @example
   * ```ts
   * for await (const line of new Command('journalctl', ['-f']).runLines()) if (line.includes('ready')) break;
   * ```
   */
  runLines(options?: RunOptions & LineOptions): CommandIteration<string, Out, Err>;
  /**
   * Rows of the capture groups of all patterns, for each line (less `prefix`) that **all** of them match
   * (`virCommandRunRegex`; the newline at the very end makes no empty line here). A group that took no part is the empty
   * string. Otherwise as `runLines()`.
   *
   * @example
   * ```ts
   * for await (const [name, size] of new Command('lsblk', ['-rbno', 'NAME,SIZE']).runRegex([/^(\S+) (\d+)$/])) use(name, size);
   * ```
   */
  runRegex(
    patterns: readonly RegExp[],
    options?: RunOptions & LineOptions & { readonly prefix?: string | undefined },
  ): CommandIteration<string[], Out, Err>;
  /**
   * Rows of `columns` NUL-terminated fields; the last one may be shorter, and no output is no row (`virCommandRunNul`).
   * Otherwise as `runLines()`.
   *
   * @example
   * ```ts
   * for await (const [file] of new Command('find', ['.', '-print0']).runNul(1)) use(file);
   * ```
   */
  runNul(columns: number, options?: RunOptions & LineOptions): CommandIteration<string[], Out, Err>;

  /** An independent copy that may run beside this one. @throws CommandUsageError if a descriptor is to be closed in the parent. */
  clone(): Command<Out, Err, In>;
  /** The arguments without `argv[0]`; secrets as `***` (`virCommandGetArgList`). @throws the deferred CommandUsageError. */
  getArgList(): readonly Bytes[];
  /** Shell text, secrets as `***`; `<invalid command: …>` for an unusable one (`virCommandToString`). */
  toString(): string;
  /**
   * Shell text, as `toString()`, with a line for each part, or without the program's directory (`virCommandToStringFull`).
   * Wrong options give `<invalid command: …>` too.
   */
  toStringFull(options?: {
    readonly lineBreaks?: boolean | undefined;
    readonly stripPath?: boolean | undefined;
  }): string;
  /**
   * Writes environment and arguments, unquoted, secrets as `***`, and a newline to a descriptor; errors of it are ignored,
   * and nothing is written for an unusable command (`virCommandWriteArgLog`).
   */
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
