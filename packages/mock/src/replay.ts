/** The director that plays a recording: which entry answers a call, and what its program then does. */
import type { LaunchPlan, SignalName, SyncOutcome, SyncRequest } from '@vircommand/core/backend';
import { failureOf, type OutputName, type Part, type Step } from './answer';
import type { Call } from './calls';
import { explain, show, type Candidate } from './explain';
import type { Director } from './fake-backend';
import {
  callDifferences,
  environmentDifferences,
  keyOf,
  recordedCall,
  titleOf,
  type RecordedCall,
} from './recorded-call';
import type { Recorded } from './mixed-up';
import { RecordingError, recordAnew, type RecordingErrorCode } from './recording-error';
import { inputName, latin1OrText, type CallRedactor, type Redactor } from './redact';
import { isSecretInput } from './secrets';
import { lineOfEntry, type Tape, type TapeEntry } from './tape';
import { fromTapeData, fromTapeExit, fromTapeFailure, streamOf, type TapeData, type TapeEvent } from './tape-event';

/** A call that came, in the words of the recording. */
interface Asked {
  readonly index: Index;
  readonly recorded: RecordedCall;
  readonly redactor: CallRedactor;
  readonly key: string;
}

/** One entry of the recording, and the call for which it was played. */
class Track {
  plan: LaunchPlan | undefined;

  constructor(
    readonly entry: TapeEntry,
    readonly index: number,
  ) {}

  get used(): boolean {
    return this.plan !== undefined;
  }

  /** All of stdin, as it is written down. */
  get stdin(): readonly TapeData[] {
    const { sent, events } = this.entry;
    const whole = sent?.['0'];
    return whole !== undefined ? [whole] : streamOf(events, 'stdin');
  }

  /** It stopped reading before its caller had said all: how much it said until it learned that was chance. */
  get broken(): boolean {
    const first = this.entry.events?.find((event) => 'broken' in event || ('end' in event && event.end === 'stdin'));
    return first !== undefined && 'broken' in first;
  }

  /** Whether this is the beginning of its stdin. */
  beginsWith(actual: Buffer, redactor: CallRedactor): boolean {
    const all = joined(this.stdin, redactor);
    const length = this.broken ? Math.min(all.length, actual.length) : actual.length;
    return all.subarray(0, length).equals(actual.subarray(0, length));
  }

  /** It says nothing before it has read something. */
  get readsFirst(): boolean {
    const [first] = this.entry.events ?? [];
    return first !== undefined && ('stdin' in first || ('end' in first && first.end === 'stdin'));
  }

  /** What it has read when it first does something. */
  firstRead(redactor: CallRedactor): number {
    let bytes = 0;
    for (const event of this.entry.events ?? []) {
      if ('stdin' in event) bytes += redactor.expected(fromTapeData(event.stdin)).length;
      else return 'end' in event && event.end === 'stdin' ? Infinity : bytes;
    }
    return bytes;
  }

  get title(): string {
    return titleOf(this.entry.call);
  }
}

/** The entries by what a call must be to get them, in the words of a machine where certain directories are `/`. */
class Index {
  private readonly calls = new Map<Track, RecordedCall>();
  private readonly byKey = new Map<string, { readonly tracks: Track[]; first: number }>();

  constructor(tracks: readonly Track[], redactor: Redactor) {
    for (const track of tracks) {
      const call = settled(track.entry.call, redactor);
      this.calls.set(track, call);
      const key = keyOf(call);
      const same = this.byKey.get(key);
      if (same === undefined) this.byKey.set(key, { tracks: [track], first: 0 });
      else same.tracks.push(track);
    }
  }

  get(key: string): { readonly tracks: readonly Track[]; first: number } | undefined {
    return this.byKey.get(key);
  }

  callOf(track: Track): RecordedCall {
    return this.calls.get(track) ?? track.entry.call;
  }
}

/** All texts of it. */
const settled = <T>(value: T, redactor: Redactor): T =>
  redactor.roots === ''
    ? value
    : (JSON.parse(JSON.stringify(value), (_key, item: unknown) =>
        typeof item === 'string' ? redactor.settle(item) : item,
      ) as T);

const joined = (data: readonly TapeData[], redactor: CallRedactor): Buffer =>
  Buffer.concat(data.map((piece) => redactor.expected(fromTapeData(piece))));

