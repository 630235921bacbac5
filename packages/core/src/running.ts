/** A program that runs, as the caller of `runAsync()` holds it. */
import type { Readable, Writable } from 'node:stream';
import { inspect } from 'node:util';
import type { ChildHandle, LaunchPlan } from './contract';
import { CommandUsageError } from './errors';
import type { Run } from './lifecycle';
import { LineIterator } from './lines';
import { hide } from './plain';
import { readKillDelay, readRunOptions } from './run-options';
import { signalName, signalNumber } from './status';
import type { CommandResult, LineOptions, SignalName, Sink, Source, Streamed, Written } from './types';

/**
 * A program that runs. It corresponds to a started `virCommand`: `wait()` is `virCommandWait`, `abort()` is
 * `virCommandAbort`, disposal is `virCommandFree`.
 *
 * @example
 * ```ts
 * await using bc = await new Command('bc').setInputFd('pipe').setOutputFd('pipe').runAsync();
 * bc.stdin.end('1+1\n');
 * for await (const line of bc.lines()) console.log(line); // 2
 * ```
 */
export interface RunningCommand<Out extends Sink = Sink, Err extends Sink = Sink, In extends Source = Source> {
  /** `undefined` on a backend without local pids. */
  readonly pid: number | undefined;
  /** Only with `setInputFd('pipe')`. */
  readonly stdin: Written[In];
  /** Only with `setOutputFd('pipe')`. Read it to its end, or dispose of the command. */
  readonly stdout: Streamed[Out];
  /** Only with `setErrorFd('pipe')`. */
  readonly stderr: Streamed[Err];
  /**
   * Settles as `run()` would, when the program has ended and its output was read to the end: what is captured, and every pipe
   * that the caller is reading by then. A pipe that nobody reads is not waited for. Waits at most `drainDelay` for a pipe that
   * another process holds, or whose reader has stopped; unread data stays readable. A loop over `lines()` is not hurried:
   * while it processes what the program wrote, `wait()` waits. For a daemon it settles when the daemon has started and all
   * input was written. Every call returns the same promise, which never causes an unhandled rejection.
   */
  wait(): Promise<CommandResult<Out, Err>>;
  /**
   * Sends one signal, by name or number, to the program (not to its descendants). Default: SIGTERM. Returns `false` if the
   * program is already over or may not be signalled, or is a daemon that has started.
   *
   * @throws CommandUsageError for a signal that this platform does not know.
   */
  kill(signal?: SignalName | number): boolean;
  /**
   * Sends SIGTERM to the program and its descendants, SIGKILL after `killDelay` milliseconds (default: that of the run), and
   * reaps the program (`virCommandAbort`). Resolves whatever the program does, and even if it is already over. If the abort
   * ended the program, `wait()` rejects with `CommandAbortedError`. A second call can shorten the grace period.
   *
   * A piped stream that is being read stays open until its end, or until nothing arrived and nothing was read for
   * `drainDelay`; one that nobody reads is closed. The same holds after a deadline. A daemon that is still held is killed at
   * once; for one that has started only the remaining input is dropped.
   *
   * @throws CommandUsageError, as a rejection, if `options` are wrong: nothing was done then.
   */
  abort(options?: { readonly killDelay?: number | undefined }): Promise<void>;
  /**
   * Resolves when the program is held before exec and the hook is done (`virCommandHandshakeWait`). May be called several
   * times.
   *
   * @throws CommandUsageError, as a rejection, without `requireHandshake()`.
   */
  handshakeWait(): Promise<void>;
  /**
   * Lets the held process execute the program; resolves when it has done so (`virCommandHandshakeNotify`).
   *
   * @throws CommandStartError, as a rejection, if it could not. CommandUsageError for a second call, or without
   * `requireHandshake()`.
   */
  handshakeNotify(): Promise<void>;
  /**
   * Iterates over the lines of a piped stream, with backpressure and without their ends (`\n` or `\r\n`; a lone `\r` is text).
   * Leaving the loop aborts the program, without an error. If the program fails, the loop rejects after the last line. For a
   * daemon, leaving the loop closes only the pipe, and so does a line that is too long. May be called once for each stream.
   *
   * @throws CommandUsageError if the stream is not a pipe, or is read already, by lines or by a listener of `'readable'`, or
   *   for a wrong option.
   */
  lines(options?: LineOptions): AsyncIterableIterator<string>;
  /** As `abort()`; then closes the pipes. */
  [Symbol.asyncDispose](): Promise<void>;
  /** Sends SIGKILL now. The program is reaped before this returns where the backend has `sync-reap`, else at the next turn of the event loop. */
  [Symbol.dispose](): void;
}

