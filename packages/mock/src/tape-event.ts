/** What a recording says of one program: the events in a normal form, so that the same run gives the same text. */
import type { ExitStatus, Reach, SignalName, SyncOutcome } from '@vircommand/core/backend';
import type { OutputName, StartFailure } from './answer';
import type { RecordedEvent } from './events';
import { inputName, type CallRedactor } from './redact';

/** Text as its lines (joined by `\n`), bytes that are no text as base64, 76 characters a line. */
export type TapeData = readonly string[] | { readonly base64: readonly string[] };

/** An exit code, a signal, or `null`: not known. */
export type TapeExit = number | SignalName | null;

/** How a start failed, in a recording. */
export interface TapeFailure {
  readonly stage: StartFailure['stage'];
  readonly code: string;
  readonly path?: string;
  readonly reason?: string;
  readonly syscall?: string;
}

/** One thing that a program did, or that was done to it. */
export type TapeEvent =
  | { readonly stdout: TapeData }
  | { readonly stderr: TapeData }
  | { readonly stdin: TapeData }
  /** `stdin`: the caller has said all. Output: the program has, and goes on without. */
  | { readonly end: 'stdin' | OutputName }
  | { readonly closed: OutputName }
  | { readonly broken: 'stdin' }
  | { readonly signal: SignalName; readonly reached?: Reach }
  | { readonly handshake: 'wait' | 'notify'; readonly failure?: TapeFailure }
  | { readonly exit: TapeExit; readonly coreDumped?: true }
  | { readonly held: OutputName }
  | { readonly lost: TapeFailure }
  | { readonly startError: TapeFailure };

/** What came through a stream, piece by piece. */
export function streamOf(events: readonly TapeEvent[] | undefined, name: 'stdin' | OutputName): TapeData[] {
  const dataOf = (event: TapeEvent): TapeData | undefined => {
    if (name === 'stdin') return 'stdin' in event ? event.stdin : undefined;
    if (name === 'stdout') return 'stdout' in event ? event.stdout : undefined;
    return 'stderr' in event ? event.stderr : undefined;
  };
  return (events ?? []).map(dataOf).filter((data) => data !== undefined);
}

/** How a synchronous run went. */
export interface TapeOutcome {
  readonly stdout?: TapeData;
  readonly stderr?: TapeData;
  readonly exit?: TapeExit;
  readonly coreDumped?: true;
  readonly ending?: SyncOutcome['ending'];
  readonly exceeded?: NonNullable<SyncOutcome['exceeded']>;
  readonly outputComplete?: false;
  readonly incomplete?: NonNullable<SyncOutcome['incomplete']>;
  readonly ended?: SyncOutcome['ended'];
  readonly startError?: TapeFailure;
}

/** An event and when it came, in milliseconds of a `TurningTime`; the time is used here and stored nowhere. */
export type Timed = RecordedEvent & { readonly at: number };

/**
 * Two pipes have no order between them: what comes from both within this time came at once. What comes later came
 * later, and stays there.
 */
export const atOnce = 100;

const lineLength = 76;

/** Data as it is written down. */
export function toTapeData(data: string | Buffer): TapeData {
  if (typeof data === 'string') return data.split('\n');
  return { base64: data.toString('base64').match(new RegExp(`.{1,${lineLength}}`, 'g')) ?? [] };
}

/** In the place of what a program reads and nobody else may. */
export const secretData = (fd: number): TapeData => [`<${inputName(fd)}>`];

/** What {@link toTapeData} was given. */
export function fromTapeData(data: TapeData): string | Buffer {
  return 'base64' in data ? Buffer.from(data.base64.join(''), 'base64') : data.join('\n');
}

export function toTapeFailure(
  { stage, code, path, reason, syscall }: StartFailure,
  redactor: CallRedactor,
): TapeFailure {
  return {
    stage,
    code,
    ...(path === undefined ? {} : { path: redactor.hide(path) }),
    ...(reason === undefined ? {} : { reason: redactor.hide(reason) }),
    ...(syscall === undefined ? {} : { syscall }),
  };
}

export function fromTapeFailure(
  { stage, code, path, reason, syscall }: TapeFailure,
  redactor: CallRedactor,
): StartFailure {
  const shown = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : redactor.show(text);
  return { stage, code, path: shown(path), reason: shown(reason), syscall };
}

export const toTapeExit = ({ exitCode, signal }: Pick<ExitStatus, 'exitCode' | 'signal'>): TapeExit =>
  signal ?? exitCode ?? null;

export const fromTapeExit = (exit: TapeExit | undefined): Pick<ExitStatus, 'exitCode' | 'signal'> => ({
  exitCode: typeof exit === 'number' ? exit : undefined,
  signal: typeof exit === 'string' ? exit : undefined,
});

/** Brings the events of one program into their normal form. */
export class Arrangement {
  private readonly out: TapeEvent[] = [];
  private readonly waiting = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  private last: { readonly stream: OutputName; readonly at: number } | undefined;
  private stdin: Uint8Array[] = [];
  private readonly ends = new Map<OutputName, number>();
  private exit: { readonly event: TapeEvent; readonly at: number } | undefined;
  private readonly held: OutputName[] = [];

