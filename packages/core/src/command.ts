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
 * Setters never throw. The first wrong call is remembered, and the run rejects with a {@link CommandUsageError} that names
 * the call and whose stack points at it. Every run takes a snapshot: setters that are called meanwhile affect only the next
 * run. A command can run only once at a time; {@link Command.clone} makes an independent copy.
 *
 * Defaults are the safe ones: stdin, stdout and stderr are `/dev/null`, other descriptors are closed where the backend can
 * do so (`close-other-fds`), and no shell is ever involved.
 *
 * @example
 * ```ts
 * const { stdout } = await new Command('git').addArgs(['log', '-1', '--format=%s']).setOutputBuffer().run();
 * ```
 */
export interface Command<Out extends Sink = Sink, Err extends Sink = Sink, In extends Source = Source> {
  /**
   * Appends one argument, which may be empty (`virCommandAddArg`). Text must be well formed, and the argument must not
   * contain a NUL byte. Bytes that are not valid UTF-8 need feature `raw-bytes`.
   */
  addArg(value: Arg): this;
  /** Appends the arguments of an array, which may be empty (`virCommandAddArgSet`). */
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
  /** Sets `argv[0]` as the program sees it. Default: the program as given. Needs feature `argv0`. */
  setArgv0(value: Arg): this;

  /**
   * Adds a variable (`virCommandAddEnvPair`). After the first `addEnv…` call the program no longer inherits the parent's
   * environment.
   */
  addEnvPair(name: string, value: Arg): this;
  /** Adds a formatted `NAME=value`, as {@link Command.addArgFormat} (`virCommandAddEnvFormat`). */
  addEnvFormat(format: string, ...values: (Arg | number | bigint)[]): this;
  /** Adds `NAME=value` (`virCommandAddEnvString`; without `=` it is a usage error). */
  addEnvString(nameEqualsValue: Arg): this;
  /**
   * Adds a variable with the value that the parent has at this moment, if it is set (`virCommandAddEnvPass`). Unlike
   * virCommand, the call ends the inheritance of the environment even if the variable is not set.
   */
  addEnvPass(name: string): this;
  /**
   * Adds `LC_ALL=C`, and passes those of LD_PRELOAD, LD_LIBRARY_PATH, DYLD_INSERT_LIBRARIES, DYLD_FORCE_FLAT_NAMESPACE,
   * PATH, HOME, USER, LOGNAME and TMPDIR that are set, in this order (`virCommandAddEnvPassCommon`).
   */
  addEnvPassCommon(): this;
  /** Adds XDG_DATA_HOME, XDG_CACHE_HOME and XDG_CONFIG_HOME below a directory (`virCommandAddEnvXDG`). */
  addEnvXdg(baseDirectory: string): this;
  /** Empties the environment and drops what was added before; later calls add to it. Not in virCommand. */
  clearEnv(): this;