/** The caller's view of a run that has started. */
export class RunningProcess implements RunningCommand {
  static {
    // What is published is minified, and `util.inspect` shows the name of the class.
    hide(this, 'name', 'RunningCommand');
  }
  readonly pid: number | undefined;
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  readonly #run: Run;
  readonly #handle: ChildHandle;
  readonly #plan: LaunchPlan;
  /** Streams that are read by lines. */
  readonly #split = new Set<'stdout' | 'stderr'>();
  #held: Promise<void> | undefined;
  #notified = false;

  constructor(
    run: Run,
    handle: ChildHandle,
    plan: LaunchPlan,
    uses: { stdin: boolean; stdout: boolean; stderr: boolean },
  ) {
    this.#run = run;
    this.#handle = handle;
    this.#plan = plan;
    this.pid = handle.pid;
    this.stdin = uses.stdin ? handle.stdin : undefined;
    this.stdout = uses.stdout ? handle.stdout : undefined;
    this.stderr = uses.stderr ? handle.stderr : undefined;
  }

  wait(): Promise<CommandResult> {
    return this.#run.done;
  }

  /** The error of a wrong call; its stack begins where the caller called. */
  #usage(call: 'kill' | 'abort' | 'lines' | 'handshakeWait' | 'handshakeNotify', reason: string): CommandUsageError {
    const error = new CommandUsageError(`${call}()`, reason, { command: this.#plan.text });
    Error.captureStackTrace(error, Reflect.get(this, call) as () => unknown);
    return error;
  }

  kill(signal: SignalName | number = 'SIGTERM'): boolean {
    const name = typeof signal === 'number' ? signalName(signal) : signal;
    const given: unknown = name;
    if (typeof given !== 'string' || signalNumber(given) === undefined) {
      throw this.#usage('kill', `there is no signal ${inspect(signal)} here`);
    }
    return this.#run.kill(name);
  }

  async abort(options?: { readonly killDelay?: number | undefined }): Promise<void> {
    const read = readKillDelay(options);
    if ('wrong' in read) throw this.#usage('abort', read.wrong);
    await this.#run.abort(read);
  }

  async handshakeWait(): Promise<void> {
    if (this.#handle.handshake === undefined) throw this.#usage('handshakeWait', 'requireHandshake() was not called');
    await (this.#held ??= this.#run.handshake('wait'));
  }

  async handshakeNotify(): Promise<void> {
    if (this.#handle.handshake === undefined) throw this.#usage('handshakeNotify', 'requireHandshake() was not called');
    if (this.#notified) throw this.#usage('handshakeNotify', 'was called before; the handshake is complete');
    this.#notified = true;
    await this.#run.handshake('notify');
  }

  lines(options?: LineOptions): AsyncIterableIterator<string> {
    const read = readRunOptions(options, 'lines');
    if ('wrong' in read) throw this.#usage('lines', read.wrong);
    const { from, maxLength } = read;
    if (this[from] === undefined) {
      const setter = from === 'stdout' ? 'setOutputFd' : 'setErrorFd';
      throw this.#usage('lines', `${from} is no pipe to the caller; call ${setter}('pipe')`);
    }
    if (this.#split.has(from)) throw this.#usage('lines', `${from} is read by lines already`);
    // Node gives all data to such a listener, and none to us.
    if (this[from].listenerCount('readable') > 0)
      throw this.#usage('lines', `${from} has a listener of 'readable', which takes all data: remove it first`);
    this.#split.add(from);
    const source = this.#run.lineSource(from, maxLength);
    return new LineIterator(() => Promise.resolve(source));
  }

  [Symbol.dispose](): void {
    this.#run.dispose();
    this.#destroyPipes();
  }

  // After the other: a realm without these symbols has one method for both names, the last one, and this is the gentler.
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run.abort();
    this.#destroyPipes();
  }

  #destroyPipes(): void {
    this.stdin?.destroy();
    this.stdout?.destroy();
    this.stderr?.destroy();
  }
}