  constructor(
    private readonly redactor: CallRedactor,
    private readonly secretStdin: boolean,
  ) {}

  /** `secretStdin`: what was written to stdin is in no file. */
  static of(events: readonly Timed[], redactor: CallRedactor, secretStdin: boolean): TapeEvent[] {
    const arrangement = new Arrangement(redactor, secretStdin);
    for (const event of events) arrangement.take(event);
    return arrangement.finish();
  }

  private take(event: Timed): void {
    switch (event.type) {
      case 'stdout':
      case 'stderr':
        this.output(event.type, event.data, event.at);
        return;
      case 'stdin':
        this.caused();
        this.stdin.push(event.data);
        return;
      case 'end':
        if (event.stream === 'stdin') this.caused({ end: 'stdin' });
        else this.ends.set(event.stream, event.at);
        return;
      case 'closed':
        this.ends.delete(event.stream);
        this.caused({ closed: event.stream });
        return;
      case 'broken':
        this.caused({ broken: 'stdin' });
        return;
      case 'held':
        this.held.push(event.stream);
        return;
      case 'signal':
        this.caused({ signal: event.name, ...(event.reached === 'process' ? {} : { reached: event.reached }) });
        return;
      case 'handshake':
        this.handshake(event);
        return;
      case 'exit': {
        const { status, at } = event;
        const dumped = status.coreDumped === true ? { coreDumped: true as const } : {};
        this.exit = { event: { exit: toTapeExit(status), ...dumped }, at };
        return;
      }
      case 'lost':
        this.caused({ lost: toTapeFailure(event.failure, this.redactor) });
        return;
      case 'start-error':
        this.out.push({ startError: toTapeFailure(event.failure, this.redactor) });
        return;
      case 'start':
      case 'send':
      case 'sync':
        return;
    }
  }

  private handshake({ step, failure }: Extract<RecordedEvent, { type: 'handshake' }>): void {
    const told = failure === undefined ? {} : { failure: toTapeFailure(failure, this.redactor) };
    const event = { handshake: step, ...told };
    // It was told when it began, and once more when it failed.
    const before = this.out.findIndex((one) => 'handshake' in one && one.handshake === step);
    if (before >= 0) this.out[before] = event;
    else this.caused(event);
  }

  private output(stream: OutputName, data: Uint8Array, at: number): void {
    this.flushStdin();
    if (this.exit !== undefined && at - this.exit.at > atOnce) this.flushExit();
    if (this.last !== undefined && this.last.stream !== stream && at - this.last.at > atOnce) this.flushOutput();
    this.flushEnds((since) => at - since > atOnce);
    this.waiting[stream].push(data);
    this.last = { stream, at };
  }

  /** Something that the caller did: what the program did before was before. */
  private caused(event?: TapeEvent): void {
    if (event !== undefined) this.flushStdin();
    this.flushOutput();
    if (this.exit !== undefined) this.flushExit();
    else this.flushEnds(() => true);
    if (event !== undefined) this.out.push(event);
  }

  private data(chunks: readonly Uint8Array[]): TapeData {
    return toTapeData(this.redactor.hideBytes(Buffer.concat(chunks)));
  }

  private flushStdin(): void {
    if (this.stdin.length === 0) return;
    this.out.push({ stdin: this.secretStdin ? secretData(0) : this.data(this.stdin) });
    this.stdin = [];
  }

  private flushOutput(): void {
    if (this.last === undefined) return;
    const { stdout, stderr } = this.waiting;
    if (stdout.length > 0) this.out.push({ stdout: this.data(stdout) });
    if (stderr.length > 0) this.out.push({ stderr: this.data(stderr) });
    [this.waiting.stdout, this.waiting.stderr, this.last] = [[], [], undefined];
  }

  /** In their order; of two that came at once stdout's is first. */
  private flushEnds(due: (at: number) => boolean): void {
    const ends = [...this.ends].filter(([, at]) => due(at));
    if (ends.length > 0) this.flushOutput();
    ends.sort(([name, at], [, other]) => (Math.abs(at - other) > atOnce ? at - other : name === 'stdout' ? -1 : 1));
    for (const [stream] of ends) {
      this.ends.delete(stream);
      this.out.push({ end: stream });
    }
  }

  /** The end of the output that comes with it need not be said. */
  private flushExit(): void {
    if (this.exit === undefined) return;
    const { event, at: exitAt } = this.exit;
    this.flushOutput();
    this.flushEnds((at) => exitAt - at > atOnce);
    this.ends.clear();
    this.out.push(event);
    this.exit = undefined;
  }

  private finish(): TapeEvent[] {
    this.flushStdin();
    this.flushOutput();
    this.flushExit();
    for (const stream of this.held.sort().reverse()) this.out.push({ held: stream });
    return this.out;
  }
}
