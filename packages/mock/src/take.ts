/** Gathers what a recorder tells, and makes the entries of a recording of it. */
import type { LaunchPlan, SyncOutcome } from '@vircommand/core/backend';
import type { RecordedEvent } from './events';
import { recordedCall, type RecordedCall } from './recorded-call';
import type { CallRedactor, Redactor } from './redact';
import type { TapeEntry } from './tape';
import {
  Arrangement,
  toTapeData,
  toTapeExit,
  toTapeFailure,
  type TapeData,
  type TapeOutcome,
  type Timed,
} from './tape-event';

const now = performance.now.bind(performance);

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
    readonly outcome: TapeOutcome | undefined,
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
    this.events.push({ ...event, at: now() });
    if (event.type === 'signal' && event.name === 'SIGKILL') this.killed = true;
    if (event.type === 'exit' || event.type === 'lost' || event.type === 'start-error') this.finish();
  }

  get entry(): TapeEntry {
    const sent: [string, TapeData][] = [...this.sent]
      .sort(([a], [b]) => a - b)
      .map(([fd, chunks]) => [String(fd), toTapeData(this.redactor.hideBytes(Buffer.concat(chunks)))]);
    return {
      call: this.call,
      ...(sent.length === 0 ? {} : { sent: Object.fromEntries(sent) }),
      ...(this.outcome === undefined
        ? { events: Arrangement.of(this.events, this.redactor) }
        : { outcome: this.outcome }),
    };
  }
}

function outcomeOf(outcome: SyncOutcome, redactor: CallRedactor): TapeOutcome {
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
    ...(outcome.ended === 'none' ? {} : { ended: outcome.ended }),
  };
}

/** All calls of one recording, in the order of their starts. */
export class Take {
  private readonly taken = new Map<number, Taken>();

  constructor(
    private readonly redactor: Redactor,
    private readonly storedEnv: readonly string[],
  ) {}

  /** What a recorder calls. */
  readonly add = (event: RecordedEvent): void => {
    if (event.type === 'start') {
      const redactor = this.redactor.forCall(event.plan);
      const call = recordedCall(event.plan, redactor, this.storedEnv);
      this.taken.set(event.call, new Taken(event.plan, call, redactor, undefined));
    } else if (event.type === 'sync') this.addSync(event);
    else this.taken.get(event.call)?.add(event);
  };

  private addSync({ call: id, plan, request, result }: Extract<RecordedEvent, { type: 'sync' }>): void {
    const redactor = this.redactor.forCall(plan);
    const call = recordedCall(plan, redactor, this.storedEnv, request);
    const outcome =
      'failure' in result ? { startError: toTapeFailure(result.failure, redactor) } : outcomeOf(result, redactor);
    const taken = new Taken(plan, call, redactor, outcome);
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

  get entries(): TapeEntry[] {
    return [...this.taken].sort(([a], [b]) => a - b).map(([, taken]) => taken.entry);
  }
}