const hiddenForm = (data: readonly TapeData[]): string =>
  data.map((piece) => Buffer.from(fromTapeData(piece)).toString('latin1')).join('');

const isKnown = (data: readonly TapeData[], redactor: CallRedactor): boolean =>
  data.every((piece) => redactor.knows('base64' in piece ? '' : piece.join('\n')));

/** What the program has read until now may be in what it writes. */
function learnInputs(call: Call, redactor: CallRedactor): void {
  for (const fd of call.plan.secret.inputs ?? []) {
    redactor.learn(inputName(fd), latin1OrText([(fd === 0 ? call.stdin : call.sendBuffers[fd]) ?? new Uint8Array()]));
  }
}

/** Answers a call by an entry that is the same call and was not played yet, or throws an error that names the nearest. */
export class Player implements Director {
  private readonly tracks: readonly Track[];
  /** By what is `/`: nothing in most places, and a working directory can change. */
  private readonly indexes = new Map<string, Index>();
  private readonly asked = new WeakMap<Call, Asked>();
  /** What was wrong, in the order in which it happened: code under test may have swallowed it. */
  private readonly failures: RecordingError[] = [];

  constructor(
    tape: Tape,
    private readonly text: string,
    private readonly file: string,
    private readonly redactor: Redactor,
    private readonly storedEnv: readonly string[],
    private readonly closed: readonly OutputName[] | undefined,
  ) {
    this.tracks = tape.calls.map((entry, index) => new Track(entry, index));
  }

  /** All of it, and what was played. */
  get recorded(): readonly Recorded[] {
    return this.tracks;
  }

  private ask(call: Call, request?: SyncRequest): Asked {
    let asked = this.asked.get(call);
    if (asked === undefined) {
      asked = this.inItsWords(call, request);
      if (asked.index.get(asked.key) === undefined) {
        // A secret variable may have been set since the last look.
        this.redactor.refresh();
        asked = this.inItsWords(call, request);
      }
      this.asked.set(call, asked);
    }
    return asked;
  }

  private inItsWords(call: Call, request: SyncRequest | undefined): Asked {
    const redactor = this.redactor.forCall(call.plan);
    const recorded = recordedCall(call.plan, redactor, this.storedEnv, request);
    return { index: this.index(), recorded, redactor, key: keyOf(recorded) };
  }

  private index(): Index {
    const { roots } = this.redactor;
    let index = this.indexes.get(roots);
    if (index === undefined) this.indexes.set(roots, (index = new Index(this.tracks, this.redactor)));
    return index;
  }

  /** Those that may answer, in the order of the recording. */
  private candidates(call: Call, { index, key, recorded }: Asked): Track[] {
    const same = index.get(key);
    if (same === undefined) return [];
    while (same.tracks[same.first]?.used === true) same.first++;
    const fits = (track: Track): boolean =>
      !track.used && environmentDifferences(index.callOf(track).env, call.plan, recorded).length === 0;
    const first = same.tracks[same.first];
    if (first === undefined) return [];
    // Most often there is one left, or all are alike.
    if (first.stdin.length === 0 && fits(first)) return [first];
    return same.tracks.slice(same.first).filter(fits);
  }

  /** Whether an entry is there that could answer; what a program reads is known only where it is given with the call. */
  has(call: Call, request?: SyncRequest): boolean {
    const asked = this.ask(call, request);
    const candidates = this.candidates(call, asked);
    return request === undefined
      ? candidates.length > 0
      : candidates.some((track) => this.readsTheSame(track, call, asked.redactor));
  }

  direct(call: Call, stdinComplete: boolean): Part | 'after-stdin' {
    const asked = this.ask(call);
    const track = this.choose(this.candidates(call, asked), call, asked, stdinComplete);
    if (track === 'after-stdin') return track;
    if (track === undefined) throw this.noted(this.unmatched(call, asked));
    track.plan = call.plan;
    return this.partOf(track, call, asked);
  }

