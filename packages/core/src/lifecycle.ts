/**
 * One run from its start to its settlement, in one state machine: the start, the first cause of an end, the exit, a
 * bounded wait for pipes that other processes still hold, and the settlement. The caller is released in every case, even if
 * the backend never starts the program or loses it, or the program cannot be killed.
 */
import { listenForAbort } from './abort-signal';
import type { Budget } from './capture';
import type { Clock } from './clock';
import type { Backend, ChildHandle } from './contract';
import { Ending } from './ending';
import {
  CommandAbortedError,
  CommandExitError,
  OutputLimitError,
  type CommandError,
  type CommandStartError,
} from './errors';
import { boundReader } from './bound-reader';
import { feed, letCallerWrite, pairs } from './feed';
import { LineReader, type LineSource } from './lines';
import { logError, logExit, logStart, type StartEvent } from './log';
import { judge, type Cause } from './outcome';
import { Output, type OutputName } from './output';
import { ownProperty } from './plain';
import type { Launch } from './plan';
import { realTime } from './real-time';
import { abortingAll, register, unregister } from './registry';
import { isDelay, type RunSettings } from './run-options';
import { beginStackAt, type Site } from './site';
import { startFailure } from './start-failure';
import type { CommandResult, ExitStatus, SignalName } from './types';

/** A timer that is so late, in milliseconds, waited for something else that took the event loop. */
const lateTimer = 5;

/** One run of a command. */
export class Run {
  /** Settles when everything is over. Never an unhandled rejection. */
  readonly done: Promise<CommandResult>;
  handle: ChildHandle | undefined;
  private readonly readers = new Map<LineReader, Output>();
  private settle!: { resolve(result: CommandResult): void; reject(error: CommandError): void };
  private settled = false;
  private cause: Cause | undefined;
  private status: ExitStatus | undefined;
  private exited = false;
  private readonly stdout: Output;
  private readonly stderr: Output;
  /** Writers that are not done. */
  private feeding = 0;
  private readonly ending: Ending;
  private cancelDeadline: (() => void) | undefined;
  private cancelDrain: (() => void) | undefined;
  private readonly begun: number;
  private killDelay: number;
  private startEvent: StartEvent | undefined;
  private readonly stopListening: (() => void) | undefined;
  private tailAwaited = false;
  private looksForReaders = false;
  private drainWaits = false;

  constructor(
    private readonly launch: Launch,
    private readonly settings: RunSettings,
    private readonly backend: Backend,
    private readonly clock: Clock,
    /** Where the caller called. */
    private readonly site: () => Site,
    private readonly released: () => void,
  ) {
    this.begun = clock.now();
    this.killDelay = settings.killDelay;
    this.done = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    // The caller may never look at it: that is no unhandled rejection.
    this.done.catch(() => undefined);
    const total: Budget = { left: settings.limit?.total ?? Infinity };
    const events = {
      end: (cause: Cause) => {
        this.end(cause);
      },
      ended: () => {
        this.progress();
      },
    };
    this.stdout = new Output('stdout', launch.stdout, settings, total, events);
    this.stderr = new Output('stderr', launch.stderr, settings, total, events);
    this.ending = new Ending(clock, settings.drainDelay, {
      unkillable: () => {
        this.finish();
      },
      treeGone: () => {
        this.armDrain();
        this.progress();
      },
    });
    const { signal } = settings;
    if (signal !== undefined) {
      this.stopListening = listenForAbort(signal, () => {
        this.end({ kind: 'abort', reason: reasonOf(signal) });
      });
    }
    const { timeout } = settings;
    if (timeout !== undefined) {
      this.cancelDeadline = clock.after(timeout, () => {
        this.deadline(clock.now() - this.begun - timeout);
      });
    }
  }

