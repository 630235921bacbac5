/**
 * The backend that all fronts share: it asks a director what each program does and lets the engine do it. The director
 * is a script, a dry run or a recording.
 */
import { types } from 'node:util';
import {
  bindCommand,
  FEATURES,
  FEATURE_INFO,
  type Backend,
  type ChildHandle,
  type Clock,
  type CommandConstructor,
  type Feature,
  type LaunchPlan,
  type SyncOutcome,
  type SyncRequest,
} from '@vircommand/core/backend';
import { overrideBackend } from '@vircommand/core';
import { failureOf, type Part } from './answer';
import { Call } from './calls';
import { FakeProcess, type Facts } from './engine';
import { MockError, usage } from './errors';
import { keepAlive } from './keep-alive';
import { runSync } from './sync-run';
import { RealTime, type Timeline } from './timeline';
import { VirtualClock } from './virtual-clock';

/** Decides what programs do. */
export interface Director {
  /**
   * What the program of this call does; `'after-stdin'`: that depends on its stdin, which is still open. It throws, or
   * rejects, for a call that must not be.
   */
  direct(call: Call, stdinComplete: boolean): Part | Promise<Part> | 'after-stdin';
  /** A recording has results of its own for synchronous runs. */
  directSync?(call: Call, request: SyncRequest, timeline: Timeline): SyncOutcome;
}

/** How time passes for fake programs. */
export type TimeMode = 'virtual' | 'real';

/** What the mock declares when nothing else is said. */
export const MOCK_FEATURES: readonly Feature[] = Object.freeze(
  FEATURES.filter((feature) => FEATURE_INFO[feature].availableIn.includes('mock')),
);
// Above the highest pid that Linux gives (2^22), so that a signal sent to one past the mock reaches nobody.
const firstPid = 2 ** 22 + 1;

/** Which stages fail later than the start, with a handshake. */
const afterHold = new Set(['handshake', 'exec']);

/** Starts no program: the director says what a program would do, and the engine does it. */
export class FakeBackend implements Backend, Disposable {
  readonly contract = 1;
  readonly features: readonly Feature[];
  readonly clock: Clock;
  readonly whyNot?: NonNullable<Backend['whyNot']>;
  readonly Command: CommandConstructor;
  /** Every call, in the order of the starts. */
  readonly calls: Call[] = [];
  private readonly timeline: Timeline;
  private readonly facts: Facts;
  /** Each with what lets the event loop go. */
  private readonly running = new Map<FakeProcess, () => void>();
  private readonly installed: Disposable[] = [];
  private pids: number | undefined;
  private disposed = false;

  constructor(
    readonly name: string,
    private readonly director: Director,
    options: {
      readonly features?: readonly Feature[] | undefined;
      readonly time?: TimeMode | undefined;
      readonly whyNot?: Backend['whyNot'];
    },
  ) {
    const features = options.features ?? MOCK_FEATURES;
    this.features = Object.freeze(Array.from(features));
    this.timeline = options.time === 'real' ? new RealTime() : new VirtualClock();
    this.clock = this.timeline;
    this.facts = { coreDumped: features.includes('core-dump-bit'), usage: features.includes('resource-usage') };
    this.pids = features.includes('local-pid') ? firstPid : undefined;
    if (options.whyNot !== undefined) this.whyNot = options.whyNot;
    this.Command = bindCommand(this);
  }

  /** Of a daemon nobody learns how it ends. */
  private factsOf({ daemon }: LaunchPlan): Facts {
    return daemon ? { coreDumped: false, usage: false } : this.facts;
  }

  private begin(plan: LaunchPlan, timeline: Timeline): { call: Call; process: FakeProcess } {
    if (this.disposed) throw usage('start()', 'the mock is disposed');
    const call = new Call(plan);
    this.calls.push(call);
    const process = new FakeProcess(plan, timeline, this.factsOf(plan), call.log, this.pids, () => {
      this.running.get(process)?.();
      if (process.over) this.running.delete(process);
    });
    if (this.pids !== undefined) this.pids++;
    return { call, process };
  }

  /** Rejects if the director refuses the call, or says that the program does not start. */
  start(plan: LaunchPlan): Promise<ChildHandle> {
    try {
      this.timeline.touch();
      const { call, process } = this.begin(plan, this.timeline);
      const part = this.director.direct(call, process.stdinEnded);
      if (isPromise(part)) return part.then((settled) => this.launch(process, settled));
      if (part !== 'after-stdin') return Promise.resolve(this.launch(process, part));
      this.running.set(process, keepAlive());
      this.decideLater(call, process);
      return Promise.resolve(process);
    } catch (error) {
      return Promise.reject(asError(error));
    }
  }

