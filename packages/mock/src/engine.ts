/**
 * A fake program: running, stopped, ended. It performs what it was told step by step; signals act on it as on a real one;
 * its output ends before its end is reported; what it leaves behind may hold its pipes open.
 */
import type { Readable, Writable } from 'node:stream';
import { types } from 'node:util';
import {
  signalNumber,
  type ChildHandle,
  type ExitStatus,
  type LaunchPlan,
  type ResourceUsage,
  type SignalName,
} from '@vircommand/core/backend';
import {
  failureOf,
  type BodyHost,
  type Ending,
  type OutputName,
  type Part,
  type StartFailure,
  type Step,
} from './answer';
import { NewTimers } from './new-timers';
import { InputPipe, OutputPipe } from './pipes';
import { defaultAction } from './signals';
import type { Timeline } from './timeline';

/** What the backend declares to know of an end. */
export interface Facts {
  readonly coreDumped: boolean;
  readonly usage: boolean;
}

/** What the test sees of a call; the process fills it. */
export interface CallLog {
  readonly stdin: Uint8Array[];
  readonly sendBuffers: Uint8Array[][];
  readonly signals: SignalName[];
}

type SignalResult = ReturnType<ChildHandle['signal']>;

const noUsage: ResourceUsage = Object.freeze({
  userMs: 0,
  systemMs: 0,
  maxRssKiB: 0,
  voluntaryContextSwitches: 0,
  involuntaryContextSwitches: 0,
});

const nothing: Part = { steps: [] };

const endedWhileHeld: StartFailure = {
  stage: 'handshake',
  code: 'EPIPE',
  reason: 'EPIPE: broken pipe, write (the process was ended while it was held)',
  syscall: 'write',
};

/** One run of a fake program. */
export class FakeProcess implements ChildHandle, BodyHost {
  readonly handshake: ChildHandle['handshake'];
  private readonly out: OutputPipe | undefined;
  private readonly err: OutputPipe | undefined;
  private readonly merged: boolean;
  private readonly input: InputPipe | undefined;
  private readonly extraInputs: readonly InputPipe[];
  private part = nothing;
  private begun = 0;
  /** The next step. */
  private at = 0;
  private cancel: (() => void) | undefined;
  private full = false;
  private status: ExitStatus | undefined;
  private lost: Error | undefined;
  private settle: { resolve(status: ExitStatus): void; reject(error: unknown): void } | undefined;
  private promise: Promise<ExitStatus> | undefined;
  private stopped = false;
  /** Came while it was stopped, and act when it goes on. */
  private pending: SignalName[] = [];
  /** Came before the step that waits for them. */
  private early: SignalName[] = [];
  private traps: Map<SignalName, (() => void) | undefined> | undefined;
  /** Who waits for room in a pipe, for stdin, or for time to pass: continues when the program ends, too. */
  private readonly waiters = new Set<() => void>();
  private readAt = 0;
  /** Where it waits for what its caller does: what may still make it do so. */
  private newTimers: NewTimers | undefined;
  /** Looks no more whether that will come. */
  private unwatch: (() => void) | undefined;
  private reported = false;
  /** What is known of a daemon, since it has begun. What it does then is its own, and reaches others by its pipes only. */
  private begunAs: ExitStatus | undefined;
  private decided: (() => boolean) | undefined;
  private notified = false;
  private performing = false;
  private dying = false;

  constructor(
    readonly plan: LaunchPlan,
    private readonly timeline: Timeline,
    private readonly facts: Facts,
    private readonly log: CallLog,
    readonly pid: number | undefined,
    /** Called when the end is reported; for a daemon when it has begun, and again when it has ended. */
    private readonly ended?: (status: ExitStatus | undefined) => void,
  ) {
    const drained = (): void => {
      this.full = false;
      this.wake();
      this.proceed();
    };
    this.out = plan.stdout.type === 'pipe' ? new OutputPipe(drained) : undefined;
    this.merged = plan.stderr.type === 'same-as-stdout';
    this.err = this.merged ? this.out : plan.stderr.type === 'pipe' ? new OutputPipe(drained) : undefined;
    this.input = plan.stdin.type === 'pipe' ? new InputPipe(log.stdin, this.arrived) : undefined;
    this.extraInputs = plan.sendBuffers.map((_, index) => new InputPipe((log.sendBuffers[index] ??= []), this.arrived));
  }

