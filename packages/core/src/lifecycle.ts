/**
 * One run from its start to its settlement: streams, deadline, abort, grace period, drain, in one state machine.
 *
 * The ending of a run: SIGTERM (and SIGCONT, for those who are stopped) to the tree, SIGKILL after the grace period, the
 * exit, a bounded wait for pipes that others still hold, and the settlement. The caller is released in every case, also
 * if the backend never starts the program, loses it, or it cannot be killed.
 */
import type { Readable, Writable } from 'node:stream';
import { types } from 'node:util';
import { Capture, Tail, tailSize, type Budget, type Kept } from './capture';
import type { Clock } from './clock';
import type { Backend, ChildHandle, Reach } from './contract';
import { CommandStartError, CommandUsageError, startError, type CommandError } from './errors';
import { feed } from './feed';
import { LineReader, type LineSource } from './lines';
import { logError, logExit, logStart, type StartEvent } from './log';
import { judge, type Cause } from './outcome';
import type { Launch, StreamUse } from './plan';
import { register, unregister } from './registry';
import { longestBytes, longestText, type RunSettings } from './run-options';
import { signalNumber } from './status';
import type { CommandResult, ExitStatus, SignalName } from './types';

type OutputName = 'stdout' | 'stderr';

/** What core does with one output stream. */
interface Output {
  readonly use: StreamUse;
  readonly kept: Kept | undefined;
  /** Read to its end, or nothing to read. */
  ended: boolean;
  destroy: () => void;
}

/** How often it is looked whether the rest of a tree has ended, in milliseconds. */
const treePoll = 10;

/** Text is decoded from where it is; only bytes that the caller gets must be a Buffer like any other. */
const keptBytes = ({ use, kept }: Output): Buffer | undefined => (use === 'bytes' ? kept?.bytes() : kept?.view());

/** One run of a command. */
export class Run {
  /** Settles when everything is over. Never an unhandled rejection. */
  readonly done: Promise<CommandResult>;
  handle: ChildHandle | undefined;
  lines: LineReader | undefined;
  private settle!: { resolve(result: CommandResult): void; reject(error: CommandError): void };
  private settled = false;
  private cause: Cause | undefined;
  private status: ExitStatus | undefined;
  private exited = false;
  private readonly stdout: Output;
  private readonly stderr: Output;
  /** Writers that are not done. */
  private feeding = 0;
  private outputComplete = true;
  private ended: CommandResult['ended'] = 'none';
  /** SIGKILL was sent, or SIGTERM and the grace period runs. */
  private ending: 'no' | 'grace' | 'killed' = 'no';
  private treeGone = true;
  private cancelKill: (() => void) | undefined;
  private cancelDeadline: (() => void) | undefined;
  private cancelDrain: (() => void) | undefined;
  private readonly begun: number;
  private startEvent: StartEvent | undefined;
  private readonly onAbort: (() => void) | undefined;

  constructor(
    private readonly launch: Launch,
    private readonly settings: RunSettings,
    private readonly backend: Backend,
    private readonly clock: Clock,
    private readonly released: () => void,
  ) {
    this.begun = clock.now();
    this.done = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    // The caller may never look at it: that is no unhandled rejection.
    this.done.catch(() => undefined);
    const total: Budget = { left: settings.limit?.total ?? Infinity };
    this.stdout = this.output('stdout', launch.stdout, total);
    this.stderr = this.output('stderr', launch.stderr, total);
    const { signal } = settings;
    if (signal !== undefined) {
      this.onAbort = () => {
        this.end({ kind: 'abort', reason: signal.reason });
      };
      signal.addEventListener('abort', this.onAbort, { once: true });
    }
    if (settings.timeout !== undefined) {
      this.cancelDeadline = clock.after(settings.timeout, () => {
        this.end({ kind: 'timeout' });
      });
    }
  }