  private launch(process: FakeProcess, given: Part): FakeProcess {
    const { handshake, daemon } = process.plan;
    // What a daemon does reaches nobody but by its pipes.
    const part = daemon && given.recorded !== true && !process.piped ? { ...given, ...nothing } : given;
    const { startError: failure } = part;
    // It may have taken a while to say what the program does.
    if (this.disposed) throw usage('start()', 'the mock is disposed');
    if (failure !== undefined && !(handshake && part.recorded !== true && afterHold.has(failure.stage)))
      throw failureOf(failure);
    this.running.set(process, keepAlive());
    if (handshake && part.handshake === undefined) process.hold(part);
    else process.perform(part);
    return process;
  }

  /** The director is asked again for each piece of stdin, until it knows. */
  private decideLater(call: Call, process: FakeProcess): void {
    const fail = (error: unknown): void => {
      process.fail(error);
    };
    const begin = (part: Part): void => {
      if (part.startError === undefined) process.perform(part);
      else fail(failureOf(part.startError));
    };
    process.decideBy(() => {
      try {
        const part = this.director.direct(call, process.stdinEnded);
        if (part === 'after-stdin') return false;
        if (isPromise(part)) part.then(begin).catch(fail);
        else begin(part);
      } catch (error) {
        fail(error);
      }
      return true;
    });
  }

  /** Blocks for no real time: what the program would take is added to the timeline. */
  startAndWaitSync(plan: LaunchPlan, request: SyncRequest): SyncOutcome {
    if (this.disposed) throw usage('runSync()', 'the mock is disposed');
    const call = new Call(plan, request);
    this.calls.push(call);
    const pid = this.pids === undefined ? undefined : this.pids++;
    const facts = this.factsOf(plan);
    if (this.director.directSync !== undefined) {
      const outcome = this.director.directSync(call, request, this.timeline);
      return { ...outcome, coreDumped: facts.coreDumped ? (outcome.coreDumped ?? false) : undefined, pid };
    }
    const part = this.director.direct(call, true);
    if (isPromise(part)) {
      part.catch(() => undefined);
      throw usage('runSync()', `the answer to ${plan.text} is a promise, and nothing can wait for it`);
    }
    if (part === 'after-stdin') throw usage('runSync()', `nothing says what ${plan.text} does`);
    if (part.startError !== undefined) throw failureOf(part.startError);
    return runSync(plan, request, part, { timeline: this.timeline, facts, call, pid });
  }

  /**
   * The process stays what it is, so the code under test is left by an error, which no `catch` for
   * failed starts takes for one.
   */
  exec(plan: LaunchPlan): Error {
    if (this.disposed) throw usage('exec()', 'the mock is disposed');
    const call = new Call(plan);
    this.calls.push(call);
    const part = this.director.direct(call, true);
    if (isPromise(part)) {
      part.catch(() => undefined);
      throw usage('exec()', `the answer to ${plan.text} is a promise, and nothing can wait for it`);
    }
    if (part !== 'after-stdin' && part.startError !== undefined) throw failureOf(part.startError);
    const message = `exec() of ${plan.text}: a real process would be the program now, and nothing after the call would run`;
    return new MockError('ERR_MOCK_EXECUTED', message);
  }

  /** Every command in this process uses this backend until the returned object, or the mock, is disposed. */
  install(): Disposable {
    const override = overrideBackend(this);
    this.installed.push(override);
    return override;
  }

  /** Programs that wait for what nobody does any more fail. */
  giveUp(): void {
    for (const process of Array.from(this.running.keys())) process.giveUp();
  }

  /** Ends what still runs and takes the overrides back. */
  [Symbol.dispose](): void {
    this.disposed = true;
    for (const override of this.installed.splice(0)) override[Symbol.dispose]();
    for (const process of Array.from(this.running.keys())) process.end();
  }

  /** As `[Symbol.dispose]()`, for code that awaits the end of a backend. */
  dispose(): Promise<void> {
    this[Symbol.dispose]();
    return Promise.resolve();
  }
}

const nothing: Part = { steps: [{ type: 'exit', ending: { exitCode: 0, signal: undefined } }], body: undefined };

function isPromise(value: Part | Promise<Part> | 'after-stdin'): value is Promise<Part> {
  return types.isPromise(value) || (typeof value === 'object' && 'then' in value);
}

const asError = (error: unknown): Error => (types.isNativeError(error) ? error : new Error(String(error)));