  /** Starts the program; resolves when it runs, rejects with the start error or with what ended the run before. */
  async start(): Promise<void> {
    const { signal } = this.settings;
    const refused = abortingAll();
    // A caller that tries again and again must not keep the event loop from turning.
    if (refused) await new Promise<void>(realTime.nextTurn);
    if (signal?.aborted === true || refused) {
      this.cause = { kind: 'abort', reason: reasonOf(signal) };
      this.finish();
      await this.done;
      return;
    }
    register(this);
    try {
      const starting = Promise.resolve(this.backend.start(this.launch.plan));
      const gaveUp = this.done.then(
        () => 'gave up' as const,
        () => 'gave up' as const,
      );
      const handle = await Promise.race([starting, gaveUp]);
      if (handle === 'gave up') {
        // The run is over; if the backend starts the program after all, it is ended at once.
        starting.then(disposeQuietly, () => undefined);
        await this.done;
        return;
      }
      this.attach(handle);
    } catch (error) {
      if (this.settled) throw error;
      if (this.cause === undefined) throw this.lost(error);
      // The run was ended before the start failed, or the start failed because of that.
      this.finish();
      await this.done;
    }
  }

  private attach(handle: ChildHandle): void {
    this.handle = handle;
    this.ending.attach(handle);
    this.startEvent = { command: this.launch.plan.text, backend: this.backend.name, pid: handle.pid };
    logStart(this.startEvent);
    this.feedAll(handle);
    this.stdout.attach(handle);
    this.stderr.attach(handle);
    handle.exited.then(
      (status) => {
        this.exit(status);
      },
      (error: unknown) => {
        if (this.cause === undefined) this.lost(error);
        else this.finish();
      },
    );
    if (this.cause !== undefined) this.terminate(this.killDelay);
  }

  /** Writes the input and the send buffers. A stdin that the caller writes is left to the caller. */
  private feedAll(handle: ChildHandle): void {
    const { input, sendBuffers } = this.launch;
    if (input === undefined) {
      letCallerWrite(handle.stdin);
      if (sendBuffers.length === 0) return;
    }
    for (const [stream, data] of pairs(handle, input, sendBuffers)) {
      this.feeding++;
      feed(stream, data, (error) => {
        this.feeding--;
        if (error !== undefined) this.end({ kind: 'io', stream: 'stdin', error });
        if (this.status !== undefined) this.exit(this.status);
        this.progress();
      });
    }
  }

  /** The records of a stream that nobody else reads. */
  lineSource(name: OutputName, maxLength = this.settings.maxLength, separator = '\n'): LineSource {
    const output = this[name];
    const stream = this.handle?.[name];
    if (stream === undefined) throw new TypeError(`${name} is no pipe`);
    let late: number | undefined;
    const events = {
      tooLong: (limit: number) => {
        if (this.settled) late = limit;
        else this.end({ kind: 'limit', stream: name, limit });
        // The reader has stopped for good, and nothing else closes a daemon's pipe.
        if (this.launch.plan.daemon) stream.destroy();
      },
      passed: name === 'stderr' || this.launch.merged ? output.keepTail() : undefined,
      resumed: () => {
        bound?.();
        if (this.drainWaits) this.armDrain();
      },
    };
    let bound: (() => void) | undefined;
    const reader = new LineReader(stream, { encoding: this.settings.encoding, maxLength }, events, separator);
    const done = async (left = false): Promise<CommandResult> => {
      const result = await this.done.catch((error: unknown) => {
        if (left && error instanceof CommandExitError) return error.result;
        throw error;
      });
      if (late === undefined && !left) return result;
      const details = { command: this.launch.plan.text, backend: this.backend.name, result, stderrTail: '' };
      const error =
        late === undefined
          ? new CommandAbortedError(undefined, { ...details, result: { ...result, aborted: true } })
          : new OutputLimitError(name, late, details);
      throw beginStackAt(error, this.site());
    };
    if (this.launch.plan.daemon) {
      // A daemon writes long after its run is over; only its reader decides when to close the pipe.
      return { reader, done, abort: () => Promise.resolve(void stream.destroy()) };
    }
    if (this.settled) bound = boundReader(reader, stream, this.clock, this.settings.drainDelay);
    else {
      this.readers.set(reader, output);
      if (output.use === 'pipe') output.watch(stream);
    }
    return { reader, done, abort: () => this.abort() };
  }