  /** What is kept of a stream. The limit that nobody set is what the result can hold. */
  private output(name: OutputName, use: StreamUse, total: Budget): Output {
    const output: Output = { use, kept: undefined, ended: use === 'none' || use === 'pipe', destroy: () => undefined };
    if (use === 'tail') return { ...output, kept: new Tail(tailSize) };
    if (use !== 'text' && use !== 'bytes') return output;
    const { limit } = this.settings;
    const own = Math.min(limit?.[name] ?? Infinity, use === 'text' ? longestText : longestBytes);
    const kept = new Capture(own, total, (which) => {
      this.outputComplete = false;
      const [stream, bytes] = which === 'own' ? ([name, own] as const) : (['total', limit?.total ?? own] as const);
      // Truncation is for limits that the caller set; what no result can hold is always an error.
      if (limit?.onExceed !== 'truncate' || (which === 'own' && limit[name] === undefined)) {
        this.end({ kind: 'limit', stream, limit: bytes });
      }
    });
    return { ...output, kept };
  }

  /** Starts the program; resolves when it runs, rejects with the start error or with what ended the run before. */
  async start(): Promise<void> {
    if (this.settings.signal?.aborted === true) {
      this.cause = { kind: 'abort', reason: this.settings.signal.reason };
      this.finish();
      await this.done;
      return;
    }
    register(this);
    let handle: ChildHandle;
    try {
      const starting = this.backend.start(this.launch.plan);
      const gaveUp = this.done.then(
        () => undefined,
        () => undefined,
      );
      const first = await Promise.race([starting, gaveUp]);
      if (first === undefined) {
        // What still comes is ended as it comes.
        starting.then(
          (late) => {
            late.dispose();
          },
          () => undefined,
        );
        await this.done;
        return;
      }
      handle = first;
    } catch (error) {
      if (this.settled) throw error;
      throw this.lost(error);
    }
    this.attach(handle);
  }

  private attach(handle: ChildHandle): void {
    this.handle = handle;
    this.startEvent = { command: this.launch.plan.text, backend: this.backend.name, pid: handle.pid };
    logStart(this.startEvent);
    this.feedAll(handle);
    this.read('stdout', this.stdout, handle);
    this.read('stderr', this.stderr, handle);
    handle.exited.then(
      (status) => {
        this.exit(status);
      },
      (error: unknown) => {
        this.lost(error);
      },
    );
    if (this.cause !== undefined) this.terminate(this.settings.killDelay);
  }

  private feedAll(handle: ChildHandle): void {
    const writers: [Writable | undefined, Uint8Array | undefined][] = [
      [handle.stdin, this.launch.input],
      ...this.launch.sendBuffers.map((data, index): [Writable | undefined, Uint8Array] => [
        handle.sendBuffers?.[index],
        data,
      ]),
    ];
    for (const [stream, data] of writers) {
      if (stream === undefined) continue;
      if (data === undefined) {
        // The caller writes. An error that he does not listen to must not end the process.
        stream.on('error', () => undefined);
        continue;
      }
      this.feeding++;
      feed(stream, data, (error) => {
        this.feeding--;
        if (error !== undefined) this.end({ kind: 'io', stream: 'stdin', error });
        this.progress();
      });
    }
  }

  private read(name: OutputName, output: Output, handle: ChildHandle): void {
    if (output.use === 'none') return;
    const { kept } = output;
    if (kept !== undefined && handle.capture !== undefined) {
      const source = handle.capture(
        name,
        (chunk) => {
          kept.take(chunk, true);
        },
        (error) => {
          if (output.ended) return;
          output.ended = true;
          if (error !== undefined && output.use !== 'tail') {
            this.outputComplete = false;
            this.end({ kind: 'io', stream: name, error });
          }
          this.progress();
        },
      );
      output.destroy = () => {
        source.destroy();
      };
      return;
    }
    const stream = handle[name];
    if (stream === undefined) {
      output.ended = true;
      return;
    }
    output.destroy = () => {
      stream.destroy();
    };
    if (output.use === 'pipe') {
      stream.on('error', () => undefined);
      return;
    }
    this.watch(name, output, stream);
    if (kept !== undefined) {
      stream.on('data', (chunk: Uint8Array) => {
        kept.take(chunk);
      });
    }
  }

