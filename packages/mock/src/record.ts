/** The recorder: a decorating backend that starts programs with another one and tells everything that happens to them. */
import {
  checkBackend,
  CommandStartError,
  describe,
  realTime,
  startError,
  type Backend,
  type ChildHandle,
  type ExitStatus,
  type LaunchPlan,
  type SignalName,
  type SyncOutcome,
  type SyncRequest,
} from '@vircommand/core/backend';
import { types } from 'node:util';
import type { OutputName, StartFailure } from './answer';
import { usage } from './errors';
import type { RecordedEvent } from './events';
import { InputTap, OutputTap, releasePipe, type OutputListener } from './taps';

type Told = RecordedEvent extends infer E ? (E extends { readonly call: number } ? Omit<E, 'call'> : never) : never;

/** The error of a start as data; foreign errors are those of stage `backend`, as core makes them. */
export function failureFrom(error: unknown): StartFailure {
  const own =
    error instanceof CommandStartError
      ? error
      : startError('backend', types.isNativeError(error) ? error : String(error));
  const { stage, code, path, syscall, reason } = own;
  return { stage, code, path, syscall, reason };
}

/**
 * Milliseconds. What core does not wait for it lets go of when what it waits for has ended; what somebody holds, after the
 * drain delay.
 */
const patience = 20;

/** One program that is watched. */
class Watched {
  exited = false;
  private killed = false;
  private begun = false;
  /** How many of the exit and the ends of the streams have come. */
  private ends = 0;
  /** Nothing more has ended since then. */
  private waitedInVain = false;

  constructor(
    private readonly sink: (event: Told) => void,
    private readonly isDaemon: boolean,
  ) {}

  tell(event: Told): void {
    this.sink(event);
  }

  /** Of a daemon that is only the beginning: what passes its pipes comes after. */
  ended(event: Told): void {
    if (this.isDaemon && event.type === 'exit') this.begun = true;
    else this.exited = true;
    this.tell(event);
    this.waitAnew();
  }

  /**
   * The turns are those that core waits before it gives up, and begin before them: also in a busy process it gives up when
   * this is over.
   */
  private waitAnew(): void {
    const ends = ++this.ends;
    this.waitedInVain = false;
    const look = (): void => {
      if (ends === this.ends) this.waitedInVain = true;
    };
    realTime.after(patience, () => realTime.afterTwoTurns(look), { ref: false });
  }

  signalled(name: SignalName): void {
    if (name === 'SIGKILL') this.killed = true;
  }

  /** What is disposed is killed: that is a cause of the end, as a signal is. */
  disposed(): void {
    if (this.exited || this.killed || this.begun) return;
    this.killed = true;
    this.tell({ type: 'signal', name: 'SIGKILL', reached: 'tree' });
  }

  output(stream: OutputName): OutputListener {
    return {
      onData: (data) => {
        this.tell({ type: stream, data });
      },
      onEnd: () => {
        this.tell({ type: 'end', stream });
        this.waitAnew();
      },
      onClosed: () => {
        if (!this.exited && !this.killed) this.tell({ type: 'closed', stream });
        if (!this.exited) return 'over';
        return this.waitedInVain ? 'held' : 'near';
      },
      onHeld: () => {
        this.tell({ type: 'held', stream });
      },
    };
  }
}

/** Has the features of the wrapped backend, or fewer. The end of what is being closed can be waited for. */
export class Recorder implements Backend {
  readonly contract = 1;
  readonly name: string;
  readonly features: Backend['features'];
  readonly startAndWaitSync?: NonNullable<Backend['startAndWaitSync']>;
  readonly clock?: NonNullable<Backend['clock']>;
  readonly whyNot: NonNullable<Backend['whyNot']>;
  private calls = 0;
  private readonly closing = new Set<Promise<void>>();

  constructor(
    private readonly wrapped: Backend,
    private readonly sink: (event: RecordedEvent) => void,
    /** Fewer than it has: what is known of programs then is less, too. */
    features: Backend['features'] = wrapped.features,
  ) {
    this.name = wrapped.name;
    this.features = Object.freeze(features.filter((feature) => feature !== 'exec'));
    this.whyNot = (feature) =>
      feature === 'exec' ? 'After exec() no recorder is left to be told' : wrapped.whyNot?.(feature);
    if (wrapped.clock !== undefined) this.clock = wrapped.clock;
    if (wrapped.startAndWaitSync !== undefined) {
      this.startAndWaitSync = (plan, request) => this.runSync(plan, request);
    }
  }

  /** When nothing more can happen to programs that are over. */
  async quiet(): Promise<void> {
    while (this.closing.size > 0) await Promise.all(this.closing);
  }

  async start(plan: LaunchPlan): Promise<ChildHandle> {
    const call = this.calls++;
    const watched = new Watched((event) => {
      this.sink({ call, ...event });
    }, plan.daemon);
    watched.tell({ type: 'start', plan });
    try {
      return this.handle(await this.wrapped.start(plan), plan, watched);
    } catch (error) {
      watched.tell({ type: 'start-error', failure: failureFrom(error) });
      throw error;
    }
  }