  get stdin(): Writable | undefined {
    return this.input?.writable;
  }

  get stdout(): Readable | undefined {
    return this.out?.readable;
  }

  get stderr(): Readable | undefined {
    return this.merged ? undefined : this.err?.readable;
  }

  get sendBuffers(): readonly Writable[] {
    return this.extraInputs.map((pipe) => pipe.writable);
  }

  capture(
    stream: OutputName,
    onChunk: (chunk: Uint8Array) => void,
    onEnd: (error?: Error) => void,
  ): { destroy(): void } {
    const pipe = stream === 'stdout' ? this.out : this.merged ? undefined : this.err;
    if (pipe !== undefined) return pipe.capture(onChunk, onEnd);
    onEnd();
    return { destroy: () => undefined };
  }

  get exited(): Promise<ExitStatus> {
    return (this.promise ??= new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
      if (this.reported) this.settled();
    }));
  }

  private settled(): void {
    const status = this.begunAs ?? this.status;
    if (this.begunAs === undefined && this.lost !== undefined) this.settle?.reject(this.lost);
    else if (status !== undefined) this.settle?.resolve(status);
  }

  private becomeDaemon(ending: Ending): void {
    this.begunAs = this.statusOf(ending);
    this.report();
  }

  /** Whether it has pipes to its caller. */
  get piped(): boolean {
    return [this.input, this.out, this.err, ...this.extraInputs].some((pipe) => pipe !== undefined);
  }

  /** Whether it has ended. */
  get over(): boolean {
    return this.status !== undefined;
  }

  /** What is written to stdin has all come (or nobody writes). */
  get stdinEnded(): boolean {
    return this.input?.ended ?? true;
  }

  /** Gives a synchronous run's input, whole. */
  feed(input: Uint8Array | undefined, sendBuffers: readonly Uint8Array[]): void {
    const all: readonly (readonly [InputPipe | undefined, Uint8Array | undefined])[] = [
      [this.input, input],
      ...sendBuffers.map((data, index) => [this.extraInputs[index], data] as const),
    ];
    for (const [pipe, data] of all) {
      if (data !== undefined && data.length > 0) pipe?.take(data);
      pipe?.finish();
    }
  }

  /** Calls back now, and again when more of stdin has come or it has ended, until the callback returns `true`. */
  decideBy(decided: () => boolean): void {
    if (!decided()) this.decided = decided;
  }

  private readonly arrived = (): void => {
    this.timeline.touch();
    if (!this.over) {
      if (this.decided?.() === true) this.decided = undefined;
      this.lookAtStdin();
    }
    this.wake();
    this.proceedSoon();
  };

  /** A caller that writes or sends a signal sees the effect later, not during the call. */
  private proceedSoon(): void {
    if (this.performing) this.timeline.soon(this.proceed);
  }

  /** That stdin is as it must be, as far as it has come. */
  private lookAtStdin(): void {
    const error = this.part.checkStdin?.(this.log.stdin);
    if (error !== undefined) this.fail(error);
  }

  /** Begins to do what it is told, with the next turn of the loop. */
  perform(part: Part): void {
    if (this.over) return;
    this.part = part;
    if (part.steps.some((step) => 'missing' in step)) this.newTimers ??= new NewTimers();
    if (this.input !== undefined) this.input.readsUpTo = part.readsUpTo ?? Infinity;
    if (this.log.stdin.length > 0) this.lookAtStdin();
    if (part.handshake !== undefined) this.stepwise(part.handshake);
    this.timeline.soon(this.begin);
  }

  /** A handshake whose steps are among what it performs. */
  private stepwise({ wait, notify }: NonNullable<Part['handshake']>): void {
    const step = (failure: StartFailure | undefined, done?: () => void) => (): Promise<void> => {
      if (failure === undefined) {
        done?.();
        return Promise.resolve();
      }
      const error = failureOf(failure);
      this.fail(error);
      return Promise.reject(error);
    };
    const notified = (): void => {
      this.notified = true;
      this.proceedSoon();
    };
    Object.assign(this, { handshake: { wait: step(wait), notify: step(notify, notified) } });
  }

  /** Is held before exec until it is told to go on; then `part` is what it does. */
  hold(part: Part): void {
    const failure = part.startError;
    const error = failure === undefined ? undefined : failureOf(failure);
    const fail = (): Promise<void> => {
      this.fail(error ?? new Error('failed'));
      return Promise.reject(error ?? new Error('failed'));
    };
    const handshake: NonNullable<ChildHandle['handshake']> = {
      wait: () => (failure?.stage === 'handshake' ? fail() : Promise.resolve()),
      notify: () => {
        if (this.over || this.dying) return Promise.reject(failureOf(endedWhileHeld));
        if (error !== undefined) return fail();
        this.perform(part);
        return Promise.resolve();
      },
    };
    Object.assign(this, { handshake });
  }

  private readonly begin = (): void => {
    if (this.over) return;
    this.begun = this.timeline.now();
    const { body } = this.part;
    if (this.plan.daemon && this.part.recorded !== true) this.becomeDaemon({ exitCode: 0, signal: undefined });
    if (body === undefined) {
      this.performing = true;
      this.proceed();
      return;
    }
    // A program that was killed learns it from what it calls, and may be back before its end is noticed: it stays the signal's.
    body(this).then(
      (ending) => {
        if (!this.dying) this.finish(ending);
      },
      (error: unknown) => {
        if (!this.dying) this.fail(error);
      },
    );
  };

  /** Does one step after the other, until one has to wait. */
  private readonly proceed = (): void => {
    if (!this.performing || this.stopped || this.full || this.cancel !== undefined) return;
    for (let step = this.part.steps[this.at]; step !== undefined; step = this.part.steps[this.at]) {
      if (this.mustWait(step)) return;
      this.at++;
      if (step.type === 'exit' && this.plan.daemon && this.begunAs === undefined) {
        this.becomeDaemon(step.ending);
        continue;
      }
      if (step.type === 'exit') {
        // What comes after it is done by others, and later.
        this.finish(step.ending);
        return;
      }
      if (step.type === 'lost') {
        this.fail(failureOf(step.failure));
        return;
      }
      if (step.type === 'end') this.endOf(step.stream);
      else if (step.type === 'stdout' || step.type === 'stderr') {
        if (!this.put(step.type, typeof step.data === 'function' ? step.data() : step.data)) return;
      }
    }
    if (this.over || (this.begunAs !== undefined && this.part.recorded === true)) this.releasePipes();
  };

  private mustWait(step: Step): boolean {
    this.unwatch?.();
    switch (step.type) {
      case 'signal': {
        const came = this.early.indexOf(step.name);
        if (came >= 0) this.early.splice(came, 1);
        else if (!this.over) this.watch();
        return came < 0;
      }
      case 'stdin':
        return !this.stdinEnded && (this.input?.size ?? 0) < step.bytes;
      case 'closed': {
        const open = this.isOpen(step.stream);
        if (open && step.atOnce) this.fail(step.missing());
        else if (open && !this.over) this.watch();
        return open;
      }
      case 'notify':
        return !this.notified;
      default: {
        const at = 'at' in step ? step.at : undefined;
        const wait = this.over || at === undefined ? 0 : this.begun + at - this.timeline.now();
        if (wait <= 0) return false;
        this.cancel = this.timeline.after(wait, () => {
          this.cancel = undefined;
          this.proceed();
        });
        return true;
      }
    }
  }

  private isOpen(stream: OutputName): boolean {
    return (stream === 'stdout' ? this.out : this.err)?.open === true;
  }

  /** What it waits for may come from what is no matter of virtual time: a timer of the code under test. */
  private watch(): void {
    this.unwatch = this.timeline.idle(() => {
      if (this.newTimers?.some() === true) this.watch();
      else this.giveUp();
    });
  }

  /** Fails if it waits for a signal, or for its reader to close its output: nobody does that any more. */
  giveUp(): void {
    const step = this.part.steps[this.at];
    if (!this.performing || step === undefined || !('missing' in step)) return;
    const isDone = step.type === 'signal' ? this.early.includes(step.name) : !this.isOpen(step.stream);
    if (!isDone) this.fail(step.missing());
  }

  private endOf(stream: OutputName | 'stdin'): void {
    if (stream === 'stdin') this.input?.break();
    else (stream === 'stdout' ? this.out : this.err)?.end();
  }

  /** `false`: it does not go on now, or not at all. */
  private put(name: OutputName, data: Uint8Array): boolean {
    const pipe = name === 'stdout' ? this.out : this.err;
    const written = pipe?.write(data);
    if (written === 'full') this.full = true;
    else if (written === 'broken' && !this.over && this.part.recorded !== true) this.receive('SIGPIPE');
    return !this.full && this.performing;
  }

  signal(name: SignalName, target: 'process' | 'tree'): SignalResult {
    this.timeline.touch();
    if (signalNumber(name) === undefined || this.begunAs !== undefined) return { sent: false, reached: 'process' };
    const awaited = this.awaited(name);
    if (this.over && (awaited === undefined || this.lost !== undefined)) return { sent: false, reached: 'process' };
    // What is on its way to its end was over before this signal when it was recorded.
    if (!this.over && awaited === undefined && this.refuses(name) && this.runsOut)
      return { sent: false, reached: 'process' };
    if (!this.over) this.log.signals.push(name);
    if (awaited !== undefined && (name !== 'SIGKILL' || this.over)) {
      this.early.push(name);
      this.proceedSoon();
    } else if (awaited !== undefined) {
      // What was recorded after SIGKILL is what others did; the program itself does nothing any more.
      this.early.push(name);
      this.skipTo(awaited);
      this.proceedSoon();
    } else if (this.part.refuseSignal !== undefined && this.refuses(name)) this.fail(this.part.refuseSignal(name));
    else this.receive(name);
    return { sent: true, reached: target === 'process' ? 'process' : (awaited?.reached ?? 'tree') };
  }

  /** A recording that says nothing of a signal that would end the program. */
  private refuses(name: SignalName): boolean {
    return this.part.refuseSignal !== undefined && name !== 'SIGKILL' && defaultAction(name) === 'end';
  }

  /** Nothing of what it still does waits for anybody. */
  private get runsOut(): boolean {
    const left = this.part.steps.slice(this.at);
    const ends = left.some(({ type }) => type === 'exit');
    return (
      ends && left.every(({ type }) => type === 'stdout' || type === 'stderr' || type === 'end' || type === 'exit')
    );
  }

  /** The step that waits for this signal and has none yet. */
  private awaited(name: SignalName): Extract<Step, { type: 'signal' }> | undefined {
    let taken = this.early.filter((early) => early === name).length;
    for (let at = this.at; at < this.part.steps.length; at++) {
      const step = this.part.steps[at];
      if (step?.type === 'signal' && step.name === name && taken-- === 0) return step;
    }
    return undefined;
  }

  private skipTo(step: Step): void {
    this.cancel?.();
    this.cancel = undefined;
    [this.stopped, this.full, this.performing] = [false, false, true];
    this.at = this.part.steps.indexOf(step, this.at);
  }

  /** What a signal does that no recording says anything of. */
  private receive(name: SignalName): void {
    if (name === 'SIGKILL') {
      this.die(name);
      return;
    }
    if (name === 'SIGCONT') this.goOn();
    else if (this.stopped) {
      this.pending.push(name);
      return;
    }
    const trap = this.traps?.has(name) === true ? { handler: this.traps.get(name) } : undefined;
    if (trap !== undefined) {
      if (trap.handler !== undefined) this.timeline.soon(trap.handler);
      return;
    }
    const reaction = this.part.onSignal?.[name];
    if (reaction === 'ignore') return;
    if (reaction !== undefined) {
      const { after, exitCode } = reaction;
      const ending = exitCode === undefined ? { exitCode, signal: name } : { exitCode, signal: undefined };
      this.timeline.after(after, () => {
        if (this.over) return;
        this.drop();
        this.finish(ending);
      });
      return;
    }
    const action = defaultAction(name);
    if (action === 'stop') this.stopped = true;
    else if (action === 'end') this.die(name);
  }

  private goOn(): void {
    if (!this.stopped) return;
    this.stopped = false;
    const { pending } = this;
    this.pending = [];
    for (const name of pending) this.receive(name);
    this.wake();
    this.proceed();
  }

  /** Its end is noticed in the next turn, as the kernel reports it later than the signal was sent. */
  private die(name: SignalName): void {
    if (this.dying) return;
    this.dying = true;
    this.drop();
    this.timeline.soon(() => {
      this.finish({ exitCode: undefined, signal: name });
    });
  }

  /** Does nothing of what it still would have done. */
  private drop(): void {
    this.cancel?.();
    this.cancel = undefined;
    this.performing = false;
    this.at = this.part.steps.length;
  }

  treeAlive(): boolean {
    if (!this.over) return true;
    return this.part.steps.some((step, index) => index >= this.at && step.type === 'signal');
  }

  /** The end: first of its output, then of itself. */
  private finish(ending: Ending): void {
    if (this.status !== undefined) return;
    this.status = this.statusOf(ending);
    this.cancel?.();
    this.cancel = undefined;
    this.unwatch?.();
    this.newTimers?.stop();
    // Who is killed need not have read everything.
    if (ending.signal === undefined) this.lost ??= this.part.checkEnd?.();
    this.input?.close();
    for (const pipe of this.extraInputs) pipe.close();
    this.wake();
    const later = this.part.steps.length > this.at;
    if (!later) this.releasePipes();
    if (this.begunAs !== undefined) this.ended?.(this.status);
    // The events of a stream take a turn; its end comes first.
    if (this.out?.streaming === true || this.err?.streaming === true) this.timeline.soon(this.report);
    else this.report();
    if (later) {
      [this.stopped, this.performing] = [false, true];
      this.timeline.soon(this.proceed);
    }
  }

  private readonly report = (): void => {
    if (this.reported) return;
    this.reported = true;
    this.settled();
    this.ended?.(this.lost === undefined ? this.status : undefined);
  };

  private statusOf({ exitCode, signal, coreDumped, usage }: Ending): ExitStatus {
    const { facts } = this;
    return {
      exitCode,
      signal,
      coreDumped: facts.coreDumped ? (coreDumped ?? false) : undefined,
      usage: facts.usage ? (usage === undefined ? noUsage : { ...noUsage, ...usage }) : undefined,
    };
  }

  /** The program writes no more: ends its pipes, except those that another process holds in this answer. */
  private releasePipes(): void {
    const held = this.part.heldOpen;
    if (held?.includes('stdout') !== true) this.out?.end();
    if (!this.merged && held?.includes('stderr') !== true) this.err?.end();
  }

  /** There is no program (any more): the run ends with this error. */
  fail(error: unknown): void {
    if (this.over) return;
    this.lost = types.isNativeError(error) ? error : new Error(String(error));
    this.drop();
    this.finish({ exitCode: undefined, signal: undefined });
  }

  dispose(): void {
    if (this.begunAs === undefined) {
      this.end();
      return;
    }
    // A daemon goes on, and finds the end of what it reads.
    for (const pipe of [this.input, ...this.extraInputs]) pipe?.finish();
    this.destroyPipes();
  }

  /** Also a daemon, where there is no backend any more. */
  end(): void {
    if (!this.over) {
      if (this.begunAs === undefined) this.log.signals.push('SIGKILL');
      this.drop();
      this.finish({ exitCode: undefined, signal: 'SIGKILL' });
    }
    this.report();
    this.drop();
    this.destroyPipes();
  }

  private destroyPipes(): void {
    this.out?.destroy();
    this.err?.destroy();
    this.input?.destroy();
    for (const pipe of this.extraInputs) pipe.destroy();
  }

  // What a program in JavaScript calls.

  async write(name: OutputName, data: Uint8Array): Promise<boolean> {
    await this.untilOver(() => !this.full && !this.stopped);
    if (this.over || this.dying) return false;
    this.put(name, data);
    return !this.dying;
  }

  async sleep(ms: number): Promise<boolean> {
    if (this.over) return false;
    let cancel = (): void => undefined;
    let due = false;
    cancel = this.timeline.after(ms, () => {
      due = true;
      this.wake();
    });
    await this.untilOver(() => due && !this.stopped);
    cancel();
    return !this.over;
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.log.stdin[this.readAt];
      if (chunk !== undefined && !this.stopped) {
        this.readAt++;
        return chunk;
      }
      if (this.stdinEnded || this.over) return undefined;
      await this.woken();
    }
  }

  trap(name: SignalName, handler: (() => void) | undefined): void {
    (this.traps ??= new Map()).set(name, handler);
  }

  /** Waits for a condition, or for the end. */
  private async untilOver(condition: () => boolean): Promise<void> {
    while (!this.over && !condition()) await this.woken();
  }

  private woken(): Promise<void> {
    return new Promise((resolve) => {
      this.waiters.add(resolve);
    });
  }

  private wake(): void {
    if (this.waiters.size === 0) return;
    const waiting = Array.from(this.waiters);
    this.waiters.clear();
    for (const resume of waiting) resume();
  }
}