  /** The run is not over before this stream is read to its end, or given up. */
  private watch(name: OutputName, output: Output, stream: Readable): void {
    const onEnd = (complete: boolean, error?: unknown): void => {
      if (output.ended) return;
      output.ended = true;
      if (!complete && output.use !== 'tail') {
        this.outputComplete = false;
        if (error !== undefined) this.end({ kind: 'io', stream: name, error });
      }
      this.progress();
    };
    stream.once('end', () => {
      onEnd(true);
    });
    stream.on('error', (error: unknown) => {
      onEnd(false, error);
    });
    stream.once('close', () => {
      onEnd(false);
    });
  }

  /** The records of a stream that nobody else reads. */
  lineSource(name: OutputName, maxLength = this.settings.maxLength, separator = '\n'): LineSource {
    const output = this[name];
    const stream = this.handle?.[name];
    if (stream === undefined) throw new TypeError(`${name} is no pipe`);
    const tooLong = (limit: number): void => {
      this.end({ kind: 'limit', stream: name, limit });
    };
    const reader = new LineReader(stream, { encoding: this.settings.encoding, maxLength }, tooLong, separator);
    if (this.settled) this.boundReader(reader, stream);
    else {
      this.lines = reader;
      if (output.use === 'pipe') {
        output.ended = stream.readableEnded || stream.destroyed;
        this.watch(name, output, stream);
      }
    }
    return { reader, done: () => this.done, abort: () => this.abort() };
  }

  /** The program was over before somebody asked for its lines: they have the drain's time to come. */
  private boundReader(reader: LineReader, stream: Readable): void {
    let cancel = (): void => undefined;
    const look = (): void => {
      if (!reader.blocked) stream.destroy();
      else cancel = this.clock.after(this.settings.drainDelay, look);
    };
    cancel = this.clock.after(this.settings.drainDelay, look);
    stream.once('close', () => {
      cancel();
    });
  }

  /** One side of the handshake; its failure is the failure of the start. */
  async handshake(step: 'wait' | 'notify'): Promise<void> {
    try {
      await this.handle?.handshake?.[step]();
    } catch (error) {
      throw this.lost(error);
    }
  }

  /** Something happened that may have been the last thing to wait for. */
  private progress(): void {
    if (!this.exited || this.settled) return;
    const read = (output: Output): boolean => output.ended || output.use === 'tail';
    if (!read(this.stdout) || !read(this.stderr) || this.feeding > 0 || !this.treeGone) return;
    if (this.stderr.use === 'tail' && !this.stderr.ended && !this.acceptable()) this.awaitTail();
    else this.finish();
  }

  /** What the program wrote before its exit is in the pipe: the second turn of the loop has read it. */
  private awaitTail(): void {
    if (this.tailAwaited) return;
    this.tailAwaited = true;
    this.cancelDrain?.();
    setImmediate(() => setImmediate(() => this.finish()));
  }
  private tailAwaited = false;

  private acceptable(): boolean {
    return this.cause === undefined && this.status?.exitCode === 0;
  }

  private exit(status: ExitStatus): void {
    if (this.exited) return;
    this.exited = true;
    this.status = status;
    // The exit came first: no deadline any more.
    this.cancelDeadline?.();
    if (this.ending !== 'no') this.awaitTree();
    this.progress();
    this.armDrain();
  }

  /** There is no program (any more) to wait for: the run fails with the error of the start. */
  private lost(error: unknown): CommandStartError {
    const failure = startFailure(error, this.launch.plan.text, this.backend.name);
    if (this.settled) return failure;
    this.close();
    this.lines?.finish();
    this.handle?.dispose();
    logError({ command: this.launch.plan.text, backend: this.backend.name, error: failure });
    this.settle.reject(failure);
    return failure;
  }

