/** Gathers what a recorder tells, and makes the entries of a recording of it. */
import type { LaunchPlan } from '@vircommand/core/backend';
import type { RecordedEvent } from './events';
import { recordedCall, type RecordedCall } from './recorded-call';
import { inputName, latin1OrText, type CallRedactor, type Redactor } from './redact';
import { isSecretInput } from './secrets';
import type { TapeEntry } from './tape';
import {
  Arrangement,
  atOnce,
  secretData,
  toTapeData,
  toTapeExit,
  toTapeFailure,
  type TapeData,
  type TapeOutcome,
  type Timed,
} from './tape-event';
import { TurningTime } from './turning-time';

type SyncResult = Extract<RecordedEvent, { type: 'sync' }>['result'];

/** One call that is being recorded. */
class Taken {
  readonly events: Timed[] = [];
  readonly sent = new Map<number, Uint8Array[]>();
  over = false;
  killed = false;
  /** Resolves when it is over. */
  readonly end: Promise<void>;
  private markEnd: () => void = () => undefined;

  constructor(
    readonly plan: LaunchPlan,
    readonly call: RecordedCall,
    private readonly redactor: CallRedactor,
    private readonly time: TurningTime,
    readonly outcome: SyncResult | undefined,
  ) {
    this.end = new Promise((resolve) => {
      this.markEnd = resolve;
    });
    if (outcome !== undefined) this.finish();
  }

  private finish(): void {
    this.over = true;
    this.markEnd();
  }

  add(event: RecordedEvent): void {
    if (event.type === 'send') {
      const chunks = this.sent.get(event.fd) ?? [];
      chunks.push(event.data);
      this.sent.set(event.fd, chunks);
      return;
    }
    this.events.push({ ...event, at: this.time.now() });
    if (event.type === 'signal' && event.name === 'SIGKILL') this.killed = true;
    if (event.type === 'exit' || event.type === 'lost' || event.type === 'start-error') this.finish();
  }

  get entry(): TapeEntry {
    const { redactor, plan, outcome } = this;
    const secret = (fd: number): boolean => isSecretInput(plan, fd);
    const stdin = this.events.flatMap((event) => (event.type === 'stdin' ? [event.data] : []));
    if (secret(0) && stdin.length > 0) redactor.learn(inputName(0), latin1OrText(stdin));
    for (const [fd, chunks] of this.sent) if (secret(fd)) redactor.learn(inputName(fd), latin1OrText(chunks));
    const sent: [string, TapeData][] = [...this.sent]
      .sort(([a], [b]) => a - b)
      .map(([fd, chunks]) => [
        String(fd),
        secret(fd) ? secretData(fd) : toTapeData(redactor.hideBytes(Buffer.concat(chunks))),
      ]);
    return {
      call: this.call,
      ...(sent.length === 0 ? {} : { sent: Object.fromEntries(sent) }),
      ...(outcome === undefined
        ? { events: Arrangement.of(this.events, redactor, secret(0)) }
        : { outcome: outcomeOf(outcome, redactor) }),
    };
  }
}

function outcomeOf(outcome: SyncResult, redactor: CallRedactor): TapeOutcome {
  if ('failure' in outcome) return { startError: toTapeFailure(outcome.failure, redactor) };
  const data = (name: 'stdout' | 'stderr'): Partial<Record<typeof name, TapeData>> => {
    const bytes = outcome[name];
    return bytes === undefined || bytes.length === 0 ? {} : { [name]: toTapeData(redactor.hideBytes(bytes)) };
  };
  return {
    ...data('stdout'),
    ...data('stderr'),
    exit: toTapeExit(outcome),
    ...(outcome.coreDumped === true ? { coreDumped: true as const } : {}),
    ...(outcome.ending === 'exit' ? {} : { ending: outcome.ending }),
    ...(outcome.exceeded === undefined ? {} : { exceeded: outcome.exceeded }),
    ...(outcome.outputComplete ? {} : { outputComplete: false as const }),
    ...(outcome.incomplete === undefined ? {} : { incomplete: outcome.incomplete }),
    ...(outcome.ended === 'none' ? {} : { ended: outcome.ended }),
  };
}

/** All calls of one recording, in the order of their starts. */
export class Take {
  private readonly taken = new Map<number, Taken>();
  private readonly time = new TurningTime(atOnce);

  constructor(
    private readonly redactor: Redactor,
    private readonly storedEnv: readonly string[],
  ) {}

  /** What a recorder calls. */
  readonly add = (event: RecordedEvent): void => {
    if (event.type === 'start' || event.type === 'sync') this.redactor.refresh();
    if (event.type === 'start') {
      const redactor = this.redactor.forCall(event.plan);
      const call = recordedCall(event.plan, redactor, this.storedEnv);
      this.taken.set(event.call, new Taken(event.plan, call, redactor, this.time, undefined));
    } else if (event.type === 'sync') this.addSync(event);
    else this.taken.get(event.call)?.add(event);
  };

  private addSync({ call: id, plan, request, result }: Extract<RecordedEvent, { type: 'sync' }>): void {
    const redactor = this.redactor.forCall(plan);
    const call = recordedCall(plan, redactor, this.storedEnv, request);
    const taken = new Taken(plan, call, redactor, this.time, result);
    if (request.input !== undefined && request.input.length > 0) taken.sent.set(0, [request.input]);
    plan.sendBuffers.forEach((fd, index) => taken.sent.set(fd, [request.sendBuffers[index] ?? new Uint8Array()]));
    this.taken.set(id, taken);
  }

  /** Waits for those that were killed, whose end is near; what then still runs, as text. */
  async running(): Promise<string[]> {
    const all = [...this.taken.values()];
    await Promise.all(all.filter(({ killed }) => killed).map(({ end }) => end));
    return all.filter(({ over }) => !over).map(({ plan }) => plan.text);
  }

  /** With what was called in fact. */
  get entries(): readonly { readonly plan: LaunchPlan; readonly entry: TapeEntry }[] {
    const inOrder = [...this.taken].sort(([a], [b]) => a - b);
    return inOrder.map(([, { plan, entry }]) => ({ plan, entry }));
  }
}