  /**
   * Sets what the program reads from stdin before EOF (`virCommandSetInputBuffer`). NUL bytes are allowed here. Every run
   * sends the data again. Bytes are not copied, so do not change them until the run is over: if their memory was transferred
   * or made smaller, the run rejects with a usage error, or with a `CommandIoError` if the program was being started
   * already. A program that does not read its input is not an error.
   */
  setInputBuffer(data: Bytes | Secret): this;
  /**
   * Captures stdout as text, or with `'buffer'` as bytes: it is `stdout` of the result (`virCommandSetOutputBuffer`). A
   * second setter for the same stream is a usage error.
   */
  setOutputBuffer(): Command<'text', Err, In>;
  setOutputBuffer(encoding: 'buffer'): Command<'bytes', Err, In>;
  /** Captures stderr as text, or with `'buffer'` as bytes (`virCommandSetErrorBuffer`). */
  setErrorBuffer(): Command<Out, 'text', In>;
  setErrorBuffer(encoding: 'buffer'): Command<Out, 'bytes', In>;
  /**
   * Reads stdin from a descriptor, or from a pipe that the caller of `runAsync()` writes to (`virCommandSetInputFD`). The
   * descriptor stays the caller's; unlike virCommand, nothing here closes it. A descriptor needs feature `fd-stdio`.
   */
  setInputFd(fd: Fd): Command<Out, Err, 'none'>;
  setInputFd(pipe: 'pipe'): Command<Out, Err, 'pipe'>;
  /**
   * Sends stdout to a descriptor, which stays the caller's, or to a pipe that the caller of `runAsync()` reads
   * (`virCommandSetOutputFD`). A descriptor needs feature `fd-stdio`.
   */
  setOutputFd(fd: Fd): Command<'none', Err, In>;
  setOutputFd(pipe: 'pipe'): Command<'pipe', Err, In>;
  /**
   * As {@link Command.setOutputFd}, for stderr (`virCommandSetErrorFD`). `'stdout'` is `2>&1`: both share one pipe, in the
   * order in which the program writes.
   */
  setErrorFd(fd: Fd | 'stdout'): Command<Out, 'none', In>;
  setErrorFd(pipe: 'pipe'): Command<Out, 'pipe', In>;
  /** Reads stdin from a file. Needs feature `file-stdio`. */
  setInputFile(path: string): Command<Out, Err, 'none'>;
  /** Writes stdout to a file, which is created or truncated, or appended to. Needs feature `file-stdio`. */
  setOutputFile(path: string, options?: { readonly append?: boolean | undefined }): Command<'none', Err, In>;
  /** Writes stderr to a file, which is created or truncated, or appended to. Needs feature `file-stdio`. */
  setErrorFile(path: string, options?: { readonly append?: boolean | undefined }): Command<Out, 'none', In>;
  /**
   * Allows input and output buffers with `runAsync()`; they are complete after `wait()` (`virCommandDoAsyncIO`). Without
   * this call, buffers with `runAsync()` are a usage error.
   */
  doAsyncIo(): this;
  /** Makes the parent's reading ends of output pipes nonblocking (`virCommandNonblockingFDs`). Needs feature `nonblocking-fds`. */
  nonblockingFds(): this;
  /**
   * Gives the program a descriptor, under the same number or under `as`, 3 or more (`virCommandPassFD`). It stays the
   * caller's. With `closeInParent` core takes it when the run begins, and closes it once, when the program has started or
   * failed to start (even by a usage error); such a command can run only once. Needs feature `pass-fd`.
   *
   * @example
   * ```ts
   * new Command('cat', ['/dev/fd/9']).passFd(file, { as: 9 }).setOutputBuffer();
   * ```
   */
  passFd(fd: Fd, options?: Omit<PassFd, 'fd'>): this;
  /**
   * The program reads `data`, then EOF, from its descriptor `fd`, 3 or more (`virCommandSetSendBuffer`, which chooses the
   * number itself). Bytes are not copied, so do not change them until the run is over. Needs feature `send-buffer`.
   *
   * @example
   * ```ts
   * new Command('gpg', ['--passphrase-fd', '5', '-d', 'file.gpg']).setSendBuffer(5, secret(passphrase));
   * ```
   */
  setSendBuffer(fd: number, data: Bytes | Secret): this;

