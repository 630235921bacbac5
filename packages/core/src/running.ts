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
  /** Only with `setOutputFd('pipe')`. Read it to its end or dispose the command. */
  readonly stdout: Streamed[Out];
  /** Only with `setErrorFd('pipe')`. */
  readonly stderr: Streamed[Err];
  /**
   * Resolves or rejects as `run()` would, once the program has ended and its output is at its end: what is captured, and what
   * the caller reads by then; an end that nobody reads is not waited for. `drainDelay` bounds that where somebody else holds
   * the pipe, or the reader stops, to whom the rest is left. For a daemon it is once it has begun and all is sent. Any number
   * of callers get the same promise; it is never an unhandled rejection.
   */
  wait(): Promise<CommandResult<Out, Err>>;
  /**
   * Sends one signal, by name or number, to the program (not to its descendants); default SIGTERM. `false` if it is already
   * over, or a daemon that has begun.
   *
   * @throws CommandUsageError for a signal that this platform does not know.
   */
  kill(signal?: SignalName | number): boolean;
  /**
   * SIGTERM to the tree, SIGKILL after `killDelay` milliseconds (default: that of the run), reaped (`virCommandAbort`).
   * Resolves also if it is already over, and whatever the program does; `wait()` then rejects with `CommandAbortedError`.
   * A second call can shorten the grace period. Who reads a piped stream goes on until its end, or until nothing came for
   * `drainDelay`; a pipe that nobody reads is closed. So it is after a deadline. A daemon that is still held is killed at
   * once; one that has begun is only sent no more.
   *
   * @throws CommandUsageError, as a rejection, if `options` are wrong: then nothing was done.
   */
  abort(options?: { readonly killDelay?: number | undefined }): Promise<void>;
  /**
   * Resolves when the program is held before exec and the hook is done (`virCommandHandshakeWait`). Several may wait.
   *
   * @throws CommandUsageError, as a rejection, without `requireHandshake()`.
   */
  handshakeWait(): Promise<void>;
  /**
   * Lets it exec; resolves when it did (`virCommandHandshakeNotify`).
   *
   * @throws CommandStartError, as a rejection, if it did not. CommandUsageError for a second call, or without
   * `requireHandshake()`.
   */
  handshakeNotify(): Promise<void>;
  /**
   * Lines of a piped stream, with backpressure, without their ends (`\n`, or `\r\n`; a lone `\r` is text). Leaving the
   * loop aborts the program, without an error; a bad end rejects after the last line. Leaving that of a daemon closes the
   * pipe, as does a line that is too long. Once for each stream.
   *
   * @throws CommandUsageError if the stream is no pipe, is read by lines already or by a listener of `'readable'`, or for a
   *   wrong option.
   */
  lines(options?: LineOptions): AsyncIterableIterator<string>;
  /** As `abort()`, and closes the pipes. */
  [Symbol.asyncDispose](): Promise<void>;
  /** SIGKILL now; reaped before returning where the backend has `sync-reap`, else as soon as the event loop turns. */
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
    // Node gives it all that comes then, and lines nothing.
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

  // Behind the other: a realm that has none of these symbols has one method for both, and this is the gentler.
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