  /** Calls that differ in their stdin only are told apart by it, as soon as it can be. */
  private choose(
    tracks: readonly Track[],
    call: Call,
    { redactor }: Asked,
    stdinComplete: boolean,
  ): Track | undefined | 'after-stdin' {
    const [first] = tracks;
    if (first === undefined || tracks.length === 1) return first;
    const form = this.form(first.stdin);
    if (tracks.every((track) => this.form(track.stdin) === form)) return first;
    if (call.plan.stdin.type !== 'pipe' || !tracks.every((track) => track.readsFirst)) return first;
    const actual = call.stdin;
    if (stdinComplete) {
      const hidden = Buffer.from(redactor.hideBytes(actual)).toString('latin1');
      return (
        tracks.find((track) => this.form(track.stdin) === hidden) ??
        tracks.find((track) => track.broken && track.beginsWith(actual, redactor)) ??
        first
      );
    }
    const open = tracks.filter((track) => track.beginsWith(actual, redactor));
    if (open.length === 0) return actual.length === 0 ? 'after-stdin' : first;
    if (new Set(open.map((track) => this.form(track.stdin))).size === 1) return open[0];
    return open.find((track) => actual.length >= track.firstRead(redactor)) ?? 'after-stdin';
  }

  private partOf(track: Track, call: Call, { redactor }: Asked): Part {
    const steps: Step[] = [];
    const handshake: { wait?: ReturnType<typeof fromTapeFailure>; notify?: ReturnType<typeof fromTapeFailure> } = {};
    const heldOpen: ('stdout' | 'stderr')[] = [];
    let read = 0;
    let readsUpTo: number | undefined;
    const data = (given: TapeData): Uint8Array | (() => Uint8Array) => {
      const content = fromTapeData(given);
      const said = redactor.saidAll(content);
      if (said && call.plan.secret.inputs === undefined) return redactor.showBytes(content);
      return () => {
        learnInputs(call, redactor);
        // Values that the caller has sent by now may be shown: hiding them marks them.
        if (!said) for (const sent of [call.stdin, ...Object.values(call.sendBuffers)]) redactor.hideBytes(sent);
        return redactor.showBytes(content);
      };
    };
    const { events = [] } = track.entry;
    for (const [index, event] of events.entries()) {
      if ('stdout' in event) steps.push({ type: 'stdout', data: data(event.stdout) });
      else if ('stderr' in event) steps.push({ type: 'stderr', data: data(event.stderr) });
      else if ('stdin' in event) {
        // Redacted stdin has no known length: wait for one byte.
        read += isKnown([event.stdin], redactor) ? redactor.expected(fromTapeData(event.stdin)).length : 1;
        steps.push({ type: 'stdin', bytes: read });
      } else if ('end' in event) {
        steps.push(event.end === 'stdin' ? { type: 'stdin', bytes: Infinity } : { type: 'end', stream: event.end });
      } else if ('closed' in event) {
        const stream = event.closed;
        if (this.closed?.includes(stream) === true) continue;
        const missing = (): Error => this.diverged(track, missingClose(events, index, stream));
        steps.push({ type: 'closed', stream, atOnce: this.closed !== undefined, missing });
      } else if ('broken' in event) {
        steps.push({ type: 'end', stream: 'stdin' });
        if (track.broken) readsUpTo = read;
      } else if ('signal' in event)
        steps.push({
          type: 'signal',
          name: event.signal,
          reached: event.reached ?? 'process',
          missing: () => this.diverged(track, missingSignal(events, index, event.signal)),
        });
      else if ('handshake' in event) {
        if (event.failure !== undefined) handshake[event.handshake] = fromTapeFailure(event.failure, redactor);
        else if (event.handshake === 'notify') steps.push({ type: 'notify' });
      } else if ('exit' in event) {
        steps.push({ type: 'exit', ending: { ...fromTapeExit(event.exit), coreDumped: event.coreDumped } });
      } else if ('held' in event) heldOpen.push(event.held);
      else if ('lost' in event) steps.push({ type: 'lost', failure: fromTapeFailure(event.lost, redactor) });
      else return { steps: [], recorded: true, startError: fromTapeFailure(event.startError, redactor) };
    }
    return {
      steps,
      readsUpTo,
      heldOpen,
      recorded: true,
      ...(call.plan.handshake ? { handshake } : {}),
      ...this.checksOf(track, call, redactor),
    };
  }