  /** One side of the handshake; its failure is the failure of the start. */
  async handshake(step: 'wait' | 'notify'): Promise<void> {
    try {
      await this.handle?.handshake?.[step]();
    } catch (error) {
      // If the run has a cause already, that ended the handshake too, and the run reports the cause.
      throw this.cause === undefined ? this.lost(error) : this.failure(error);
    }
  }

  /** Something happened that may have been the last thing to wait for. */
  private progress(): void {
    if (!this.exited || this.settled || this.looksForReaders) return;
    if (this.stdout.awaited || this.stderr.awaited || this.feeding > 0 || !this.ending.treeGone) return;
    if (this.stderr.use === 'tail' && !this.stderr.ended && !this.acceptable()) this.awaitTail();
    else this.finish();
  }

  /** What the program wrote before its exit is in the pipe: the second turn of the loop has read it. */
  private awaitTail(): void {
    if (this.tailAwaited) return;
    this.tailAwaited = true;
    this.cancelDrain?.();
    realTime.afterTwoTurns(() => this.finish());
  }

  private acceptable(): boolean {
    return this.cause === undefined && this.status?.exitCode === 0;
  }

  private exit(status: ExitStatus): void {
    if (this.exited) return;
    // The daemon was ended while it was held, so the program has not begun.
    if (this.launch.plan.daemon && this.ending.reached !== 'none') {
      this.finish();
      return;
    }
    this.status = status;
    // The daemon has begun. Its run is over when all input was written, or now if the run was ended.
    if (this.launch.plan.daemon && this.feeding > 0) {
      if (this.cause !== undefined) this.finish();
      return;
    }
    this.exited = true;
    // The exit came first, so the deadline no longer counts.
    this.cancelDeadline?.();
    this.ending.programExited();
    if (this.mayBeRead && (this.stdout.isCallers || this.stderr.isCallers)) this.lookForReaders();
    this.progress();
    this.armDrain();
  }

  /** A caller that has just received the streams begins to read them in this turn; so look after it. */
  private lookForReaders(): void {
    this.looksForReaders = true;
    realTime.nextTurn(() => {
      this.looksForReaders = false;
      for (const output of [this.stdout, this.stderr]) output.awaitReader();
      this.progress();
      this.armDrain();
    });
  }

  private failure(error: unknown): CommandStartError {
    return startFailure(error, this.launch.plan.text, this.backend.name);
  }

  /** The backend has not started the program, or lost it: the run fails with the error of the start. */
  private lost(error: unknown): CommandStartError {
    const failure = this.failure(error);
    if (this.settled) return failure;
    this.close();
    for (const reader of this.readers.keys()) reader.finish();
    disposeQuietly(this.handle);
    beginStackAt(failure, this.site());
    this.settle.reject(failure);
    logError({ command: this.launch.plan.text, backend: this.backend.name, error: failure });
    return failure;
  }

  private armDrain(): void {
    if (this.settled || this.tailAwaited) return;
    this.cancelDrain?.();
    this.drainWaits = false;
    const outputs = [this.stdout, this.stderr];
    // While a reader has data to process, real code is running, and virtual or faked time says nothing about it.
    const clock = this.mayBeRead && outputs.some(({ rest }) => rest !== '') ? realTime : this.clock;
    this.cancelDrain = clock.after(this.ending.graceLeft + this.settings.drainDelay, () => {
      // By then there is what is in the pipes already (and all there is, for a delay of 0).
      realTime.afterTwoTurns(() => {
        if (this.settled) return;
        // A reader of lines that pauses is waited for: what it has not read may be the program's own output. No timer runs
        // meanwhile, since it would keep this process alive if the reader never goes on.
        const isWaitedFor = ([reader, output]: [LineReader, Output]): boolean => reader.blocked && output.mayBeItsOwn;
        this.drainWaits = this.mayBeRead && Array.from(this.readers).some(isWaitedFor);
        if (this.drainWaits) return;
        // A caller that reads the stream itself gets more time while it reads. If it has stopped, it gets none, but keeps the
        // stream.
        if (this.mayBeRead && outputs.some((output) => output.readerWentOn())) this.armDrain();
        else this.giveUp();
      });
    });
  }