  private handle(inner: ChildHandle, plan: LaunchPlan, watched: Watched): ChildHandle {
    const exited = inner.exited.then(
      (given) => {
        const status = this.known(given);
        watched.ended({ type: 'exit', status });
        return status;
      },
      (error: unknown) => {
        watched.ended({ type: 'lost', failure: failureFrom(error) });
        throw error;
      },
    );
    exited.catch(() => undefined);
    const stdin = inner.stdin && this.input(inner.stdin, watched);
    const { sendBuffers, handshake } = inner;
    const taps: Partial<Record<OutputName, OutputTap>> = {};
    const tap = (name: OutputName): OutputTap | undefined => {
      const source = inner[name];
      return source && (taps[name] ??= new OutputTap(source, watched.output(name), this.closing));
    };
    return {
      pid: this.pid(inner.pid),
      stdin,
      get stdout() {
        return tap('stdout');
      },
      get stderr() {
        return tap('stderr');
      },
      exited,
      ...(inner.capture !== undefined && { capture: this.capture(inner, watched) }),
      ...(sendBuffers && {
        sendBuffers: sendBuffers.map((stream, index) =>
          this.sendBuffer(stream, plan.sendBuffers[index] ?? -1, watched),
        ),
      }),
      ...(inner.treeAlive !== undefined && { treeAlive: () => inner.treeAlive?.() === true }),
      ...(handshake && { handshake: this.handshake(handshake, watched) }),
      signal: (name, target) => {
        const result = inner.signal(name, target);
        if (result.sent) {
          watched.signalled(name);
          watched.tell({ type: 'signal', name, reached: result.reached });
        }
        return result;
      },
      dispose: () => {
        watched.disposed();
        inner.dispose();
        for (const open of [stdin, taps.stdout, taps.stderr]) open?.destroy();
      },
    };
  }

  private pid(pid: number | undefined): number | undefined {
    return this.features.includes('local-pid') ? pid : undefined;
  }

  private known<T extends ExitStatus>(status: T): T {
    const { features } = this;
    const coreDumped = features.includes('core-dump-bit') ? status.coreDumped : undefined;
    const usage = features.includes('resource-usage') ? status.usage : undefined;
    return { ...status, coreDumped, usage };
  }

  private input(sink: NonNullable<ChildHandle['stdin']>, watched: Watched): InputTap {
    const running = (event: Told) => (): void => {
      if (!watched.exited) watched.tell(event);
    };
    return new InputTap(sink, {
      onWrite: (data) => {
        if (!watched.exited) watched.tell({ type: 'stdin', data });
      },
      onEnd: running({ type: 'end', stream: 'stdin' }),
      onBroken: running({ type: 'broken', stream: 'stdin' }),
    });
  }

  private sendBuffer(sink: NonNullable<ChildHandle['stdin']>, fd: number, watched: Watched): InputTap {
    return new InputTap(sink, {
      onWrite: (data) => {
        watched.tell({ type: 'send', fd, data });
      },
      onEnd: () => undefined,
      onBroken: () => undefined,
    });
  }

  private capture(inner: ChildHandle, watched: Watched): NonNullable<ChildHandle['capture']> {
    return (stream, onChunk, onEnd) => {
      const listener = watched.output(stream);
      let wanted = true;
      let markEnded = (): void => undefined;
      let over = false;
      const ended = new Promise<void>((resolve) => {
        markEnded = resolve;
      });
      const source = inner.capture?.(
        stream,
        (chunk) => {
          listener.onData(Uint8Array.from(chunk));
          if (wanted) onChunk(chunk);
        },
        (error) => {
          over = true;
          if (error === undefined) listener.onEnd();
          markEnded();
          if (wanted) onEnd(error);
        },
      );
      return {
        destroy: () => {
          wanted = false;
          const release = (): void => {
            source?.destroy();
          };
          if (over) release();
          else releasePipe(ended, listener, release, this.closing);
        },
      };
    };
  }

  private handshake(
    inner: NonNullable<ChildHandle['handshake']>,
    watched: Watched,
  ): NonNullable<ChildHandle['handshake']> {
    const step = (name: 'wait' | 'notify') => async (): Promise<void> => {
      try {
        // Before it is over: what the program does then comes after.
        if (name === 'notify') watched.tell({ type: 'handshake', step: name, failure: undefined });
        await inner[name]();
      } catch (error) {
        watched.tell({ type: 'handshake', step: name, failure: failureFrom(error) });
        throw error;
      }
    };
    return { wait: step('wait'), notify: step('notify') };
  }

  private runSync(plan: LaunchPlan, request: SyncRequest): SyncOutcome {
    const call = this.calls++;
    try {
      const outcome = this.wrapped.startAndWaitSync?.(plan, request);
      if (outcome === undefined) throw startError('backend', 'the recorded backend has no startAndWaitSync()');
      const result = { ...this.known(outcome), pid: this.pid(outcome.pid) };
      const copy = (bytes: Uint8Array | undefined): Uint8Array | undefined => bytes && Uint8Array.from(bytes);
      const kept = { ...result, stdout: copy(result.stdout), stderr: copy(result.stderr) };
      this.sink({ call, type: 'sync', plan, request, result: kept });
      return result;
    } catch (error) {
      this.sink({ call, type: 'sync', plan, request, result: { failure: failureFrom(error) } });
      throw error;
    }
  }

  async dispose(): Promise<void> {
    await this.wrapped.dispose?.();
  }
}

/**
 * A spy over any backend: programs run as they do without it, and `sink` is told what happens to them, as it happens.
 *
 * @throws CommandUsageError, `ERR_COMMAND_CONTRACT`, for what is no backend; MockError if the sink is no function
 *
 * @example
 * ```ts
 * const spy = createRecorder(backend, (event) => console.log(event));
 * await new Command('git', ['status'], { backend: spy }).run();
 * ```
 */
export function createRecorder(wrapped: Backend, sink: (event: RecordedEvent) => void): Backend {
  checkBackend(wrapped, 'createRecorder()');
  const given: unknown = sink;
  if (typeof given !== 'function') {
    throw usage('createRecorder()', `the sink must be a function that is told of each event, not ${describe(given)}`);
  }
  return new Recorder(wrapped, sink);
}