  /**
   * Sets the program's working directory; a relative path is relative to the parent's (`virCommandSetWorkingDirectory`).
   * Default: the parent's. May be called once, and not for a daemon. Needs feature `cwd`.
   */
  setWorkingDirectory(path: string): this;
  /**
   * Sets a pid file (`virCommandSetPidFile`). The process that becomes the program creates, locks and writes it, and keeps
   * the lock. Needs `daemonize()` and feature `pid-file`.
   */
  setPidFile(path: string): this;
  /**
   * Makes the program a daemon: it has a session of its own and `/` as working directory, and is not a child of this process
   * (`virCommandDaemonize`). `run()` resolves when the daemon has started and all its input was written. `runAsync()` is for
   * pipes and a handshake. A daemon outlives this process, so its output cannot be captured: `runLines()`, `runRegex()`,
   * `runNul()` and `killOnParentExit` are usage errors, and so is input with `runSync()`. Needs feature `daemon`.
   *
   * @example
   * ```ts
   * const daemon = await new Command('server').daemonize().setPidFile('/run/server.pid').requireHandshake().runAsync();
   * use(daemon.pid); // The process exists, and the program has not begun.
   * await daemon.handshakeNotify();
   * ```
   */
  daemonize(): this;
  /** Gives the program a session of its own, without controlling terminal. Needs feature `session`. */
  setSession(): this;
  /** `true` (default): the program gets a process group of its own; `false`: it stays in the parent's. Needs feature `process-group`. */
  setProcessGroup(own?: boolean): this;
  /**
   * Sets the real, effective and saved user id, 0 to 0xfffffffe (`virCommandSetUID`). Default: unchanged. The group stays
   * unless {@link Command.setGid} sets one. The supplementary groups become those that the user database lists for this user
   * (none for an unknown user), unless {@link Command.setGroups} sets them; `child-process` cannot look them up, so there the
   * program gets none. A user id other than root's leaves the program only the capabilities of {@link Command.allowCap},
   * even if this process has the same user id; only {@link Command.clearCaps} removes any from the bounding set. An id that
   * this process may not take fails the start with stage `privileges`; with `child-process`, so do ambient capabilities of
   * this process. Needs feature `uid-gid`.
   *
   * @example
   * ```ts
   * new Command('id').setUid(33).setGid(33).setNoNewPrivs();
   * ```
   */
  setUid(uid: number): this;
  /**
   * Sets the real, effective and saved group id, 0 to 0xfffffffe (`virCommandSetGID`). Default: unchanged. Without
   * {@link Command.setUid} and {@link Command.setGroups} the program has no supplementary groups. Needs feature `uid-gid`.
   */
  setGid(gid: number): this;
  /**
   * Sets exactly these supplementary groups, instead of those of the user; `[]`: none. Default: see {@link Command.setUid};
   * without user and group they stay unchanged. Not in virCommand. Needs feature `groups`.
   */
  setGroups(groups: readonly number[]): this;
  /** Sets the umask, 0 to 0o777; 0 is possible, unlike virCommand (`virCommandSetUmask`). Default: the parent's. Needs feature `umask`. */
  setUmask(mask: number): this;
  /**
   * Sets the nice value, -20 (runs first) to 19 (runs last). Default: the parent's. A lower one than the parent's needs
   * CAP_SYS_NICE; without it the start fails with stage `limits`, EACCES. Not in virCommand. Needs feature `nice`.
   */
  setNice(nice: number): this;
  /**
   * Sets the processors that the program may use, by number (0 to 8191), at least one. Default: the parent's. A processor
   * that does not exist, or that this process may not use, fails the start with stage `limits`, EINVAL; the kernel by itself
   * would ignore it. Not in virCommand. Needs feature `affinity`.
   */
  setAffinity(processors: readonly number[]): this;
  /**
   * Drops all capabilities but those of {@link Command.allowCap} from all five sets (`virCommandClearCaps`). Dropping from
   * the bounding set needs CAP_SETPCAP: without it, and if there is something to drop, the start fails with stage
   * `privileges`, EPERM; {@link Command.setNoNewPrivs} protects in that case too. Needs feature `capabilities`.
   */
  clearCaps(): this;
  /**
   * Gives the program a capability of this process, even under another user: permitted, effective, inheritable and ambient,
   * and kept in the bounding set (`virCommandAllowCap`). It is named by its kernel name or by its number, 0 to 63. A
   * capability that this process does not have fails the start with stage `privileges`, EPERM; one that the kernel does not
   * know, with stage `capabilities`, EINVAL. Needs feature `capabilities`.
   *
   * @example
   * ```ts
   * new Command('dnsmasq').setUid(999).setGid(999).clearCaps().allowCap('CAP_NET_BIND_SERVICE');
   * ```
   */
  allowCap(capability: Capability | number): this;
  /** Neither the program nor its descendants gain privileges by executing a file. Not in virCommand. Needs feature `no-new-privs`. */
  setNoNewPrivs(): this;
  /**
   * Sets any of {@link Limits}, soft and hard. Default: this process's limit. A limit takes effect when the program begins;
   * the hook and the change of user do not run under it. To raise a hard limit needs CAP_SYS_RESOURCE; without it the start
   * fails with stage `limits`, EPERM. Needs feature `limits`.
   *
   * @example
   * ```ts
   * new Command('make').setLimit('cpu', { soft: 60, hard: 70 }).setLimit('fileSize', 1e9);
   * ```
   */
  setLimit(name: keyof Limits, limit: Limit): this;
  /**
   * Limits how many bytes of memory the program may lock (RLIMIT_MEMLOCK), soft and hard (`virCommandSetMaxMemLock`).
   * Default: this process's limit. Needs feature `limits`.
   */
  setMaxMemLock(bytes: number): this;
  /**
   * Limits how many processes and threads the program's user may have (RLIMIT_NPROC), soft and hard
   * (`virCommandSetMaxProcesses`). Default: this process's limit. Needs feature `limits`.
   */
  setMaxProcesses(count: number): this;
  /**
   * Limits descriptor numbers to those below `count` (RLIMIT_NOFILE), soft and hard (`virCommandSetMaxFiles`, which sets one
   * more). Default: this process's limit. Needs feature `limits`.
   */
  setMaxFiles(count: number): this;
  /**
   * Limits the size of a core dump in bytes (RLIMIT_CORE), soft and hard; 0 disables core dumps (`virCommandSetMaxCoreSize`).
   * Default: this process's limit. Needs feature `limits`.
   */
  setMaxCoreSize(bytes: number): this;
  /**
   * Sets the SELinux label of the program; the last call counts (`virCommandSetSELinuxLabel`). Default: what the policy
   * says. A label that the kernel refuses, or a kernel without SELinux, fails the start with stage `label`. In permissive
   * mode, as with virCommand, a refused label is not set and the program runs. Needs feature `selinux`.
   */
  setSelinuxLabel(label: string): this;
  /**
   * Sets the AppArmor profile of the program; the last call counts (`virCommandSetAppArmorProfile`). Default: what the policy
   * says. A profile that is not loaded, or a kernel without AppArmor, fails the start with stage `label`. Needs feature
   * `apparmor`.
   */
  setAppArmorProfile(profile: string): this;
  /**
   * Sets a function that is called in the process that becomes the program, before that process drops its privileges
   * (`virCommandSetPreExecHook`). If it throws, rejects or returns a number other than 0, the start fails with stage `hook`.
   * Since it runs in another process, it is named by its module, and gets JSON data; its streams are `/dev/null`. May be
   * called once. Needs feature `hook`.
   *
   * @example
   * ```ts
   * command.setPreExecHook({ module: new URL('file:///srv/hook.js'), export: 'prepare', data: { cpu: 1 } });
   * ```
   */
  setPreExecHook(hook: HookReference): this;
  /**
   * Holds the program before exec until `handshakeNotify()` (`virCommandRequireHandshake`). `runAsync()` resolves when the
   * program is held; all other ways to run it are usage errors. May be called once. Needs feature `handshake`.
   */
  requireHandshake(): this;
  /** Accepts any end of the program, even a death by signal (`virCommandRawStatus`). */
  rawStatus(): this;
  /**
   * Gives the program a core-scheduling group of its own (`virCommandSetRunAlone`). A kernel without core scheduling fails
   * the start with stage `core-scheduling`, EINVAL. Needs feature `core-scheduling`.
   */
  setRunAlone(): this;
  /** Puts the program into the core-scheduling group of a process (`virCommandSetRunAmong`). Needs feature `core-scheduling`. */
  setRunAmong(pid: number): this;

