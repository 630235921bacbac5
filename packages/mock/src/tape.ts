/** The file format: what is in it, how it is written and checked, and where in its text each call is. */
import { isFeature, STAGES, type Feature } from '@vircommand/core/backend';
import type { RecordedCall } from './recorded-call';
import { RecordingError, recordAnew } from './recording-error';
import type { TapeData, TapeEvent, TapeOutcome } from './tape-event';

/** What tells a recording from other JSON. */
const formatName = 'vircommand-recording';
/** The version that this package writes, and the only one that it reads. */
const formatVersion = 1;

/** One call and what came of it. */
export interface TapeEntry {
  readonly call: RecordedCall;
  /** What the caller wrote to further descriptors, by their numbers. */
  readonly sent?: Readonly<Record<string, TapeData>>;
  /** Of an asynchronous run. */
  readonly events?: readonly TapeEvent[];
  /** Of a synchronous run. */
  readonly outcome?: TapeOutcome;
}

/** A whole recording. */
export interface Tape {
  readonly format: typeof formatName;
  readonly version: typeof formatVersion;
  /** The backend that was recorded. */
  readonly backend: { readonly name: string; readonly features: readonly Feature[] };
  /** In the order of the starts. */
  readonly calls: readonly TapeEntry[];
}

/** The text of a file. The order of all keys is fixed. */
export function tapeText({ backend, calls }: Pick<Tape, 'backend' | 'calls'>): string {
  const tape: Tape = { format: formatName, version: formatVersion, backend, calls };
  return `${laidOut(tape, '')}\n`;
}

const width = 100;
/** An item of these has lines of its own. */
const lists = new Set(['calls', 'events']);