  /** The caller must do the same to the program as in the recording. */
  private checksOf(
    track: Track,
    call: Call,
    redactor: CallRedactor,
  ): Pick<Part, 'checkStdin' | 'checkEnd' | 'refuseSignal'> {
    const { stdin, broken } = track;
    const expected = isKnown(stdin, redactor) ? joined(stdin, redactor) : undefined;
    let [chunks, position] = [0, 0];
    return {
      checkStdin: (all) => {
        for (; expected !== undefined && chunks < all.length; chunks++) {
          const chunk = all[chunks] ?? new Uint8Array();
          const end = position + chunk.length;
          const recorded = expected.subarray(position, end);
          if (recorded.compare(broken ? chunk.subarray(0, recorded.length) : chunk) !== 0)
            return this.otherStdin(track, call, redactor);
          position = end;
        }
        return undefined;
      },
      checkEnd: () => {
        const whole = expected === undefined ? this.sameInput(0, stdin, call, redactor) : position === expected.length;
        if (!whole && !broken) return this.otherStdin(track, call, redactor);
        return this.otherSendBuffer(track, call, redactor);
      },
      refuseSignal: (name: SignalName) =>
        this.diverged(track, `it was sent ${name}, which was not recorded, so what it does then is not known`),
    };
  }

  /** For comparisons with what a redactor has hidden here. */
  private form(data: readonly TapeData[]): string {
    return hiddenForm(settled(data, this.redactor));
  }

  /** What the program reads, in the words of the recording; of a secret nothing is known. */
  private sameInput(fd: number, recorded: readonly TapeData[], call: Call, redactor: CallRedactor): boolean {
    if (isSecretInput(call.plan, fd)) return true;
    const actual = fd === 0 ? call.stdin : call.sendBuffers[fd];
    return this.form(recorded) === Buffer.from(redactor.hideBytes(actual ?? Buffer.alloc(0))).toString('latin1');
  }

  /** In the words of the recording, as all else that is told of it: the values are in no message either. */
  private otherStdin(track: Track, call: Call, redactor: CallRedactor): RecordingError {
    const { stdin } = track;
    if (isSecretInput(call.plan, 0) || !isKnown(stdin, redactor)) return this.diverged(track, 'its stdin differs');
    const recorded = Buffer.concat(settled(stdin, this.redactor).map((piece) => Buffer.from(fromTapeData(piece))));
    const [want, got] = firstDifference(recorded.toString(), redactor.hideUnfinished(call.stdin));
    return this.diverged(track, `stdin: expected ${show(want)}, got ${show(got)}`);
  }

  private otherSendBuffer(track: Track, call: Call, redactor: CallRedactor): RecordingError | undefined {
    const fd = this.otherDescriptor(track, call, redactor);
    return fd === undefined ? undefined : this.diverged(track, `what it reads from descriptor ${fd} differs`);
  }

  /** The first descriptor after stdin from which something else comes. */
  private otherDescriptor(track: Track, call: Call, redactor: CallRedactor): string | undefined {
    const sent = Object.entries(track.entry.sent ?? {});
    return sent.find(([fd, data]) => fd !== '0' && !this.sameInput(Number(fd), [data], call, redactor))?.[0];
  }

  private readsTheSame(track: Track, call: Call, redactor: CallRedactor): boolean {
    return this.sameInput(0, track.stdin, call, redactor) && this.otherDescriptor(track, call, redactor) === undefined;
  }

  directSync(call: Call, request: SyncRequest): SyncOutcome {
    const asked = this.ask(call, request);
    const { redactor } = asked;
    const tracks = this.candidates(call, asked);
    const track = tracks.find((one) => this.readsTheSame(one, call, redactor)) ?? tracks[0];
    if (track === undefined) throw this.noted(this.unmatched(call, asked));
    track.plan = call.plan;
    learnInputs(call, redactor);
    if (!this.sameInput(0, track.stdin, call, redactor)) throw this.otherStdin(track, call, redactor);
    const sent = this.otherSendBuffer(track, call, redactor);
    if (sent !== undefined) throw sent;
    const { stdout, stderr, exit, ending, exceeded, outputComplete, incomplete, ended, ...rest } =
      track.entry.outcome ?? {};
    if (rest.startError !== undefined) throw failureOf(fromTapeFailure(rest.startError, redactor));
    const bytes = (data: TapeData | undefined): Buffer | undefined =>
      data === undefined ? undefined : redactor.showBytes(fromTapeData(data));
    return {
      ...fromTapeExit(exit),
      coreDumped: rest.coreDumped,
      usage: undefined,
      pid: undefined,
      stdout: bytes(stdout) ?? (call.plan.stdout.type === 'pipe' ? Buffer.alloc(0) : undefined),
      stderr: bytes(stderr) ?? (call.plan.stderr.type === 'pipe' ? Buffer.alloc(0) : undefined),
      ending: ending ?? 'exit',
      exceeded,
      outputComplete: outputComplete ?? true,
      incomplete,
      ended: ended ?? 'none',
    };
  }

