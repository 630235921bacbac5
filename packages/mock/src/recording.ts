/** Record and replay: one file, the backend that replays or records it, and the checks at the end. */
import * as path from 'node:path';
import { types } from 'node:util';
import { overrideBackend } from '@vircommand/core';
import {
  bindCommand,
  checkBackend,
  FEATURE_INFO,
  GivenOptions,
  isOptions,
  type Backend,
  type CommandConstructor,
  type Feature,
} from '@vircommand/core/backend';
import { isOutput } from './answer';
import { Call } from './calls';
import { FakeBackend, MOCK_FEATURES } from './fake-backend';
import { recordMode, type RecordMode } from './record-mode';
import { Recorder } from './record';
import { RecordingError, recordAnew } from './recording-error';
import { latin1OrText, Redactor } from './redact';
import { Player } from './replay';
import { mixedUp } from './mixed-up';
import { Take } from './take';
import { lineOfEntry, parseTape, tapeText, type Tape, type TapeEntry } from './tape';
import { checkWritable, readTape, writeTape } from './tape-file';
import { fromTapeData, streamOf } from './tape-event';

/** Which file, and how. */
export interface RecordingOptions {
  /** Relative paths are relative to the working directory. Directories are made when it is saved. */
  readonly file: string;
  /** The backend that is recorded; not touched by a replay. */
  readonly live?: Backend | (() => Backend) | undefined;
  /** Default `'replay'`. `VIRCOMMAND_RECORD` in the environment wins; where `CI` is set it is always `'replay'`. */
  readonly mode?: RecordMode | undefined;
  /** Names of environment variables whose values may be stored. Default: none; names are. */
  readonly env?: readonly string[] | undefined;
  /** Text that must not be in the file, besides secrets. */
  readonly redact?: readonly (string | RegExp)[] | undefined;
  /**
   * What differs from run to run or machine to machine, by the name that stands for it in the file. Known already:
   * `cwd`, `tmp`, `home` and `node`.
   */
  readonly placeholders?: Readonly<Record<string, string | RegExp>> | undefined;
  /**
   * Output that counts as closed in a replay if its reader closed it in the recording; for other output this is an error at
   * once. For code that only passes output on, and cannot see whether it is read. Default: output that was closed in the recording
   * must be closed in the replay, which waits for that.
   */
  readonly closed?: readonly ('stdout' | 'stderr')[] | undefined;
}

/** An open recording. */
export interface Recording extends AsyncDisposable {
  /** What is done in fact. */
  readonly mode: RecordMode;
  /** What replays, records or passes on. */
  readonly backend: Backend;
  /** Bound to the backend. */
  readonly Command: CommandConstructor;
  /** Every command of every package in this process uses the recording, until the returned object is disposed or the recording is over. */
  install(): Disposable;
  /**
   * Ends the recording, and saves it if it was recorded. In every mode it throws if a call was unknown or different, and saves
   * nothing then. In a replay it also throws if a recorded call was not made.
   */
  finish(): Promise<void>;
  /** Ends it without saving and without checks: for a test that has failed already. */
  discard(): void;
  /** As `finish()`, unless the recording is over already. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What differs in every run, files of the program, and what leaves nobody to write the recording. */
const notReplayable: readonly Feature[] = ['resource-usage', 'pid-file', 'exec'];

/** What is left: without descriptors and files of the caller, which no mock has. */
export const REPLAYABLE: readonly Feature[] = Object.freeze(
  MOCK_FEATURES.filter((feature) => !notReplayable.includes(feature)),
);

/** Other backends would not help. */
const whyNot = (feature: Feature): string | undefined =>
  REPLAYABLE.includes(feature)
    ? undefined
    : `No recording can hold '${feature}' (${FEATURE_INFO[feature].summary}), whatever the backend; createDryRun() notes ` +
      'such a command, and can answer it';

const replayable = (features: readonly Feature[]): readonly Feature[] =>
  Object.freeze(features.filter((feature) => REPLAYABLE.includes(feature)));

/** What a mode does with calls, and at the end. */
interface Session {
  readonly backend: Backend;
  finish(): void | Promise<void>;
  close(): void;
}

type Settings = Required<{ [K in 'env' | 'redact' | 'placeholders']: NonNullable<RecordingOptions[K]> }> &
  Required<Pick<RecordingOptions, 'file' | 'closed'>>;

/** Nothing is started. */
function replaySession({ file, ...options }: Settings): Session {
  const text = readTape(file);
  if (text === undefined) {
    throw new RecordingError('ERR_RECORDING_MISSING', `${file}: there is no recording. ${recordAnew('new')}`, { file });
  }
  const tape = parseTape(text, file);
  const player = new Player(tape, text, file, new Redactor(options), options.env, options.closed);
  const backend = new FakeBackend(tape.backend.name, player, { features: replayable(tape.backend.features), whyNot });
  return {
    backend,
    finish: () => {
      backend.giveUp();
      player.expectDone();
    },
    close: () => {
      backend[Symbol.dispose]();
    },
  };
}

/** Everything that is no replay: programs run, and the file is made of what they do. */
class RecordingSession implements Session {
  readonly backend: Backend;
  private readonly take: Take;
  private readonly recorder: Recorder;
  private readonly redactor: Redactor;
  private readonly before: string | undefined;
  private readonly kept: readonly TapeEntry[];
  private readonly player: Player | undefined;
  private readonly fake: FakeBackend | undefined;

