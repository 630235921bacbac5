/** Options of one run: read once, checked, with their defaults. */
import { constants } from 'node:buffer';
import { describe, isOptions, isPlain, noObject, ownProperties, ownProperty, strayName, unknownName } from './plain';
import type { OutputLimit, TextEncoding } from './types';

/** The calls that run a command. */
export type RunCall = 'run' | 'runSync' | 'runAsync' | 'exec' | 'runLines' | 'runRegex' | 'runNul';
/** The ways to run. */
export type Mode = 'run' | 'runSync' | 'runAsync' | 'exec' | 'lines';

/** The way in which a call runs. */
export const modeOf = (call: RunCall): Mode =>
  call === 'run' || call === 'runSync' || call === 'runAsync' || call === 'exec' ? call : 'lines';

/** The calls that take options: `lines()` is one of a program that runs. */
type OptionCall = RunCall | 'lines';

/** Options of one run, complete. */
export interface RunSettings {
  readonly check: boolean;
  readonly timeout: number | undefined;
  readonly killDelay: number;
  readonly drainDelay: number;
  readonly signal: AbortSignal | undefined;
  /** `undefined` where nothing was said. */
  readonly limit: Required<OutputLimit> | undefined;
  readonly encoding: TextEncoding | 'buffer';
  readonly killOnParentExit: boolean | 'guaranteed';
  /** Deadline, delays or limits were asked for: a synchronous run needs a backend that can keep them. */
  readonly bounded: boolean;
  readonly maxLength: number;
  readonly from: 'stdout' | 'stderr';
  readonly prefix: string;
}

/** What a string can hold; text beyond it would be a foreign RangeError in the middle of a run. */
export const longestText = constants.MAX_STRING_LENGTH;
/** What a Buffer can hold. */
export const longestBytes = constants.MAX_LENGTH;

/** Bounds of an end, in milliseconds, when nothing is said. */
export const defaultDelays = Object.freeze({ killDelay: 5000, drainDelay: 1000 });

/** When nothing is said. */
const defaultSettings: RunSettings = Object.freeze({
  check: true,
  timeout: undefined,
  ...defaultDelays,
  signal: undefined,
  limit: undefined,
  encoding: 'utf8',
  killOnParentExit: false,
  bounded: false,
  maxLength: longestText,
  from: 'stdout',
  prefix: '',
});

/** Where an option may be given, and what it must be: a checked value, or the reason why it is none. */
interface Reader {
  readonly calls: readonly OptionCall[];
  read(value: unknown): { readonly [K in keyof RunSettings]?: RunSettings[K] } | string;
}
const records: readonly OptionCall[] = ['runLines', 'runRegex', 'runNul'];
const all: readonly OptionCall[] = ['run', 'runSync', 'runAsync', ...records];

/** Whether something is a time that can be waited, in milliseconds. */
export const isDelay = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && Number.isFinite(value);
const isLimit = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && (Number.isSafeInteger(value) || value === Infinity);

const readers: Readonly<Record<string, Reader>> = Object.assign(Object.create(null) as Record<string, Reader>, {
  check: { calls: all, read: (value) => (typeof value === 'boolean' ? { check: value } : 'must be a boolean') },
  timeout: {
    calls: all,
    read: (value) => {
      if (isDelay(value) && value > 0) return { timeout: value, bounded: true };
      return value === 0
        ? 'is 0; leave it out for no deadline (0 from a computed budget must not mean "for ever")'
        : 'must be a finite number of milliseconds above 0; leave it out for no deadline';
    },
  },
  killDelay: {
    calls: all,
    read: (value) =>
      isDelay(value) ? { killDelay: value, bounded: true } : 'must be a finite number of milliseconds, 0 or more',
  },
  drainDelay: {
    calls: all,
    read: (value) =>
      isDelay(value) ? { drainDelay: value, bounded: true } : 'must be a finite number of milliseconds, 0 or more',
  },
  signal: {
    calls: ['run', 'runAsync', ...records],
    read: (value) => (isAbortSignal(value) ? { signal: value } : 'must be an AbortSignal'),
  },
  outputLimit: { calls: all, read: readLimit },
  encoding: {
    calls: all,
    read: (value) =>
      value === 'utf8' || value === 'latin1' || value === 'utf16le' || value === 'buffer'
        ? { encoding: value }
        : `must be 'utf8', 'latin1', 'utf16le' or 'buffer'`,
  },
  killOnParentExit: {
    calls: all,
    read: (value) =>
      typeof value === 'boolean' || value === 'guaranteed'
        ? { killOnParentExit: value }
        : `must be a boolean or 'guaranteed'`,
  },
  maxLength: {
    calls: [...records, 'lines'],
    read: (value) => (isLimit(value) && value > 0 ? { maxLength: value } : 'must be a whole number of bytes above 0'),
  },
  from: {
    calls: [...records, 'lines'],
    read: (value) => (value === 'stdout' || value === 'stderr' ? { from: value } : `must be 'stdout' or 'stderr'`),
  },
  prefix: {
    calls: ['runRegex'],
    read: (value) => (typeof value === 'string' ? { prefix: value } : 'must be a string'),
  },
} satisfies Record<string, Reader>);

