/** Options of one run: read once, checked, with their defaults. */
import { constants } from 'node:buffer';
import { describe } from './bytes';
import { nearest, ownProperties } from './plain';
import type { OutputLimit, TextEncoding } from './types';

/** The ways to run. */
export type Mode = 'run' | 'runSync' | 'runAsync' | 'lines';

/** Options of one run, complete. */
export interface RunSettings {
  readonly check: boolean;
  readonly timeout: number | undefined;
  readonly killDelay: number;
  readonly drainDelay: number;
  readonly signal: AbortSignal | undefined;
  /** `undefined` where nothing was said. */
  readonly limit: OutputLimit | undefined;
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

/** When nothing is said. */
export const defaultSettings: RunSettings = Object.freeze({
  check: true,
  timeout: undefined,
  killDelay: 5000,
  drainDelay: 1000,
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
  readonly modes: readonly Mode[];
  read(value: unknown): { readonly [K in keyof RunSettings]?: RunSettings[K] } | string;
}
const all: readonly Mode[] = ['run', 'runSync', 'runAsync', 'lines'];

const isDelay = (value: unknown): value is number => typeof value === 'number' && value >= 0 && Number.isFinite(value);
const isLimit = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && (Number.isSafeInteger(value) || value === Infinity);

const readers: Readonly<Record<string, Reader>> = Object.assign(Object.create(null) as Record<string, Reader>, {
  check: { modes: all, read: (value) => (typeof value === 'boolean' ? { check: value } : 'must be a boolean') },
  timeout: {
    modes: all,
    read: (value) => {
      if (isDelay(value) && value > 0) return { timeout: value, bounded: true };
      return value === 0
        ? 'is 0; leave it out for no deadline (0 from a computed budget must not mean "for ever")'
        : 'must be a number of milliseconds above 0';
    },
  },
  killDelay: {
    modes: all,
    read: (value) =>
      isDelay(value) ? { killDelay: value, bounded: true } : 'must be a number of milliseconds, 0 or more',
  },
  drainDelay: {
    modes: all,
    read: (value) =>
      isDelay(value) ? { drainDelay: value, bounded: true } : 'must be a number of milliseconds, 0 or more',
  },
  signal: {
    modes: ['run', 'runAsync', 'lines'],
    read: (value) => (isAbortSignal(value) ? { signal: value } : 'must be an AbortSignal'),
  },
  outputLimit: { modes: all, read: readLimit },
  encoding: {
    modes: all,
    read: (value) =>
      value === 'utf8' || value === 'latin1' || value === 'utf16le' || value === 'buffer'
        ? { encoding: value }
        : `must be 'utf8', 'latin1', 'utf16le' or 'buffer'`,
  },
  killOnParentExit: {
    modes: all,
    read: (value) =>
      typeof value === 'boolean' || value === 'guaranteed'
        ? { killOnParentExit: value }
        : `must be a boolean or 'guaranteed'`,
  },
  maxLength: {
    modes: ['lines'],
    read: (value) => (isLimit(value) && value > 0 ? { maxLength: value } : 'must be a number of bytes above 0'),
  },
  from: {
    modes: ['lines'],
    read: (value) => (value === 'stdout' || value === 'stderr' ? { from: value } : `must be 'stdout' or 'stderr'`),
  },
  prefix: { modes: ['lines'], read: (value) => (typeof value === 'string' ? { prefix: value } : 'must be a string') },
} satisfies Record<string, Reader>);

function isAbortSignal(value: unknown): value is AbortSignal {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof Reflect.get(value, 'aborted') === 'boolean' &&
    typeof Reflect.get(value, 'addEventListener') === 'function'
  );
}

function readLimit(value: unknown): { limit: OutputLimit; bounded: true } | string {
  if (isLimit(value)) return { limit: { stdout: value, stderr: value }, bounded: true };
  if (typeof value !== 'object' || value === null)
    return 'must be a number of bytes or { stdout, stderr, total, onExceed }';
  const limit: { -readonly [K in keyof OutputLimit]: OutputLimit[K] } = {};
  for (const [name, part] of ownProperties(value)) {
    if (part === undefined) continue;
    if ((name === 'stdout' || name === 'stderr' || name === 'total') && isLimit(part)) limit[name] = part;
    else if (name === 'onExceed' && (part === 'kill' || part === 'truncate')) limit[name] = part;
    else
      return `has ${name}: ${describe(part)}; it takes stdout, stderr, total (bytes) and onExceed ('kill', 'truncate')`;
  }
  return { limit, bounded: true };
}

/** The settings of a run, or the option that is wrong and why. */
export function readRunOptions(given: unknown, mode: Mode): RunSettings | { readonly wrong: string } {
  if (given === undefined) return defaultSettings;
  if (typeof given !== 'object' || given === null)
    return { wrong: `options must be an object, not ${describe(given)}` };
  let settings = defaultSettings;
  for (const [name, value] of ownProperties(given)) {
    if (value === undefined) continue;
    const reader = readers[name];
    if (reader === undefined) {
      const meant = nearest(name, Object.keys(readers));
      return { wrong: `there is no option '${name}'${meant === undefined ? '' : `; did you mean '${meant}'?`}` };
    }
    if (!reader.modes.includes(mode)) {
      const why = name === 'signal' ? ': an AbortSignal cannot fire while the thread is blocked; use timeout' : '';
      return { wrong: `option '${name}' is not for this way to run${why}` };
    }
    const read = reader.read(value);
    if (typeof read === 'string') return { wrong: `option '${name}' ${read}` };
    settings = { ...settings, ...read };
  }
  return settings;
}
