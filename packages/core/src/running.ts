/** A program that runs, as the caller of `runAsync()` holds it. */
import type { Readable, Writable } from 'node:stream';
import type { ChildHandle, LaunchPlan } from './contract';
import { CommandUsageError } from './errors';
import type { Run } from './lifecycle';
import { LineIterator } from './lines';
import { nearest, ownProperties } from './plain';
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
   * Resolves or rejects as `run()` would, once the program has ended and its captured output is complete. Any number of
   * callers get the same promise; it is never an unhandled rejection.
   */
  wait(): Promise<CommandResult<Out, Err>>;
  /**
   * Sends one signal to the program (not to its descendants); default SIGTERM. `false` if it is already over.
   *
   * @throws CommandUsageError for a signal that this platform does not know.
   */
  kill(signal?: SignalName): boolean;
  /**
   * SIGTERM to the tree, SIGKILL after `killDelay` milliseconds (default: that of the run), reaped. Resolves also if it
   * is already over; never rejects. `wait()` then rejects with `CommandAbortedError`.
   */
  abort(options?: { readonly killDelay?: number | undefined }): Promise<void>;
  /** Resolves when the program is held before exec and the hook is done (`virCommandHandshakeWait`). */
  handshakeWait(): Promise<void>;
  /** Lets it exec; resolves when it did, rejects with CommandStartError (`virCommandHandshakeNotify`). */
  handshakeNotify(): Promise<void>;
  /**
   * Lines of a piped stream, without their ends, with backpressure. Leaving the loop aborts the program, without an
   * error; a bad end rejects after the last line.
   */
  lines(options?: LineOptions): AsyncIterableIterator<string>;
  /** As `abort()`, and closes the pipes. */
  [Symbol.asyncDispose](): Promise<void>;
  /** SIGKILL now; reaped before returning where the backend has `sync-reap`, else as soon as the event loop turns. */
  [Symbol.dispose](): void;
}

const noHandshake = (call: string, plan: LaunchPlan): CommandUsageError =>
  new CommandUsageError(call, 'requireHandshake() was not called', { command: plan.text });

/** Makes the caller's view of a run that has started. */
export class RunningProcess implements RunningCommand {
  readonly pid: number | undefined;
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  readonly #run: Run;
  readonly #handle: ChildHandle;
  readonly #plan: LaunchPlan;

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

  kill(signal: SignalName = 'SIGTERM'): boolean {
    return this.#run.kill(signal);
  }

  abort(options?: { readonly killDelay?: number | undefined }): Promise<void> {
    return this.#run.abort(options);
  }

  async handshakeWait(): Promise<void> {
    if (this.#handle.handshake === undefined) throw noHandshake('handshakeWait()', this.#plan);
    await this.#run.handshake('wait');
  }

  async handshakeNotify(): Promise<void> {
    if (this.#handle.handshake === undefined) throw noHandshake('handshakeNotify()', this.#plan);
    await this.#run.handshake('notify');
  }

  lines(options: LineOptions = {}): AsyncIterableIterator<string> {
    const usage = (reason: string): CommandUsageError =>
      new CommandUsageError('lines()', reason, { command: this.#plan.text });
    let from: unknown = 'stdout';
    let maxLength: unknown;
    for (const [name, value] of ownProperties(options)) {
      if (name === 'from') from = value ?? 'stdout';
      else if (name === 'maxLength') maxLength = value;
      else
        throw usage(`there is no option '${name}'; did you mean '${nearest(name, ['from', 'maxLength']) ?? 'from'}'?`);
    }
    if (from !== 'stdout' && from !== 'stderr') throw usage("option 'from' must be 'stdout' or 'stderr'");
    if (maxLength !== undefined && !(typeof maxLength === 'number' && maxLength > 0)) {
      throw usage("option 'maxLength' must be a number of bytes above 0");
    }
    if (this[from] === undefined)
      throw usage(`${from} is no pipe to the caller; call ${from === 'stdout' ? 'setOutputFd' : 'setErrorFd'}('pipe')`);
    const source = this.#run.lineSource(from, maxLength);
    return new LineIterator(() => Promise.resolve(source));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run.abort();
    this.#destroyPipes();
  }

  [Symbol.dispose](): void {
    this.#run.dispose();
    this.#destroyPipes();
  }

  #destroyPipes(): void {
    this.stdin?.destroy();
    this.stdout?.destroy();
    this.stderr?.destroy();
  }
}
