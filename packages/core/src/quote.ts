/** Text of a command that a POSIX shell reads back to the same argv and environment. */
import { isUtf8 } from 'node:buffer';
import { planBytes, planString } from './bytes';
import type { PlanString } from './contract';
import { describe, isOptions, noObject, ownProperties, unknownName, withoutPrototype } from './plain';
import type { Bytes } from './types';

/** What {@link commandText} needs to know of a command; masked already or not. */
export interface TextSource {
  readonly program: PlanString;
  /** Without `argv[0]`. */
  readonly args: readonly PlanString[];
  /** Only what was added; nothing for an inherited environment. */
  readonly env: readonly (readonly [string, PlanString])[];
}

// virCommand's set, and the control characters, which bash treats in ways of its own when they stand bare.

const special = /[\x01-\x20\x7f!"#$&'()*;<>?[\\\]^`{|}~]/;

/**
 * One word for a POSIX shell. Bytes that are no UTF-8 become a `printf` in the word.
 *
 * @example
 * ```ts
 * quoteForShell("it's"); // 'it'\''s'
 * ```
 */
export function quoteForShell(value: Bytes): string {
  if (typeof value === 'string') return quoteText(value);
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return isUtf8(bytes) ? quoteText(bytes.toString('utf8')) : quoteBytes(bytes);
}

function quoteText(text: string): string {
  if (text === '') return "''";
  return special.test(text) ? `'${text.replaceAll("'", String.raw`'\''`)}'` : text;
}

/**
 * From the first to the last byte that is no ASCII, everything goes through one printf: each `$(…)` costs the shell a
 * process, and strips newlines at the end only, where none can be.
 */
function quoteBytes(bytes: Buffer): string {
  const isHigh = (byte: number): boolean => byte >= 0x80;
  const [first, last] = [bytes.findIndex(isHigh), bytes.findLastIndex(isHigh) + 1];
  const ascii = (piece: Buffer): string => (piece.length === 0 ? '' : quoteText(piece.toString('latin1')));
  const format = Array.from(bytes.subarray(first, last), printfByte).join('');
  return `${ascii(bytes.subarray(0, first))}"$(printf '${format}')"${ascii(bytes.subarray(last))}`;
}

/** A byte in the format of printf(1), inside single quotes. Octal takes three digits at most, so a digit may follow. */
function printfByte(byte: number): string {
  const text = String.fromCharCode(byte);
  if (text === '%') return '%%';
  return byte >= 0x80 || byte < 0x20 || text === '\\' || text === "'" ? '\\' + byte.toString(8).padStart(3, '0') : text;
}

const quotePlan = (text: PlanString): string =>
  typeof text === 'string' ? quoteText(text) : quoteBytes(planBytes(text));

const reservedWords = new Set(
  'if then else elif fi do done case esac while until for in function select time coproc'.split(' '),
);

/** As the first word: not a reserved word, an alias or an assignment. */
function quoteProgram(program: PlanString): string {
  const word = quotePlan(program);
  return typeof program === 'string' && (reservedWords.has(program) || word.includes('=')) && !word.startsWith("'")
    ? `'${word}'`
    : word;
}

// Variables that a shell sets, makes read-only or gives a meaning of its own: an assignment before a command would fail
// or be altered.
const shellOwned =
  /^(_|UID|EUID|PPID|GROUPS|OPTIND|LINENO|RANDOM|SRANDOM|SECONDS|HISTCMD|DIRSTACK|FUNCNAME|EPOCH.*|BASH.*|SHELLOPTS|COMP_.*|POSIXLY_CORRECT|PIPESTATUS)$/;
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;

const noWords: readonly string[] = [];

/** `NAME=` as it is and the value quoted; `env` in front where a shell would not take the assignment. */
function envWords(env: TextSource['env']): readonly string[] {
  if (env.length === 0) return noWords;
  const words = env.map(([name, value]) =>
    identifier.test(name) ? `${name}=${quotePlan(value)}` : quoteText(name + '=') + quotePlan(value),
  );
  return env.every(([name]) => identifier.test(name) && !shellOwned.test(name)) ? words : ['env', ...words];
}

/** How {@link commandText} lays the text out. */
export interface TextOptions {
  /** A line for each environment entry and each option, ended by a backslash. Default `false`. */
  readonly lineBreaks?: boolean | undefined;
  /** Only the last part of the program's path. Default `false`. */
  readonly stripPath?: boolean | undefined;
}

/** One line, the path as it is. */
export const noOptions: TextOptions = withoutPrototype({});

/** Own properties, or what is wrong with them. */
export function readTextOptions(given: unknown): TextOptions | { readonly wrong: string } {
  if (given === undefined) return noOptions;
  if (!isOptions(given)) return { wrong: `options ${noObject(given)}` };
  const read: { lineBreaks?: boolean; stripPath?: boolean } = {};
  for (const [name, value] of ownProperties(given)) {
    if (value === undefined) continue;
    if (name !== 'lineBreaks' && name !== 'stripPath') {
      return { wrong: unknownName('option', name, ['lineBreaks', 'stripPath']) };
    }
    if (typeof value !== 'boolean') return { wrong: `option '${name}' must be a boolean, not ${describe(value)}` };
    read[name] = value;
  }
  return withoutPrototype(read);
}

function lastPart(program: PlanString): PlanString {
  const bytes = planBytes(program);
  return planString(bytes.subarray(bytes.lastIndexOf('/') + 1));
}

/** `ENV... PROGRAM ARGS...`, single spaces, no newline at the end. The layout is virCommand's. */
export function commandText(source: TextSource, options: TextOptions = noOptions): string {
  const program = options.stripPath === true ? lastPart(source.program) : source.program;
  const breaks = options.lineBreaks === true;
  let text = '';
  for (const word of envWords(source.env)) text += word + (breaks ? ' \\\n' : ' ');
  text += quoteProgram(program);
  if (!breaks) {
    for (const arg of source.args) text += ' ' + quotePlan(arg);
    return text;
  }
  const isOption = source.args.map((arg) => typeof arg === 'string' && arg.startsWith('-'));
  const lastOption = isOption.lastIndexOf(true);
  const firstOption = isOption.indexOf(true);
  source.args.forEach((arg, index) => {
    // An option's values stay on its line; positional arguments after the last option's first value get lines of their own.
    const stays = isOption[index] !== true && firstOption >= 0 && firstOption < index && lastOption >= index - 1;
    text += (stays ? ' ' : ' \\\n') + quotePlan(arg);
  });
  return text;
}