  constructor(
    private readonly live: Backend,
    private readonly options: Settings,
    mode: 'new' | 'update' | 'add',
  ) {
    const { file, env, closed } = options;
    checkWritable(file);
    this.redactor = new Redactor(options);
    this.take = new Take(this.redactor, env);
    const features = replayable(live.features);
    this.recorder = new Recorder(live, this.take.add, features);
    this.before = readTape(file);
    const old = mode !== 'update' && this.before !== undefined ? parseTape(this.before, file) : undefined;
    this.kept = old?.calls ?? [];
    const { recorder } = this;
    if (old !== undefined) this.sameBackend(old, live, file);
    if (old !== undefined && mode === 'new') {
      this.player = new Player(old, this.before ?? '', file, new Redactor(options), env, closed);
      // What is live needs real time, and there is one clock.
      this.fake = new FakeBackend(live.name, this.player, { features, time: 'real' });
    }
    const { fake, player } = this;
    const { startAndWaitSync } = recorder;
    this.backend = Object.freeze<Backend>({
      contract: 1,
      name: live.name,
      features,
      whyNot,
      start: (plan) => (player?.has(new Call(plan)) === true && fake !== undefined ? fake : recorder).start(plan),
      ...(startAndWaitSync && {
        startAndWaitSync: (plan, request) =>
          player?.has(new Call(plan, request), request) === true && fake !== undefined
            ? fake.startAndWaitSync(plan, request)
            : startAndWaitSync(plan, request),
      }),
      ...(live.clock && { clock: live.clock }),
      dispose: () => recorder.dispose(),
    });
  }

  private sameBackend(old: Tape, live: Backend, file: string): void {
    if (old.backend.name === live.name) return;
    const what = `the recording was made with ${old.backend.name}, and ${live.name} is to add to it`;
    throw new RecordingError('ERR_RECORDING_USAGE', `${file}: ${what}. ${recordAnew('update')}`, { file });
  }

  async finish(): Promise<void> {
    // What the recording says of calls that went another way is no recording to keep.
    this.fake?.giveUp();
    this.player?.expectFit();
    const { file } = this.options;
    const running = await this.take.running();
    await this.recorder.quiet();
    if (running.length > 0) {
      const what = `these programs still run, end them before finish():\n  ${running.join('\n  ')}\n`;
      throw new RecordingError('ERR_RECORDING_RUNNING', `${file}: ${what}. Nothing was saved.`, { file });
    }
    const taken = this.take.entries;
    const before = this.player?.recorded ?? this.kept.map((entry) => ({ plan: undefined, entry }));
    const mixed = mixedUp(taken, before);
    if (mixed !== undefined)
      throw new RecordingError('ERR_RECORDING_AMBIGUOUS', `${file}: ${mixed}. Nothing was saved.`, { file });
    const { name, features } = this.live;
    const text = tapeText({ backend: { name, features }, calls: [...this.kept, ...taken.map(({ entry }) => entry)] });
    if (text === this.before) return;
    writeTape(file, text, this.before, (written) => {
      this.verify(written, text);
    });
  }

  /** Looks at what was really written. */
  private verify(written: string, text: string): void {
    const { file } = this.options;
    const fail = (line: number, what: string): never => {
      const message = `${file}: ${what}. Nothing was saved.`;
      throw new RecordingError('ERR_RECORDING_SECRET', message, { file, line });
    };
    if (written !== text) {
      throw new RecordingError('ERR_RECORDING_FILE', `${file}: what was written is not what was read back`, { file });
    }
    parseTape(written, file).calls.forEach((entry, index) => {
      const refuse = (piece: string, advice: string): void => {
        const leak = this.redactor.leak(piece);
        if (leak !== undefined) fail(lineOfEntry(written, index), `call ${index + 1} would hold ${leak}${advice}`);
      };
      for (const piece of piecesOf(entry)) refuse(piece, '; name it with redact');
      for (const name of ['stdin', 'stdout', 'stderr'] as const) {
        const whole = streamOf(entry.events, name).map((data) => Buffer.from(fromTapeData(data)));
        refuse(latin1OrText(whole), `, one part of it after another in its ${name}; name a part with redact`);
      }
    });
  }

