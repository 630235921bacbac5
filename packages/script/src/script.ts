/** The calls, bound to a constructor of commands. */
import { CommandUsageError, type Arg, type Bytes, type Command, type CommandConstructor } from '@vircommand/core';
import { describe, isOptions } from '@vircommand/core/backend';
import type { ScriptLineOptions, ScriptOptions } from './options';
import { runBlocking, startProcess, type ScriptProcess } from './process';
import { filePath, readOptions, type Call, type Form } from './read-options';
import type { ScriptResult } from './result';
import { wordsOf, type Word } from './template';
import type { TemplateValue } from './value';

/** Options on top of others. */
export type Merged<P, O> = Omit<P, keyof O> & O;
/** No option. */
export type NoOptions = object;

/** The tagged template, with the options `P` behind it. */
export interface Template<P = NoOptions> {
  /**
   * Runs the program that the template says: no shell, whatever is interpolated is one argument (an array: one for each
   * item).
   *
   * @throws MigrationError for what only a shell could do; CommandUsageError for what makes no command.
   */
  (template: TemplateStringsArray, ...values: readonly TemplateValue[]): ScriptProcess<P>;
  /** The same template with more options, which take the place of those of the same name; `env` is added to `env`. */
  <const O extends ScriptOptions>(options: O): Template<Merged<P, O>>;
  /** As the template, blocking. */
  sync(template: TemplateStringsArray, ...values: readonly TemplateValue[]): ScriptResult<P>;
  /** Lines of stdout as they come. Leaving the loop ends the program; a failure throws after the last line. */
  lines(template: TemplateStringsArray, ...values: readonly TemplateValue[]): AsyncIterableIterator<string>;
}

/** A call by program, arguments and options. Arguments may be left out. */
export interface Run {
  <const O extends ScriptOptions = NoOptions>(file: Bytes | URL, args?: readonly Arg[], options?: O): ScriptProcess<O>;
  <const O extends ScriptOptions>(file: Bytes | URL, options: O): ScriptProcess<O>;
}
/** As {@link Run}, blocking. */
export interface RunSync {
  <const O extends ScriptOptions = NoOptions>(file: Bytes | URL, args?: readonly Arg[], options?: O): ScriptResult<O>;
  <const O extends ScriptOptions>(file: Bytes | URL, options: O): ScriptResult<O>;
}
/** As {@link Run}: lines of stdout as they come. Leaving the loop ends the program; a failure throws after the last line. */
export interface RunLines {
  (file: Bytes | URL, args?: readonly Arg[], options?: ScriptLineOptions): AsyncIterableIterator<string>;
  (file: Bytes | URL, options: ScriptLineOptions): AsyncIterableIterator<string>;
}

/** What {@link createScript} makes. */
export interface Script {
  /**
   * @example
   * ```ts
   * const { stdout } = await $({ cwd: 'src' })`git log -n ${10} -- ${files}`;
   * ```
   */
  readonly $: Template;
  /**
   * @example
   * ```ts
   * const { stdout, exitCode } = await run('git', ['log'], { reject: false, timeout: 10_000 });
   * ```
   */
  readonly run: Run;
  /** As `run`, blocking. */
  readonly runSync: RunSync;
  /** The lines of a program as they come; leaving the loop ends it. */
  readonly runLines: RunLines;
}

/**
 * The calls on a backend: that to which `Command` is bound.
 *
 * @throws CommandUsageError if that is no constructor of commands
 *
 * @example
 * ```ts
 * import { Command } from '@vircommand/posix';
 * const { $, run } = createScript(Command);
 * ```
 */