  private armDrain(): void {
    if (this.settled || this.tailAwaited) return;
    this.cancelDrain?.();
    this.cancelDrain = this.clock.after(this.settings.drainDelay, () => {
      // A reader of lines that stopped reading is waited for: the rest is in the pipe, not held by somebody.
      if (this.lines?.blocked === true && this.ending === 'no') {
        this.armDrain();
        return;
      }
      // One more turn, for what is in the pipes already (and all there is, for a delay of 0).
      setImmediate(() =>
        setImmediate(() => {
          this.giveUp();
        }),
      );
    });
  }

  /** The pipes are held by somebody else: what came until now is the output. */
  private giveUp(): void {
    if (this.settled) return;
    if (this.ending !== 'no' && !this.treeGone) this.killNow();
    for (const output of [this.stdout, this.stderr]) {
      if (!output.ended && output.use !== 'tail') this.outputComplete = false;
    }
    this.finish();
  }

  /** Whether it is over, also if the last things are still being waited for. */
  get over(): boolean {
    return this.exited || this.settled;
  }

  /** Ends the run for a cause. The first one counts. */
  end(cause: Cause): void {
    if (this.settled || this.cause !== undefined) return;
    if (this.exited) {
      // The exit came first. Too much output is still too much; whoever aborts now does not want to wait.
      if (cause.kind === 'limit' || cause.kind === 'io') this.cause = cause;
      else if (cause.kind === 'abort') this.giveUp();
      return;
    }
    this.cause = cause;
    if (this.handle !== undefined) this.terminate(this.settings.killDelay);
    else {
      this.cancelDrain = this.clock.after(this.settings.drainDelay, () => {
        if (this.handle === undefined) this.finish();
      });
    }
  }

  /** SIGTERM, grace, SIGKILL to the tree. A second call can shorten the grace only. */
  private terminate(killDelay: number): void {
    if (this.settled || this.ending === 'killed' || (this.exited && this.treeGone)) return;
    if (killDelay === 0) {
      this.killNow();
      return;
    }
    if (this.ending === 'no') {
      this.ending = 'grace';
      this.signalTree('SIGTERM');
      this.signalTree('SIGCONT');
    } else if (this.clock.now() + killDelay >= this.graceEnds) return;
    this.graceEnds = this.clock.now() + killDelay;
    this.cancelKill?.();
    this.cancelKill = this.clock.after(killDelay, () => {
      this.killNow();
    });
  }
  private graceEnds = Infinity;

  private killNow(): void {
    this.cancelKill?.();
    this.ending = 'killed';
    this.signalTree('SIGKILL');
    // Nothing survives SIGKILL but what the kernel holds: the caller is released all the same.
    if (!this.exited) {
      this.cancelKill = this.clock.after(Math.max(this.settings.drainDelay, 100), () => {
        if (this.exited) return;
        for (const output of [this.stdout, this.stderr]) if (!output.ended) this.outputComplete = false;
        this.finish();
      });
    }
  }

  private signalTree(name: SignalName): void {
    const { sent, reached } = this.handle?.signal(name, 'tree') ?? { sent: false, reached: 'process' };
    if (sent) this.ended = reached satisfies Reach;
  }

  /** The program is gone; its descendants have the rest of the grace period. */
  private awaitTree(): void {
    const alive = (): boolean => this.handle?.treeAlive?.() === true;
    this.treeGone = !alive();
    if (this.treeGone) {
      this.cancelKill?.();
      return;
    }
    const look = (): void => {
      if (this.settled) return;
      this.treeGone = !alive();
      if (this.treeGone) {
        this.cancelKill?.();
        this.armDrain();
        this.progress();
        return;
      }
      // The drain bound begins when the tree is gone or killed.
      if (this.ending === 'grace' && this.clock.now() < this.graceEnds) this.armDrain();
      this.cancelPoll = this.clock.after(treePoll, look);
    };
    this.cancelPoll = this.clock.after(treePoll, look);
  }
  private cancelPoll: (() => void) | undefined;