/** What is short stays on one line, everything else has a line for each of its parts. */
function laidOut(value: unknown, indent: string, name = ''): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const deeper = `${indent}  `;
  const isArray = Array.isArray(value);
  const parts = isArray
    ? value.map((item) => laidOut(item, deeper))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${laidOut(item, deeper, key)}`);
  const [open, close] = isArray ? '[]' : '{}';
  if (parts.length === 0) return `${open}${close}`;
  const gap = isArray ? '' : ' ';
  const line = `${open}${gap}${parts.join(', ')}${gap}${close}`;
  if (!lists.has(name) && line.length + indent.length <= width && !line.includes('\n')) return line;
  return `${open}\n${deeper}${parts.join(`,\n${deeper}`)}\n${indent}${close}`;
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

/** Where JSON stops being JSON: not every version of Node says it. */
function offsetOfError(text: string): number {
  const isWrong = (length: number): boolean => {
    try {
      JSON.parse(text.slice(0, length));
      return false;
    } catch (error) {
      // Of a beginning that is right only the end is missing.
      const position = /position (\d+)/.exec(String(error))?.[1];
      const missing = /Unexpected end|Unterminated/.test(String(error));
      return !missing && (position === undefined || Number(position) < length);
    }
  };
  let [right, wrong] = [0, text.length];
  if (!isWrong(wrong)) return wrong;
  while (wrong - right > 1) {
    const middle = (right + wrong) >> 1;
    if (isWrong(middle)) wrong = middle;
    else right = middle;
  }
  return right;
}

/** The line where the entry begins, however the file is formatted. */
export function lineOfEntry(text: string, index: number): number {
  let depth = 0;
  let entry = -1;
  let calls = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') {
      const begin = at;
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++;
      if (depth === 1) calls = text.slice(begin + 1, at) === 'calls' || (calls && text[at + 1] !== ':');
    } else if (char === '{' || char === '[') {
      if (calls && depth === 2 && ++entry === index) return lineAt(text, at);
      depth++;
    } else if (char === '}' || char === ']') depth--;
  }
  return 1;
}

type Check = (value: unknown) => boolean;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isString: Check = (value) => typeof value === 'string';
const isStrings: Check = (value) => Array.isArray(value) && value.every(isString);
// Node decodes what it can of anything.
const isBase64: Check = (value) =>
  typeof value === 'string' && Buffer.from(value, 'base64').toString('base64') === value;
const isPlanString: Check = (value) => isString(value) || (isObject(value) && isBase64(value.base64));
const isData: Check = (value) =>
  isStrings(value) ||
  (isObject(value) && Array.isArray(value.base64) && value.base64.every(isString) && isBase64(value.base64.join('')));
const isOutput: Check = (value) => value === 'stdout' || value === 'stderr';
const isTrue: Check = (value) => value === true;
const isSignal: Check = (value) => typeof value === 'string' && value.startsWith('SIG');
// Codes of Windows have 32 bits.
const isExitCode: Check = (value) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32;
const isExit: Check = (value) => value === null || isExitCode(value) || isSignal(value);
const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);
const isMap =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);
/** All fields are known and right, and the required ones are there. */
const shape =
  (required: Readonly<Record<string, Check>>, optional: Readonly<Record<string, Check>> = {}): Check =>
  (value) => {
    if (!isObject(value)) return false;
    for (const key in required) if (!Object.hasOwn(value, key)) return false;
    for (const [key, field] of Object.entries(value)) {
      const check = Object.hasOwn(required, key)
        ? required[key]
        : Object.hasOwn(optional, key)
          ? optional[key]
          : undefined;
      if (check?.(field) !== true) return false;
    }
    return true;
  };

const isFailure = shape(
  { stage: (value) => Object.hasOwn(STAGES, String(value)), code: isString },
  { path: isString, reason: isString, syscall: isString },
);

/** By the field that says what an event is. */
const events: Readonly<Record<string, Check>> = {
  stdout: shape({ stdout: isData }),
  stderr: shape({ stderr: isData }),
  stdin: shape({ stdin: isData }),
  end: shape({ end: (value) => value === 'stdin' || isOutput(value) }),
  closed: shape({ closed: isOutput }),
  broken: shape({ broken: oneOf('stdin') }),
  signal: shape({ signal: isSignal }, { reached: oneOf('group', 'tree') }),
  handshake: shape({ handshake: oneOf('wait', 'notify') }, { failure: isFailure }),
  exit: shape({ exit: isExit }, { coreDumped: isTrue }),
  held: shape({ held: isOutput }),
  lost: shape({ lost: isFailure }),
  startError: shape({ startError: isFailure }),
};

const isEvent: Check = (value) => {
  if (!isObject(value)) return false;
  for (const key in value) return Object.hasOwn(events, key) && events[key]?.(value) === true;
  return false;
};

/** Without one of these a replay would never end. */
const isEnd = (event: TapeEvent): boolean =>
  'exit' in event || 'lost' in event || 'startError' in event || ('handshake' in event && event.failure !== undefined);

const isNumber: Check = (value) => typeof value === 'number';
const isCall = shape(
  { program: isPlanString },
  {
    args: (value) => Array.isArray(value) && value.every(isPlanString),
    argv0: isPlanString,
    env: isMap((value) => value === null || isPlanString(value)),
    cwd: isString,
    stdin: oneOf('pipe'),
    stdout: oneOf('pipe'),
    stderr: oneOf('pipe', 'same-as-stdout'),
    sendBuffers: (value) => Array.isArray(value) && value.every(Number.isInteger),
    group: oneOf('none', 'group', 'session'),
    privileged: isObject,
    daemon: isTrue,
    handshake: isTrue,
    hook: shape({ module: isString, export: isString, data: () => true }),
    killOnParentExit: oneOf('best-effort', 'guaranteed'),
    sync: shape(
      {},
      {
        timeout: isNumber,
        killDelay: isNumber,
        drainDelay: isNumber,
        limit: shape({}, { stdout: isNumber, stderr: isNumber, total: isNumber, truncate: isTrue }),
        tail: isNumber,
      },
    ),
  },
);

const isOutcome = shape(
  {},
  {
    stdout: isData,
    stderr: isData,
    exit: isExit,
    coreDumped: isTrue,
    ending: oneOf('exit', 'timeout', 'output-limit'),
    exceeded: oneOf('stdout', 'stderr', 'total'),
    outputComplete: oneOf(false),
    incomplete: oneOf('stdout', 'stderr'),
    ended: oneOf('tree', 'group', 'process', 'none'),
    startError: isFailure,
  },
);

const isEntry = shape(
  { call: isCall },
  { sent: isMap(isData), events: (value) => Array.isArray(value) && value.every(isEvent), outcome: isOutcome },
);

/** A synchronous run has an outcome, every other one has events, with an end. */
const isComplete = (entry: TapeEntry): boolean =>
  entry.call.sync === undefined
    ? entry.events?.some(isEnd) === true && entry.outcome === undefined
    : entry.outcome !== undefined && entry.events === undefined;

/** @throws RecordingError that says what is wrong, and where. */
export function parseTape(text: string, file: string): Tape {
  const fail = (code: 'DAMAGED' | 'FOREIGN' | 'VERSION', what: string, line?: number, cause?: unknown): never => {
    const at = line === undefined ? file : `${file}:${line}`;
    throw new RecordingError(`ERR_RECORDING_${code}`, `${at}: ${what}. ${recordAnew('update')}`, { file, line, cause });
  };
  let tape: unknown;
  try {
    tape = JSON.parse(text);
  } catch (error) {
    const line = lineAt(text, offsetOfError(text));
    return fail('DAMAGED', `the recording is damaged: ${(error as Error).message}`, line, error);
  }
  if (!isObject(tape) || tape.format !== formatName) return fail('FOREIGN', 'this is no recording of vircommand');
  if (tape.version !== formatVersion) {
    return fail(
      'VERSION',
      `the recording has version ${JSON.stringify(tape.version)}, this package reads version ${formatVersion}`,
    );
  }
  const { backend, calls } = tape;
  const isBackend = shape({ name: isString, features: isStrings });
  if (!isBackend(backend)) return fail('DAMAGED', 'the recording is damaged: backend must have a name and features');
  if (!Array.isArray(calls)) return fail('DAMAGED', 'the recording is damaged: calls must be an array');
  const wrong = calls.findIndex((entry: unknown) => !isEntry(entry) || !isComplete(entry as TapeEntry));
  if (wrong >= 0) {
    const line = lineOfEntry(text, wrong);
    return fail('DAMAGED', `the recording is damaged: call ${wrong + 1} does not follow the schema`, line);
  }
  const { name, features } = backend as Tape['backend'];
  return {
    format: formatName,
    version: formatVersion,
    backend: { name, features: features.filter(isFeature) },
    calls: calls as TapeEntry[],
  };
}