  /** Whether readers get time to read what the program wrote: the program ended by itself and is no daemon, which writes on. */
  private get mayBeRead(): boolean {
    return this.ending.phase === 'none' && !this.launch.plan.daemon;
  }

  /** Another process holds the pipes: what arrived until now is the output. */
  private giveUp(): void {
    if (this.settled) return;
    if (this.ending.phase !== 'none' && !this.ending.treeGone) this.ending.killNow();
    this.finish();
  }

  /** Whether it is over, also if the last things are still being waited for. */
  get over(): boolean {
    return this.exited || this.settled;
  }

  /**
   * After a busy period the event loop runs timers before it reports exits. An exit that came before the deadline must still
   * win, and is reported by the second turn.
   */
  private deadline(late: number): void {
    const end = (): void => {
      this.end({ kind: 'timeout' });
    };
    if (late < lateTimer) end();
    else realTime.afterTwoTurns(end);
  }

  /** Ends the program. A daemon that is held is killed at once; one that has begun runs on, and only this run ends. */
  private terminate(killDelay: number): void {
    if (!this.launch.plan.daemon) {
      this.ending.terminate(killDelay);
      if (!this.ending.treeGone) this.armDrain();
      return;
    }
    if (this.status === undefined) this.ending.terminate(0);
    else this.finish();
  }

  /** Ends the run for a cause. The first one counts. */
  end(cause: Cause): void {
    if (this.settled || this.cause !== undefined) return;
    if (this.exited) {
      // The exit came first. Too much output is still an error. A caller that aborts now does not want to wait; but a reader of
      // records must get an error, or it would take what arrived until now for everything.
      if (cause.kind === 'limit' || cause.kind === 'io') this.cause = cause;
      if (cause.kind === 'abort') {
        if (Array.from(this.readers.keys()).some(({ done }) => !done)) this.cause = cause;
        this.giveUp();
        this.leavePipes();
      }
      return;
    }
    this.cause = cause;
    if (this.handle !== undefined) this.terminate(this.killDelay);
    else {
      try {
        this.backend.cancelStart?.(this.launch.plan);
      } catch {
        // The run gives up on the start in any case.
      }
      this.cancelDrain = this.clock.after(this.settings.drainDelay, () => {
        // The timer may be late, and the program may have started before: see `deadline`.
        realTime.afterTwoTurns(() => {
          if (this.handle === undefined) this.finish();
        });
      });
    }
  }

  /** Stops all timers and listeners of the run; the caller of this settles it. */
  private close(): void {
    this.settled = true;
    this.cancelDeadline?.();
    this.cancelDrain?.();
    this.ending.stop();
    this.stopListening?.();
    unregister(this);
    this.released();
  }

