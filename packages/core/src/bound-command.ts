/** A command of a backend: what the setters described, and the ways to run it. */
import { writeSync } from 'node:fs';
import { inspect } from 'node:util';
import { planBytes, publicForm } from './bytes';
import { becomeProgram } from './become';
import { checkBackend } from './check-backend';
import { clockOf } from './clock';
import type { Backend } from './contract';
import { CommandError, UnsupportedFeatureError } from './errors';
import { FEATURE_INFO } from './features';
import { Run } from './lifecycle';
import { LineIterator } from './lines';
import { logError } from './log';
import { CommandWithOptions } from './options';
import { notStarted } from './outcome';
import { closeOwned, isSpent } from './owned-fds';
import { isFd } from './plain';
import { draftText, makeLaunch, type Launch } from './plan';
import { noOptions, readTextOptions } from './quote';
import { columnRows, patternsOf, regexRows, RowIterator } from './records';
import { abortingAll, overridingBackend } from './registry';
import { brokenNow, brokenRule } from './rules';
import { modeOf, readRunOptions, type RunCall, type RunSettings } from './run-options';
import { RunningProcess, type RunningCommand } from './running';
import { beginStackAt, type Site } from './site';
import { copyDraft, fdNumber, type Draft } from './spec';
import { startFailure } from './start-failure';
import { runAndWait } from './sync';
import type { Bytes, CommandIteration, CommandResult, Fd } from './types';

/** What `instanceof` looks at. */
export const brand = Symbol.for('vircommand.command');
/** Where a command gets its backend from. */
export type Binding = Backend | (() => Backend) | undefined;
/** Why the backend that was chosen is not a better one. */
export type WhyNotBetter = (chosen: Backend) => string | undefined;

/** Options as they were read when the caller called, whenever the run begins. */
type ReadOptions = RunSettings | { readonly wrong: string };

interface Prepared {
  readonly launch: Launch;
  readonly settings: RunSettings;
  readonly backend: Backend;
}

/** A command: the setters, and the ways to run. */
export class BoundCommand extends CommandWithOptions {
  /** A run that is not over. */
  #running = false;
  readonly #binding: Binding;
  readonly #whyNotBetter: WhyNotBetter | undefined;

  constructor(
    binding: Binding,
    whyNotBetter: WhyNotBetter | undefined,
    constructor: () => unknown,
    program: unknown,
    args: unknown,
    options: unknown,
  ) {
    super(program, constructor);
    this.#binding = binding;
    this.#whyNotBetter = whyNotBetter;
    if (args !== undefined) this.appendArgs('new Command', args);
    if (options !== undefined) this.applyOptions(options);
    this.above = undefined;
  }

  readonly [brand] = true;

  [inspect.custom](): string {
    return `Command { ${this.toString()} }`;
  }

  #backend(call: RunCall, at: Site | undefined): Backend {
    const { draft } = this;
    let source;
    try {
      source =
        overridingBackend() ?? draft.backend ?? (typeof this.#binding === 'function' ? this.#binding() : this.#binding);
    } catch (error) {
      // A backend package that says itself what is wrong knows it better.
      throw error instanceof CommandError ? error : startFailure(error, draftText(draft), undefined);
    }
    if (source === undefined) {
      const reason = 'has no backend: import Command from a backend package, or give { backend }';
      throw this.usageError('new Command', reason, at ?? this.site(call));
    }
    return checkBackend(source, `${call}()`, () => draftText(draft));
  }

