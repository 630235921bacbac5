/** Flags: one table says what a flag is called, what it takes, what it does, and how it is explained and completed. */
import { parseArgs } from 'node:util';
import { unknownName } from '@vircommand/core/backend';
import { CliError } from './exit-status';

/** What a shell can offer behind a flag. */
export type Completion =
  'file' | 'directory' | 'user' | 'group' | 'variable' | 'backend' | 'capability' | 'limit' | readonly string[];

/** One flag of a subcommand. */
export interface Flag<Target> {
  /** Without the dashes. */
  readonly name: string;
  readonly short?: string;
  /** What it takes, as the help calls it; a flag without one takes nothing. */
  readonly value?: string;
  /** It may be given more than once. */
  readonly repeat?: true;
  readonly help: string;
  readonly complete?: Completion;
  /** The builder's call behind it, which a usage error of core names. */
  readonly call?: string;
  /** What the library's messages say of it in words of its own, and how the command line says that. */
  readonly words?: readonly (readonly [library: string | RegExp, here: string])[];
  /** Called for each time it is given, in the order of the table; a CliError it throws is completed with its name. */
  apply(target: Target, value: string): void;
}

/** Flags that belong together in the help. */
export interface FlagGroup<Target> {
  readonly title: string;
  readonly note?: string;
  readonly flags: readonly Flag<Target>[];
}

/** What is left of a command line when the flags are taken out. */
export interface Positionals {
  /** Those that the subcommand has itself, for instance a file. */
  readonly own: readonly string[];
  /** The program and its arguments; where they begin in the argv that was parsed. */
  readonly program: readonly string[];
}

type Options = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;

function optionsOf(flags: readonly Flag<never>[]): Options {
  const options: Options = { help: { type: 'boolean', short: 'h' } };
  for (const { name, short, value } of flags) {
    options[name] = { type: value === undefined ? 'boolean' : 'string', multiple: true, ...(short && { short }) };
  }
  return options;
}

/** One flag as it was given. */
interface Given {
  readonly name: string;
  /** With its dashes, as it was written. */
  readonly written: string;
  readonly value: string | undefined;
  /** The value follows as an argument of its own. */
  readonly apart: boolean;
}

/**
 * Flags end at `--`, or at the first argument that is neither a flag nor one of the subcommand's own. What comes then is
 * the program's, flags included, as with env(1) and timeout(1); what is missing of the subcommand's own may follow `--`.
 */
function split(
  argv: readonly string[],
  options: Options,
  own: number,
): Positionals & { readonly given: readonly Given[] } {
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const given: Given[] = [];
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'option-terminator') {
      const rest = argv.slice(token.index + 1);
      const missing = own - positionals.length;
      return { given, own: [...positionals, ...rest.slice(0, missing)], program: rest.slice(missing) };
    }
    if (token.kind === 'option') {
      const { name, rawName: written, value, inlineValue } = token;
      given.push({ name, written, value, apart: inlineValue === false });
    } else if (positionals.length === own) return { given, own: positionals, program: argv.slice(token.index) };
    else positionals.push(token.value);
  }
  return { given, own: positionals, program: [] };
}

const isNumber = (text: string): boolean => /^-\d/.test(text);

/** That a flag is there, and has a value if and only if it takes one. */
function check({ name, written, value, apart }: Given, flag: Flag<never> | undefined, names: readonly string[]): void {
  if (flag === undefined) {
    const known = names.map((one) => `--${one}`);
    throw new CliError(unknownName('option', written, known));
  }
  if (flag.value === undefined && value !== undefined)
    throw new CliError(`${written}: takes no value, and not '${value}'`);
  if (flag.value !== undefined && value === undefined) throw new CliError(`${written}: needs ${flag.value}`);
  // Most likely the value was forgotten.
  if (apart && value?.startsWith('-') === true && value !== '-' && !isNumber(value)) {
    throw new CliError(`${written}: needs ${flag.value ?? ''}; if '${value}' is meant, write --${name}=${value}`);
  }
}

export const flatten = <Target>(groups: readonly FlagGroup<Target>[]): Flag<Target>[] =>
  groups.flatMap(({ flags }) => flags);

/** Thrown for `--help`. */
export class HelpWanted extends Error {}

/**
 * Reads a command line: makes the target of what is no flag, and applies the flags to it.
 *
 * @throws CliError that names the flag, or HelpWanted.
 */
export function readFlags<Target>(
  argv: readonly string[],
  groups: readonly FlagGroup<Target>[],
  own: number,
  make: (positionals: Positionals) => Target,
): Target {
  const flags = flatten(groups);
  const options = optionsOf(flags);
  const { given, ...positionals } = split(argv, options, own);
  if (given.some(({ name }) => name === 'help')) throw new HelpWanted();
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  for (const one of given) check(one, byName.get(one.name), Object.keys(options));
  const target = make(positionals);
  for (const flag of flags) {
    const values = given.filter(({ name }) => name === flag.name).map(({ value }) => value ?? '');
    if (flag.value !== undefined && flag.repeat !== true && values.length > 1) {
      throw new CliError(`--${flag.name}: is given ${values.length} times; it can be given once`);
    }
    for (const value of values) apply(flag, target, value);
  }
  return target;
}

function apply<Target>(flag: Flag<Target>, target: Target, value: string): void {
  try {
    flag.apply(target, value);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    throw new CliError(`--${flag.name}: ${error.message}`, error.status, { cause: error });
  }
}

/** The flag behind a call of the builder, for a usage error that core found only when the command was run. */
export const flagOfCall = (groups: readonly FlagGroup<never>[], call: string): string | undefined =>
  flatten(groups).find((flag) => flag.call !== undefined && call.startsWith(`${flag.call}(`))?.name;