  private finish(): void {
    if (this.settled) return;
    this.close();
    const { handle } = this;
    // Finish the readers first: afterwards their streams may be closed below.
    for (const reader of this.readers.keys()) reader.finish();
    // Where nothing was started, nothing was lost.
    for (const output of handle === undefined ? [] : [this.stdout, this.stderr]) {
      // A stream that stays the caller's has lost nothing.
      if (output.awaited && !output.isCallers) output.complete = false;
      if (output.use !== 'pipe') output.destroy();
      else if (this.ending.phase !== 'none' || (output.awaited && !output.isCallers)) {
        output.leave(this.clock, this.settings.drainDelay);
      }
    }
    // The caller may go on writing to a daemon that has begun.
    const daemonReadsOn = this.launch.plan.daemon && this.status !== undefined && this.launch.input === undefined;
    if (!daemonReadsOn) handle?.stdin?.destroy();
    for (const stream of handle?.sendBuffers ?? []) stream.destroy();
    if (this.status === undefined) disposeQuietly(handle);
    const facts = {
      launch: this.launch,
      backend: this.backend.name,
      pid: handle?.pid,
      status: this.status,
      cause: this.cause,
      ended: this.ending.reached,
      durationMs: this.clock.now() - this.begun,
    };
    const outcome = (cause: Cause | undefined, output: (of: Output) => Buffer | undefined): ReturnType<typeof judge> =>
      judge(
        {
          ...facts,
          cause,
          stdout: { bytes: output(this.stdout), complete: this.stdout.complete },
          stderr: { bytes: output(this.stderr), complete: this.stderr.complete },
        },
        this.settings,
      );
    let judged;
    try {
      judged = outcome(this.cause, (of) => of.bytes());
    } catch (error) {
      // There is not enough memory for all output.
      judged = outcome(this.cause ?? { kind: 'io', stream: 'stdout', error }, () => undefined);
    }
    const { result, error } = judged;
    if (error === undefined) this.settle.resolve(result);
    else {
      beginStackAt(error, this.site());
      this.settle.reject(error);
    }
    // The run is settled before it is logged, so that the caller gets its result even if a log subscriber throws.
    if (this.startEvent !== undefined) logExit(this.startEvent, result);
    if (error !== undefined) logError({ command: this.launch.plan.text, backend: this.backend.name, error });
  }

  /** Sends one signal to the program itself; `false` if it was not sent. */
  kill(name: SignalName): boolean {
    return !this.over && this.handle?.signal(name, 'process').sent === true;
  }

  /** Sends SIGTERM to the tree, and SIGKILL after the grace; resolves when all is over. Another copy of core may call it. */
  async abort(options?: { readonly killDelay?: number | undefined }): Promise<void> {
    const given = ownProperty(options, 'killDelay');
    const killDelay = isDelay(given) ? given : this.killDelay;
    // For a program that is still being started.
    this.killDelay = Math.min(killDelay, this.killDelay);
    if (this.settled) this.leavePipes();
    else if (this.cause !== undefined) this.terminate(killDelay);
    else if (this.handle === undefined || this.exited) this.end({ kind: 'abort', reason: undefined });
    else {
      this.cause = { kind: 'abort', reason: undefined };
      this.terminate(killDelay);
    }
    await this.done.catch(() => undefined);
  }

  /** Lets go of the caller's pipes: another process may hold them, so that their end would never come. */
  private leavePipes(): void {
    if (this.launch.plan.daemon) return;
    for (const output of [this.stdout, this.stderr]) {
      if (output.use === 'pipe') output.leave(this.clock, this.settings.drainDelay);
    }
  }

  /** SIGKILL now; blocks until reaped where the backend can. */
  dispose(): void {
    if (!this.over) {
      this.cause ??= { kind: 'abort', reason: undefined };
      if (this.handle !== undefined) this.ending.killNow();
    }
    this.handle?.dispose();
    this.stdout.destroy();
    this.stderr.destroy();
    this.handle?.stdin?.destroy();
  }
}

/** The reason of an abort. A signal that is not Node's may throw when it is asked; that error is the reason then. */
function reasonOf(signal: AbortSignal | undefined): unknown {
  try {
    return signal?.reason;
  } catch (error) {
    return error;
  }
}

/** Disposes of what a backend started, and ignores a failure, which nobody waits for. */
function disposeQuietly(handle: ChildHandle | undefined): void {
  try {
    handle?.dispose();
  } catch {
    // The error that led here says more.
  }
}
