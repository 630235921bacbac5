/** Matchers for arguments and other strings of a call. */
import { MASK, usage } from './errors';

const brand: unique symbol = Symbol.for('vircommand.mock.matcher') as never;

/** What an argument must be like; made by {@link match}. */
export interface ArgMatcher {
  readonly [brand]: {
    /** For messages. */
    readonly label: string;
    /** Takes all arguments that are left. */
    readonly rest: boolean;
    holds(value: string): boolean;
  };
}

/** A string is itself; everything else is a matcher. */
export type Pattern = string | ArgMatcher;

const matcher = (label: string, holds: (value: string) => boolean, rest = false): ArgMatcher =>
  Object.freeze({ [brand]: Object.freeze({ label, holds, rest }) });

/** `*` any characters, `?` one character, `[abc]`, `[a-z]` and `[!a]` one of a set. A slash is a character like others. */
function globPattern(glob: string): RegExp {
  let source = '';
  for (let at = 0; at < glob.length; at++) {
    const char = glob.charAt(at);
    const close = char === '[' ? glob.indexOf(']', at + 2) : -1;
    if (char === '*') source += '.*';
    else if (char === '?') source += '.';
    else if (close > 0) {
      const set = glob.slice(at + 1, close).replace(/[\\\]^[]/g, String.raw`\$&`);
      source += set.startsWith('!') ? `[^${set.slice(1)}]` : `[${set}]`;
      at = close;
    } else source += char.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
  }
  return new RegExp(`^(?:${source})$`, 'su');
}

/**
 * Matchers for the parts of an expectation.
 *
 * @example
 * ```ts
 * mock.on('git', ['clone', match.glob('https://*'), match.rest()]).reply({ stdout: 'ok\n' });
 * ```
 */
export const match = Object.freeze({
  /** Any one value. */
  any: (): ArgMatcher => matcher('<any>', () => true),
  /** All arguments that are left, none included. The last one of the arguments only. */
  rest: (): ArgMatcher => matcher('<rest>', () => true, true),
  /** Begins so. */
  prefix: (text: string): ArgMatcher => matcher(`<prefix ${text}>`, (value) => value.startsWith(text)),
  /** `*`, `?` and `[set]` over the whole value. */
  glob: (glob: string): ArgMatcher => {
    const pattern = globPattern(glob);
    return matcher(`<glob ${glob}>`, (value) => pattern.test(value));
  },
  /** A regular expression over the whole value, anchored for you. */
  regex: (given: RegExp): ArgMatcher => {
    const pattern = new RegExp(`^(?:${given.source})$`, given.flags.replace(/[gy]/g, ''));
    return matcher(`<regex ${String(given)}>`, (value) => pattern.test(value));
  },
  /** This value, which no message shows. */
  secret: (value: string): ArgMatcher => matcher(MASK, (given) => given === value),
  /** Whatever a function accepts. */
  where: (test: (value: string) => boolean, label = 'where'): ArgMatcher => matcher(`<${label}>`, test),
});

/** Whether a value is what a test may write where a pattern is wanted. */
export const isPattern = (value: unknown): value is Pattern =>
  typeof value === 'string' || (typeof value === 'object' && value !== null && brand in value);

/** Whether it stands for all arguments that are left. */
export const isRest = (pattern: Pattern): boolean => typeof pattern !== 'string' && pattern[brand].rest;

/** Whether a value is as the pattern says. */
export const holds = (pattern: Pattern, value: string): boolean =>
  typeof pattern === 'string' ? pattern === value : pattern[brand].holds(value);

/** The pattern for messages. */
export const label = (pattern: Pattern): string => (typeof pattern === 'string' ? pattern : pattern[brand].label);

/** Throws if `rest()` stands anywhere but at the end. */
export function checkArgs(patterns: readonly unknown[], call: string): asserts patterns is readonly Pattern[] {
  patterns.forEach((pattern, index) => {
    if (!isPattern(pattern)) throw usage(call, `argument ${index + 1} must be a string or a matcher`);
    if (isRest(pattern) && index < patterns.length - 1) throw usage(call, 'rest() must be the last argument');
  });
}

/** Whether all arguments are as the patterns say. */
export function argsHold(patterns: readonly Pattern[], args: readonly string[]): boolean {
  const last = patterns.at(-1);
  const open = last !== undefined && isRest(last);
  const count = open ? patterns.length - 1 : patterns.length;
  if (open ? args.length < count : args.length !== count) return false;
  for (let at = 0; at < count; at++) if (!holds(patterns[at] ?? '', args[at] ?? '')) return false;
  return true;
}