  /**
   * Runs the program and **waits for its end** (to only start it, use `runAsync()`); resolves with how it ended and what was
   * captured (`virCommandRun`).
   *
   * @throws CommandUsageError, UnsupportedFeatureError, CommandStartError: nothing was started. CommandExitError unless
   * the exit code is 0 (see `check` and `rawStatus()`). CommandTimeoutError, CommandAbortedError, OutputLimitError,
   * CommandIoError: `error.result` has all that is known.
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
   * Only **starts** the program (`virCommandRunAsync`): resolves when the program runs (with a handshake: when it is held),
   * **not at its end**. To wait for the end, call `wait()` of the result. The deadline counts from this call. Unlike
   * virCommand, it can start a daemon too.
   */
  runAsync(options?: RunOptions): Promise<RunningCommand<Out, Err, In>>;
  /**
   * This process **becomes** the program and does not return (`virCommandExec`): the same pid, parent, group and terminal,
   * with everything that the command says. A standard stream that the command does not set stays that of this process;
   * descriptors that it does not pass are closed. No JavaScript runs any more: no `exit` listeners and no `finally`, and what
   * streams still buffer is lost. Programs that this process runs become children of the program. It cannot be called in a
   * worker thread, nor with buffers, pipes, `daemonize()`, a hook or a handshake. Needs feature `exec`.
   *
   * @throws CommandUsageError, UnsupportedFeatureError: nothing was changed. CommandStartError: descriptors and signals are
   * as they were. But the steps before the stage that failed, in the order of a start, have changed this process; if stage
   * `privileges` or a later one failed, this process should end.
   *
   * @example
   * ```ts
   * new Command('nginx', ['-g', 'daemon off;']).setUid(33).setGid(33).exec();
   * ```
   */
  exec(): never;
  /**
   * Starts the program with the first `next()` and iterates over its lines, with backpressure: a slow reader makes the
   * program wait. A line ends with `\n` or `\r\n`, neither of which is part of it; a lone `\r` is text, and the last line may
   * have no end. Leaving the loop aborts the program, without an error. If the program fails, the loop rejects after the last
   * line. Everything else that `run()` would resolve with is in `result`.
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
   * Iterates over rows, one for each line that **all** patterns match: the capture groups of all patterns
   * (`virCommandRunRegex`, where the newline at the very end makes an empty line; here it does not). `prefix` is removed from
   * a line before it is matched. A group that took no part in the match is the empty string. Otherwise as `runLines()`.
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
   * Iterates over rows of `columns` NUL-terminated fields (`virCommandRunNul`). The last row may be shorter; without output
   * there is no row. Otherwise as `runLines()`.
   *
   * @example
   * ```ts
   * for await (const [file] of new Command('find', ['.', '-print0']).runNul(1)) use(file);
   * ```
   */
  runNul(columns: number, options?: RunOptions & LineOptions): CommandIteration<string[], Out, Err>;