  close(): void {
    this.fake?.[Symbol.dispose]();
  }
}

/** All texts of an entry; data as a whole, bytes as Latin-1. */
function* piecesOf(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (Array.isArray(value)) {
    if (value.every((item) => typeof item === 'string')) yield value.join('\n');
    for (const item of value) yield* piecesOf(item);
  } else if (typeof value === 'object' && value !== null) {
    const base64: unknown = Reflect.get(value, 'base64');
    if (typeof base64 === 'string') yield Buffer.from(base64, 'base64').toString('latin1');
    else if (Array.isArray(base64)) yield Buffer.from(fromTapeData({ base64 })).toString('latin1');
    else for (const [key, item] of Object.entries(value)) yield* [key, ...piecesOf(item)];
  }
}

class OpenRecording implements Recording {
  readonly Command: CommandConstructor;
  readonly backend: Backend;
  private over = false;
  private readonly installed: Disposable[] = [];

  constructor(
    readonly mode: RecordMode,
    private readonly session: Session,
    private readonly file: string,
  ) {
    this.backend = session.backend;
    this.Command = bindCommand(this.backend);
  }

  install(): Disposable {
    if (this.over)
      throw new RecordingError('ERR_RECORDING_USAGE', 'install(): the recording is over', { file: this.file });
    const override = overrideBackend(this.backend);
    this.installed.push(override);
    return override;
  }

  async finish(): Promise<void> {
    if (this.over) return;
    this.end();
    try {
      await this.session.finish();
    } finally {
      this.session.close();
    }
  }

  discard(): void {
    if (this.over) return;
    this.end();
    this.session.close();
  }

  private end(): void {
    this.over = true;
    for (const override of this.installed.splice(0)) override[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.finish();
  }
}

const optionNames = ['file', 'live', 'mode', 'env', 'redact', 'placeholders', 'closed'] as const;
const call = 'openRecording()';
const placeholderName = /^[a-z][\w-]*$/i;
const takenNames = ['secret', 'env', 'redacted'];

/** Text that is looked for. */
const isRule = (value: unknown): value is string | RegExp =>
  (typeof value === 'string' && value !== '') || types.isRegExp(value);
const isName = (value: unknown): value is string => typeof value === 'string';

const arrayOf =
  <T>(is: (value: unknown) => value is T) =>
  (value: unknown): value is readonly T[] =>
    Array.isArray(value) && value.every(is);

function readOptions(options: RecordingOptions): Settings {
  const asked: unknown = isOptions(options) ? options.file : undefined;
  const usage = (call: string, reason: string): RecordingError =>
    new RecordingError('ERR_RECORDING_USAGE', `${call}: ${reason}`, { file: isName(asked) ? asked : '' });
  const given = new GivenOptions(call, options, optionNames, usage);
  const isPath = (value: unknown): value is string => isName(value) && value !== '';
  const file = given.required('file', given.read('file', isPath, 'a path'));
  const env = given.read('env', arrayOf(isName), 'an array of names') ?? [];
  const closed = given.read('closed', arrayOf(isOutput), "an array of 'stdout' and 'stderr'");
  const redact = given.read('redact', arrayOf(isRule), 'an array of strings and RegExps') ?? [];
  const placeholders = given.read('placeholders', isOptions, 'an object of names and what they stand for') ?? {};
  const rules: Record<string, string | RegExp> = {};
  for (const [name, value] of Object.entries(placeholders)) {
    if (!placeholderName.test(name) || takenNames.includes(name))
      throw usage(call, `'${name}' cannot be the name of a placeholder`);
    if (!isRule(value)) throw usage(call, `placeholder '${name}' must be a string or a RegExp`);
    rules[name] = value;
  }
  return { file: path.resolve(file), env, redact, placeholders: rules, closed };
}

function openSession(mode: RecordMode, settings: Settings, live: RecordingOptions['live']): Session {
  if (live !== undefined && typeof live !== 'function') checkBackend(live, call);
  if (mode === 'replay') return replaySession(settings);
  const backend = typeof live === 'function' ? live() : live;
  if (backend === undefined) {
    const reason = `mode '${mode}' runs programs: give it a backend as live`;
    throw new RecordingError('ERR_RECORDING_USAGE', `${call}: ${reason}`, { file: settings.file });
  }
  checkBackend(backend, call);
  if (mode === 'live') return { backend, finish: () => undefined, close: () => undefined };
  return new RecordingSession(backend, settings, mode);
}

/**
 * Opens a recording: programs are replayed from a file, or run and recorded into it.
 *
 * @throws RecordingError if options are wrong, or the file is missing, damaged, foreign, or of another version;
 * CommandUsageError, `ERR_COMMAND_CONTRACT`, if `live` is no backend.
 *
 * @example
 * ```ts
 * const recording = await openRecording({ file: 'test/recordings/git.json', live: backend });
 * const installed = recording.install();
 * await deploy(); // code that imports Command from anywhere
 * await recording.finish();
 * ```
 */
export function openRecording(options: RecordingOptions): Promise<Recording> {
  return new Promise((resolve) => {
    const settings = readOptions(options);
    const mode = recordMode(options.mode, settings.file);
    resolve(new OpenRecording(mode, openSession(mode, settings, options.live), settings.file));
  });
}