/** Any that does what one must: those of other realms and of packages are no instances of Node's. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof Reflect.get(value, 'aborted') === 'boolean' &&
    ['addEventListener', 'removeEventListener'].every((name) => typeof Reflect.get(value, name) === 'function')
  );
}

const noLimit = { stdout: undefined, stderr: undefined, total: undefined, onExceed: 'kill' } as const;

function readLimit(value: unknown): { limit: Required<OutputLimit>; bounded: true } | string {
  if (isLimit(value)) return { limit: { ...noLimit, stdout: value, stderr: value }, bounded: true };
  if (typeof value !== 'object' || value === null || !isPlain(value))
    return 'must be a number of bytes or { stdout, stderr, total, onExceed }';
  const limit: { -readonly [K in keyof OutputLimit]-?: OutputLimit[K] } = { ...noLimit };
  for (const [name, part] of ownProperties(value)) {
    if (part === undefined) continue;
    if (!Object.hasOwn(noLimit, name)) {
      const stray = unknownName('property', name, Object.keys(noLimit));
      return `must be { stdout, stderr, total, onExceed }: ${stray}`;
    }
    if ((name === 'stdout' || name === 'stderr' || name === 'total') && isLimit(part)) limit[name] = part;
    else if (name === 'onExceed' && (part === 'kill' || part === 'truncate')) limit[name] = part;
    else
      return `has ${name}: ${describe(part)}; it takes stdout, stderr, total (bytes) and onExceed ('kill', 'truncate')`;
  }
  return { limit, bounded: true };
}

const oneOf = ({ calls }: Reader): string => `it is one of ${calls.map((call) => `${call}()`).join(', ')}`;

/** What to say of an option that is not known where it was given: whose it is, or what is meant. `new Command()` adds its own. */
export const directions = new Map([
  ['shell', "run 'sh' with '-c'"],
  ['input', 'use stdin: { input } of new Command()'],
  ['detached', 'use session or daemon of new Command()'],
  ...Object.entries(readers).map(([name, reader]) => [name, oneOf(reader)] as const),
]);

/** What to say of an option that is not known. */
export function unknownOption(name: string, known: readonly string[]): string {
  const direction = directions.get(name);
  return direction ? `there is no option '${name}' here; ${direction}` : unknownName('option', name, known);
}

function whyNotFor(call: OptionCall, name: string, reader: Reader): string {
  if (call === 'exec') return ': nothing of this process is left to look after the program';
  return call === 'runSync' && name === 'signal'
    ? ': an AbortSignal cannot fire while the thread is blocked; use timeout'
    : `; ${oneOf(reader)}`;
}

/** The settings of a run, or the option that is wrong and why. */
export function readRunOptions(given: unknown, call: OptionCall): RunSettings | { readonly wrong: string } {
  if (given === undefined) return defaultSettings;
  if (!isOptions(given)) return { wrong: `options ${noObject(given)}` };
  let settings = defaultSettings;
  for (const [name, value] of ownProperties(given)) {
    if (value === undefined) continue;
    const reader = readers[name];
    if (reader === undefined) return { wrong: unknownOption(name, Object.keys(readers)) };
    if (!reader.calls.includes(call)) {
      return { wrong: `option '${name}' is not for ${call}()${whyNotFor(call, name, reader)}` };
    }
    const read = reader.read(value);
    if (typeof read === 'string') return { wrong: `option '${name}' ${read}` };
    settings = { ...settings, ...read };
  }
  if (settings.encoding === 'buffer' && records.includes(call)) {
    return { wrong: `option 'encoding' must be 'utf8', 'latin1' or 'utf16le' for ${call}(), which gives text` };
  }
  return settings;
}

/** What `abort()` and the like may be told: the grace period, or why it is none. */
export function readKillDelay(given: unknown): { readonly killDelay: number | undefined } | { readonly wrong: string } {
  const wrong = strayName(given, ['killDelay'], 'option');
  if (wrong !== undefined) return { wrong };
  const killDelay = ownProperty(given, 'killDelay');
  return killDelay === undefined || isDelay(killDelay)
    ? { killDelay }
    : { wrong: "option 'killDelay' must be a number of milliseconds, 0 or more" };
}

/** How many bytes of each stream may be kept; what no result can hold is a limit that nobody has to ask for. */
export function keptAtMost(settings: RunSettings, stream: 'stdout' | 'stderr', as: 'text' | 'bytes'): number {
  return Math.min(settings.limit?.[stream] ?? Infinity, as === 'text' ? longestText : longestBytes);
}