export function createScript(Command: CommandConstructor): Script {
  const given: unknown = Command;
  if (typeof given !== 'function') {
    const reason = `takes the Command of a package, as of @vircommand/posix, not ${describe(given)}`;
    throw new CommandUsageError('createScript()', reason, { command: '' });
  }
  const described = (words: readonly Word[], { command: options }: Call): Command => {
    const [program = [], ...rest] = words;
    const command = new Command(oneArgument(program), [], options);
    for (const word of rest) addWord(command, word);
    return command;
  };

  const template = (defaults: ScriptOptions): Template => {
    const call = (form: Form, strings: TemplateStringsArray, values: readonly TemplateValue[]): [Command, Call] => {
      const read = readOptions(defaults, form);
      return [described(wordsOf(strings, values), read), read];
    };
    const tag = (first: TemplateStringsArray | ScriptOptions, ...values: readonly TemplateValue[]): unknown => {
      if (isTemplate(first)) return startProcess(...call('run', first, values));
      if (!isOptions(first)) {
        throw new CommandUsageError('$', 'is a tag: $`program ${argument}`, or takes options', { command: '' });
      }
      const options = { ...defaults, ...first };
      // Read for what may be wrong with it: here is where it was said.
      readOptions(options, 'run');
      const before = ownEnv(defaults);
      const env = ownEnv(first);
      return template(before && env ? { ...options, env: { ...before, ...env } } : options);
    };
    const forms: Pick<Template, 'sync' | 'lines'> = {
      sync: (strings, ...values) => runBlocking(...call('runSync', strings, values)),
      lines(strings, ...values) {
        const [command, { run }] = call('runLines', strings, values);
        return command.runLines(run);
      },
    };
    return Object.assign(tag, forms) as Template;
  };

  const called = (form: Form, file: Bytes | URL, second: unknown, third: unknown): [Command, Call] => {
    const [args, options] = argumentsAndOptions(form, second, third);
    const call = readOptions(options ?? {}, form);
    const program = filePath(file, 'the program', form);
    return [new Command(program, args, call.command), call];
  };
  const lines = ([command, { run }]: [Command, Call]): AsyncIterableIterator<string> => command.runLines(run);

  return {
    $: template({}),
    run: (file: Bytes | URL, second?: unknown, third?: unknown) => startProcess(...called('run', file, second, third)),
    runSync: (file: Bytes | URL, second?: unknown, third?: unknown) =>
      runBlocking(...called('runSync', file, second, third)),
    runLines: (file: Bytes | URL, second?: unknown, third?: unknown) => lines(called('runLines', file, second, third)),
  };
}

const isTemplate = (given: TemplateStringsArray | ScriptOptions): given is TemplateStringsArray =>
  Array.isArray(given) && 'raw' in given;

/** What follows the program. Arguments may be left out; a set of them, or a promise, would be taken for no options. */
function argumentsAndOptions(form: Form, second: unknown, third: unknown): readonly [readonly Arg[], unknown] {
  if (Array.isArray(second)) return [second as Arg[], third];
  if (second === undefined || second === null) return [[], third];
  if (isOptions(second) && third === undefined) return [[], second];
  const reason = isOptions(second)
    ? 'options are the last argument, and come once'
    : `takes an array of arguments, or options, behind the program, not ${describe(second)}`;
  throw new CommandUsageError(form, reason, { command: '' });
}

/** Not what a prototype says. */
const ownEnv = (options: ScriptOptions): ScriptOptions['env'] =>
  Object.hasOwn(options, 'env') ? options.env : undefined;

/** A word as the program's name, where it is one value. */
function oneArgument(word: Word): Bytes {
  const [first = '', ...more] = word;
  // Core says what is wrong with a program that is a secret, and with one that has a secret in it.
  const hidden = word.find((part) => typeof part !== 'string' && !(part instanceof Uint8Array));
  if (hidden !== undefined || more.length === 0) return (hidden ?? first) as Bytes;
  return Buffer.concat(word.map((part) => Buffer.from(part as Bytes)));
}

function addWord(command: Command, word: Word): void {
  const [first = '', ...more] = word;
  if (more.length === 0) command.addArg(first);
  else command.addArgFormat('%s'.repeat(word.length), ...(word as (string | Uint8Array)[]));
}