  private where(index: number): string {
    return `${this.file}:${lineOfEntry(this.text, index)}`;
  }

  private noted(error: RecordingError): RecordingError {
    this.failures.push(error);
    return error;
  }

  private diverged(track: Track, what: string): RecordingError {
    const message = `${this.where(track.index)}: ${track.title} was recorded in another way: ${what}. ${recordAnew('update')}`;
    const line = lineOfEntry(this.text, track.index);
    return this.noted(new RecordingError('ERR_RECORDING_DIVERGED', message, { file: this.file, line }));
  }

  private unmatched(call: Call, { index, recorded, key }: Asked): RecordingError {
    const same = (index.get(key)?.tracks ?? []).filter(
      (track) => environmentDifferences(index.callOf(track).env, call.plan, recorded).length === 0,
    );
    const times = same.length === 1 ? 'once' : `${same.length} times`;
    const [code, what]: [RecordingErrorCode, string] =
      same.length > 0
        ? ['ERR_RECORDING_USED_UP', `was recorded ${times}, and now runs once more`]
        : ['ERR_RECORDING_UNKNOWN_CALL', 'is not in the recording'];
    const candidates = this.tracks.map((track): Candidate => {
      const differences = callDifferences(index.callOf(track), recorded, call.plan);
      const note = track.used ? 'it was replayed already' : undefined;
      return { title: track.title, differences, note };
    });
    const nearest = explain(candidates, 'recorded call', (index) => this.where(index));
    return new RecordingError(code, `${this.file}: ${call.text} ${what}.\n${nearest}\n${recordAnew('new')}`, {
      file: this.file,
    });
  }

  /** @throws RecordingError for the first thing that was wrong. */
  expectFit(): void {
    const [first] = this.failures;
    if (first !== undefined) throw first;
  }

  /** @throws RecordingError for what was wrong, or for what was recorded and not run. */
  expectDone(): void {
    this.expectFit();
    const unused = this.tracks.filter((track) => !track.used);
    const [track] = unused;
    if (track === undefined) return;
    const list = unused.slice(0, 10).map((one) => `  ${this.where(one.index)}: ${one.title}`);
    if (unused.length > 10) list.push(`  … and ${unused.length - 10} more`);
    const count =
      unused.length === 1 ? 'a recorded call was not made' : `${unused.length} recorded calls were not made`;
    const message = `${this.file}: ${count}:\n${list.join('\n')}\n${recordAnew('update')}`;
    const line = lineOfEntry(this.text, track.index);
    throw new RecordingError('ERR_RECORDING_UNUSED', message, { file: this.file, line });
  }
}

/** In the words of the recording, which hold no secrets. */
function whenOf(events: readonly TapeEvent[], index: number): string {
  const before = events[index - 1];
  const moment = before === undefined ? 'at its start' : `after ${JSON.stringify(before).slice(0, 100)}`;
  return `(${moment}, event ${index + 1} of ${events.length})`;
}

const missingSignal = (events: readonly TapeEvent[], index: number, name: SignalName): string =>
  `it was sent ${name} ${whenOf(events, index)}, and nobody does that now. End it as then, by kill(), a deadline or an abort`;

const missingClose = (events: readonly TapeEvent[], index: number, stream: OutputName): string =>
  `its reader closed its ${stream} ${whenOf(events, index)}, and nobody does that now. Close it as then, by destroy() or ` +
  'by leaving the loop';

/** Of two texts only what is around the place where they begin to differ. */
function firstDifference(expected: string, actual: string): [string, string] {
  let at = 0;
  while (at < expected.length && expected[at] === actual[at]) at++;
  const from = Math.max(0, at - 20);
  const cut = (text: string): string => (from > 0 ? '…' : '') + text.slice(from, from + 100);
  return [cut(expected), cut(actual)];
}