  /** Makes an independent copy that may run beside this one. @throws CommandUsageError if a descriptor is to be closed in the parent. */
  clone(): Command<Out, Err, In>;
  /** Returns the arguments without `argv[0]`, secrets as `***` (`virCommandGetArgList`). @throws CommandUsageError for an earlier wrong call. */
  getArgList(): readonly Bytes[];
  /** Returns shell text, secrets as `***`; `<invalid command: …>` after a wrong call (`virCommandToString`). */
  toString(): string;
  /**
   * As `toString()`; with `lineBreaks` each part has its own line, with `stripPath` the program's directory is left out
   * (`virCommandToStringFull`). Wrong options give `<invalid command: …>` too.
   */
  toStringFull(options?: {
    readonly lineBreaks?: boolean | undefined;
    readonly stripPath?: boolean | undefined;
  }): string;
  /**
   * Writes environment and arguments, unquoted, secrets as `***`, and a newline to a descriptor (`virCommandWriteArgLog`).
   * Errors while writing are ignored. After a wrong call of a setter nothing is written.
   */
  writeArgLog(fd: Fd): void;
}

/** What a backend package exports as `Command`. */
export interface CommandConstructor {
  /** A program by name (looked for in the parent's PATH) or path, with arguments (`virCommandNew`, `virCommandNewArgs`). */
  new (program: Bytes, args?: readonly Arg[]): Command;
  /** The options form: does the same as the setters, for those who know `child_process`. */
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
  /** True for the Command of every package, even of another copy of core. */
  [Symbol.hasInstance](value: unknown): value is Command;
}

/** A Command without backend: give `{ backend }`, or a run is a usage error. Backend packages export one bound to theirs. */
export const Command: CommandConstructor = makeConstructor(undefined);