  /** What is needed to run now, or the error, thrown: nothing is started. */
  #prepare(call: RunCall, settings: ReadOptions, at: Site | undefined): Prepared {
    const { draft } = this;
    if (this.misuse !== undefined) throw this.misuse;
    if ('wrong' in settings) throw this.usageError(call, settings.wrong, at);
    const mode = modeOf(call);
    const broken = brokenRule(draft, mode, settings) ?? brokenNow(draft);
    if (broken !== undefined) throw this.usageError(broken.call ?? call, broken.reason, at ?? this.site(call));
    const backend = this.#backend(call, at);
    const launch = makeLaunch(draft, mode, settings);
    const missing = launch.plan.requires.find((feature) => !backend.features.includes(feature));
    if (missing !== undefined) {
      const details = { command: launch.plan.text, backend: backend.name };
      const info = { ...FEATURE_INFO[missing], whyNotBetter: said(() => this.#whyNotBetter?.(backend)) };
      const whyNot = said(() => backend.whyNot?.(missing));
      const error = new UnsupportedFeatureError(missing, info, details, whyNot);
      throw beginStackAt(error, at ?? this.site(call));
    }
    return { launch, settings, backend };
  }

  /** One owner at every moment: from here on the descriptors that are to be closed are core's. They are returned. */
  #claim(call: RunCall, at: Site | undefined): Draft['passFds'] {
    if (this.#running) {
      throw this.#refused(
        this.usageError(call, 'the command is running already; clone() makes one that may run beside it', at),
      );
    }
    const fds = this.draft.passFds.slice();
    if (isSpent(fds)) {
      closeOwned(fds);
      const reason = 'its descriptors were closed by the run before; such a command runs once';
      throw this.#refused(this.usageError(call, reason, at));
    }
    this.#running = true;
    return fds;
  }

  /** While `abortAll()` runs nothing new is started, not even by calls that cannot wait. */
  #checkAborting(call: RunCall, { launch, backend, settings }: Prepared): void {
    if (abortingAll()) throw this.#refused(beginStackAt(notStarted(launch, backend.name, settings), this.site(call)));
  }

  /** Logs an error that came before the start, and returns it. */
  #refused(error: unknown): unknown {
    if (error instanceof CommandError) logError({ command: error.command, backend: error.backend, error });
    return error;
  }

  async #start(call: RunCall, options: ReadOptions, at?: Site): Promise<{ run: Run; launch: Launch }> {
    const fds = this.#claim(call, at);
    try {
      let place = at;
      const site = (): Site => (place ??= this.site(call));
      const released = (): void => {
        this.#running = false;
      };
      let launch, run;
      try {
        const prepared = this.#prepare(call, options, at);
        const { settings, backend } = prepared;
        ({ launch } = prepared);
        // What is not Node's may throw: a signal, or the clock of a backend.
        run = new Run(launch, settings, backend, clockOf(backend), site, released);
      } catch (error) {
        released();
        throw this.#refused(error);
      }
      const started = run.start();
      // The caller is still on the stack, and the program runs already: what this costs costs nobody's time.
      site();
      await started;
      return { run, launch };
    } finally {
      closeOwned(fds);
    }
  }

  async run(options?: unknown): Promise<CommandResult> {
    const { run } = await this.#start('run', readRunOptions(options, 'run'));
    return await run.done;
  }

  runSync(options?: unknown): CommandResult {
    // The caller stays on the stack, so its place in the code is looked for only if there is an error.
    const fds = this.#claim('runSync', undefined);
    try {
      let prepared;
      try {
        prepared = this.#prepare('runSync', readRunOptions(options, 'runSync'), undefined);
      } catch (error) {
        throw this.#refused(error);
      }
      this.#checkAborting('runSync', prepared);
      return runAndWait(prepared.launch, prepared.settings, prepared.backend, () => this.site('runSync'));
    } finally {
      this.#running = false;
      closeOwned(fds);
    }
  }

  async runAsync(options?: unknown): Promise<RunningCommand> {
    const { run, launch } = await this.#start('runAsync', readRunOptions(options, 'runAsync'));
    if (run.handle === undefined) throw new TypeError('a run that started has no handle');
    return new RunningProcess(run, run.handle, launch.plan, {
      stdin: launch.plan.stdin.type === 'pipe' && launch.input === undefined,
      stdout: launch.stdout === 'pipe',
      stderr: launch.stderr === 'pipe',
    });
  }

  exec(options?: unknown): never {
    const fds = this.#claim('exec', undefined);
    try {
      let prepared;
      try {
        prepared = this.#prepare('exec', readRunOptions(options, 'exec'), undefined);
      } catch (error) {
        throw this.#refused(error);
      }
      this.#checkAborting('exec', prepared);
      throw becomeProgram(prepared.launch.plan, prepared.backend, () => this.site('exec'));
    } finally {
      this.#running = false;
      closeOwned(fds);
    }
  }

  runLines(options?: unknown): CommandIteration<string> {
    return this.#records('runLines', readRunOptions(options, 'runLines'), '\n');
  }

  runRegex(patterns: readonly RegExp[], options?: unknown): CommandIteration<string[]> {
    const own = patternsOf(patterns);
    const settings = readRunOptions(options, 'runRegex');
    const prefix = 'wrong' in settings ? '' : settings.prefix;
    const read = own === undefined ? { wrong: 'takes an array of at least one RegExp' } : settings;
    return new RowIterator(this.#records('runRegex', read, '\n'), regexRows(own ?? [], prefix));
  }

  runNul(columns: number, options?: unknown): CommandIteration<string[]> {
    const countable = Number.isSafeInteger(columns) && columns > 0;
    const read = countable ? readRunOptions(options, 'runNul') : { wrong: 'takes the number of columns, 1 or more' };
    return new RowIterator(this.#records('runNul', read, '\0'), columnRows(columns));
  }

  /** The program starts with the first `next()`: what is never iterated never runs. */
  #records(call: RunCall, options: ReadOptions, separator: string): LineIterator {
    const at = this.site(call);
    return new LineIterator(async (left) => {
      if (left) {
        const { launch, settings, backend } = this.#prepare(call, options, at);
        throw beginStackAt(notStarted(launch, backend.name, settings), at);
      }
      const { run, launch } = await this.#start(call, options, at);
      return run.lineSource(launch.stderr === 'lines' ? 'stderr' : 'stdout', undefined, separator);
    });
  }

  clone(): BoundCommand {
    const { draft } = this;
    if (draft.passFds.some(({ closeInParent }) => closeInParent)) {
      throw this.usageError('clone', 'a descriptor is to be closed in the parent; only one command can');
    }
    const copy = Reflect.construct(this.constructor, [draftProgram(draft)]) as BoundCommand;
    Object.assign(copy.draft, copyDraft(draft));
    copy.misuse = this.misuse;
    return copy;
  }

  getArgList(): readonly Bytes[] {
    if (this.misuse !== undefined) throw this.misuse;
    return this.draft.args.map(publicForm);
  }

  override toString(): string {
    return this.#text(noOptions);
  }

  toStringFull(options?: unknown): string {
    return this.#text(readTextOptions(options));
  }

  #text(options: ReturnType<typeof readTextOptions>): string {
    if (this.misuse !== undefined) return `<invalid command: ${this.misuse.message}>`;
    return 'wrong' in options ? `<invalid command: toStringFull(): ${options.wrong}>` : draftText(this.draft, options);
  }

  writeArgLog(fd: Fd): void {
    if (!isFd(fd)) {
      this.note('writeArgLog', 'takes a descriptor');
      return;
    }
    if (this.misuse !== undefined) return;
    const { program, args, env } = this.draft;
    const entries = Array.from(env ?? [], ([name, value]) =>
      Buffer.concat([Buffer.from(name + '='), shown(value), space]),
    );
    const words = [program, ...args].flatMap((arg, index) => (index === 0 ? [shown(arg)] : [space, shown(arg)]));
    try {
      let line = Buffer.concat([...entries, ...words, Buffer.from('\n')]);
      while (line.length > 0) line = line.subarray(writeSync(fdNumber(fd), line));
    } catch {
      // A log that cannot be written must not keep the program from running.
    }
  }
}

/** A text for a message from code that is not ours. If that code throws, the message goes without it: its error must not replace ours. */
function said(ask: () => unknown): string | undefined {
  try {
    const text = ask();
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}

const space = Buffer.from(' ');
const shown = ({ content, mask }: Draft['program']): Buffer => planBytes(mask ?? content);
const draftProgram = ({ program }: Draft): Bytes =>
  typeof program.content === 'string' ? program.content : planBytes(program.content);