  /** Ends what may still run and lets go of everything but the settlement. */
  private close(): void {
    this.settled = true;
    this.cancelDeadline?.();
    this.cancelDrain?.();
    this.cancelKill?.();
    this.cancelPoll?.();
    if (this.onAbort !== undefined) this.settings.signal?.removeEventListener('abort', this.onAbort);
    unregister(this);
    this.released();
  }

  private finish(): void {
    if (this.settled) return;
    this.close();
    const { handle } = this;
    for (const output of [this.stdout, this.stderr]) {
      if (output.use !== 'pipe' || this.ending !== 'no') output.destroy();
    }
    this.lines?.finish();
    handle?.stdin?.destroy();
    for (const stream of handle?.sendBuffers ?? []) stream.destroy();
    if (!this.exited) handle?.dispose();
    const { plan, stdout, stderr, rawStatus } = this.launch;
    const { result, error } = judge(
      {
        command: plan.text,
        backend: this.backend.name,
        pid: handle?.pid,
        status: this.status,
        cause: this.cause,
        stdout: { use: stdout, bytes: keptBytes(this.stdout) },
        stderr: { use: stderr, bytes: keptBytes(this.stderr) },
        outputComplete: this.outputComplete,
        ended: this.ended,
        durationMs: this.clock.now() - this.begun,
        rawStatus,
        merged: plan.stderr.type === 'same-as-stdout',
      },
      this.settings,
    );
    if (this.startEvent !== undefined) logExit(this.startEvent, result);
    if (error === undefined) {
      this.settle.resolve(result);
      return;
    }
    logError({ command: plan.text, backend: this.backend.name, error });
    this.settle.reject(error);
  }

  /** One signal to the program itself. */
  kill(name: SignalName): boolean {
    if (signalNumber(name) === undefined) {
      throw new CommandUsageError('kill()', `there is no signal '${name}' here`, {
        command: this.launch.plan.text,
      });
    }
    return !this.over && this.handle?.signal(name, 'process').sent === true;
  }

  /** SIGTERM to the tree, grace, SIGKILL; resolves when all is over. */
  async abort(options: { readonly killDelay?: number | undefined } = {}): Promise<void> {
    const killDelay = options.killDelay ?? this.settings.killDelay;
    if (this.cause === undefined) {
      this.endWith({ kind: 'abort', reason: undefined }, killDelay);
    } else if (this.handle !== undefined) this.terminate(killDelay);
    await this.done.catch(() => undefined);
  }

  private endWith(cause: Cause, killDelay: number): void {
    if (this.handle === undefined || this.exited) {
      this.end(cause);
      return;
    }
    this.cause = cause;
    this.terminate(killDelay);
  }

  /** SIGKILL now; blocks until reaped where the backend can. */
  dispose(): void {
    if (!this.over) {
      this.cause ??= { kind: 'abort', reason: undefined };
      if (this.handle !== undefined) this.killNow();
    }
    this.handle?.dispose();
    this.stdout.destroy();
    this.stderr.destroy();
    this.handle?.stdin?.destroy();
  }
}

/** The error of a start as the caller meets it: ours with the command added, or a foreign one wrapped. */
export function startFailure(error: unknown, command: string, backend: string): CommandStartError {
  if (!(error instanceof CommandStartError))
    return startFailure(startError('backend', foreign(error)), command, backend);
  if (error.command !== '') return error;
  const { stage, code, path, syscall, errno, cause } = error;
  return new CommandStartError(stage, error.reason, {
    command,
    backend,
    code: code === 'ERR_COMMAND_START' ? undefined : code,
    path,
    syscall,
    errno,
    cause,
  });
}

/** What a backend threw, as an error of the system or a sentence. */
function foreign(error: unknown): NodeJS.ErrnoException | string {
  return types.isNativeError(error) ? error : String(error);
}
