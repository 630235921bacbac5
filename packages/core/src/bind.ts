/** Binding: a constructor of commands for one backend, and the ways to run that every such command has. */
import { closeSync, writeSync } from 'node:fs';
import { publicForm, planBytes } from './bytes';
import { systemClock } from './clock';
import type { Command, CommandConstructor } from './command';
import type { Backend } from './contract';
import { CommandUsageError, UnsupportedFeatureError } from './errors';
import { FEATURE_INFO, isFeature } from './features';
import { Run } from './lifecycle';
import { LineIterator, rows } from './lines';
import { CommandWithOptions } from './options';
import { brokenFds, brokenRule, draftText, makeLaunch, type Launch } from './plan';
import type { TextOptions } from './quote';
import { overridingBackend } from './registry';
import { readRunOptions, type Mode, type RunSettings } from './run-options';
import { RunningProcess, type RunningCommand } from './running';
import { isFd } from './setters';
import { copyDraft, type Draft } from './spec';
import { runAndWait } from './sync';
import type { Bytes, CommandResult, Fd } from './types';

const brand = Symbol.for('vircommand.command');
type Caller = (...args: never[]) => unknown;
/** Where a command gets its backend from. */
type Binding = Backend | (() => Backend) | undefined;

const checked = new WeakSet<Backend>();

/** That a backend speaks this version of the contract is checked once. */
function checkBackend(backend: Backend, command: string): Backend {
  if (checked.has(backend)) return backend;
  const wrong = (reason: string): CommandUsageError =>
    new CommandUsageError('bindCommand()', reason, { command, code: 'ERR_COMMAND_CONTRACT' });
  if (typeof backend !== 'object' || backend === null) throw wrong('there is no backend');
  const version: unknown = backend.contract;
  if (version !== 1) throw wrong(`the backend speaks contract ${String(version)}, this core speaks contract 1`);
  if (typeof backend.name !== 'string' || backend.name === '') throw wrong('the backend has no name');
  if (!Array.isArray(backend.features)) throw wrong(`the backend ${backend.name} declares no array of features`);
  const unknown: unknown = backend.features.find((feature) => !isFeature(feature));
  if (unknown !== undefined)
    throw wrong(`the backend ${backend.name} declares the unknown feature '${String(unknown)}'`);
  if (typeof backend.start !== 'function') throw wrong(`the backend ${backend.name} has no start()`);
  checked.add(backend);
  return backend;
}

/** A command: the setters, and the ways to run. */
class BoundCommand extends CommandWithOptions {
  /** A run that is not over. */
  #running = false;
  /** Descriptors of the caller were closed by a run. */
  #spent = false;
  readonly #binding: Binding;

  constructor(binding: Binding, constructor: Caller, program: unknown, args: unknown, options: unknown) {
    super(program);
    this.#binding = binding;
    this.above = constructor;
    if (args !== undefined) this.appendArgs('new Command()', args, constructor);
    if (options !== undefined) this.applyOptions(options, constructor);
    this.above = undefined;
  }

  get [brand](): true {
    return true;
  }

  /** What is needed to run now, or the usage error, thrown. */
  #prepare(
    call: string,
    mode: Mode,
    options: unknown,
    caller: Caller,
  ): { launch: Launch; settings: RunSettings; backend: Backend } {
    const { draft } = this;
    const usage = (where: string, reason: string): CommandUsageError => {
      const error = new CommandUsageError(where, reason, { command: draftText(draft) });
      Error.captureStackTrace(error, caller);
      return error;
    };
    if (this.misuse !== undefined) throw this.misuse;
    const settings = readRunOptions(options, mode);
    if ('wrong' in settings) throw usage(call, settings.wrong);
    const broken = brokenRule(draft, mode, settings) ?? brokenFds(draft);
    if (broken !== undefined) throw usage(broken.call, broken.reason);
    const source =
      overridingBackend() ?? draft.backend ?? (typeof this.#binding === 'function' ? this.#binding() : this.#binding);
    if (source === undefined) {
      throw usage('new Command()', 'has no backend: import Command from a backend package, or give { backend }');
    }
    const backend = checkBackend(source, draftText(draft));
    const launch = makeLaunch(draft, mode, settings);
    const missing = launch.plan.requires.find((feature) => !backend.features.includes(feature));
    if (missing !== undefined) {
      const details = { command: launch.plan.text, backend: backend.name };
      throw new UnsupportedFeatureError(missing, FEATURE_INFO[missing], details);
    }
    return { launch, settings, backend };
  }

  /** One owner at every moment: from here on the descriptors that are to be closed are core's. */
  #claim(call: string, caller: Caller): void {
    const reason = this.#running
      ? 'the command is running already; clone() makes one that may run beside it'
      : this.#spent
        ? 'its descriptors were closed by the run before; such a command runs once'
        : undefined;
    if (reason === undefined) {
      this.#running = true;
      return;
    }
    const error = new CommandUsageError(call, reason, { command: draftText(this.draft) });
    Error.captureStackTrace(error, caller);
    throw error;
  }

  #closeFds(): void {
    for (const { fd, closeInParent } of this.draft.passFds) {
      if (!closeInParent) continue;
      this.#spent = true;
      closeFd(fd);
    }
  }

  async #start(call: string, mode: Mode, options: unknown, caller: Caller): Promise<{ run: Run; launch: Launch }> {
    this.#claim(call, caller);
    let prepared = false;
    try {
      const { launch, settings, backend } = this.#prepare(call, mode, options, caller);
      const run = new Run(launch, settings, backend, backend.clock ?? systemClock, () => {
        this.#running = false;
      });
      prepared = true;
      await run.start();
      return { run, launch };
    } finally {
      if (!prepared) this.#running = false;
      this.#closeFds();
    }
  }

  async run(options?: unknown): Promise<CommandResult> {
    const { run } = await this.#start('run()', 'run', options, this.run);
    return run.done;
  }

  runSync(options?: unknown): CommandResult {
    this.#claim('runSync()', this.runSync);
    try {
      const { launch, settings, backend } = this.#prepare('runSync()', 'runSync', options, this.runSync);
      return runAndWait(launch, settings, backend);
    } finally {
      this.#running = false;
      this.#closeFds();
    }
  }

  async runAsync(options?: unknown): Promise<RunningCommand> {
    const { run, launch } = await this.#start('runAsync()', 'runAsync', options, this.runAsync);
    if (run.handle === undefined) throw new TypeError('a run that started has no handle');
    return new RunningProcess(run, run.handle, launch.plan, {
      stdin: launch.plan.stdin.type === 'pipe' && launch.input === undefined,
      stdout: launch.stdout === 'pipe',
      stderr: launch.stderr === 'pipe',
    });
  }

  runLines(options?: unknown): AsyncIterableIterator<string> {
    return this.#records('runLines()', options, '\n', this.runLines);
  }

  #records(call: string, options: unknown, separator: string, caller: Caller): LineIterator {
    // The program starts with the first next(): what is never iterated never runs.
    return new LineIterator(async () => {
      const { run, launch } = await this.#start(call, 'lines', options, caller);
      return run.lineSource(launch.stderr === 'lines' ? 'stderr' : 'stdout', undefined, separator);
    });
  }

  runRegex(patterns: readonly RegExp[], options?: unknown): AsyncIterableIterator<string[]> {
    const own = patternsOf(patterns);
    if (own === undefined) this.note('runRegex()', 'takes an array of at least one RegExp', this.runRegex);
    const prefix = readRunOptions(options, 'lines');
    const strip = 'wrong' in prefix ? '' : prefix.prefix;
    const take = (line: string): string[] | undefined => {
      const text = strip !== '' && line.startsWith(strip) ? line.slice(strip.length) : line;
      const row: string[] = [];
      for (const pattern of own ?? []) {
        const match = pattern.exec(text);
        if (match === null) return undefined;
        for (const group of match.slice(1)) row.push((group as string | undefined) ?? '');
      }
      return row;
    };
    return rows(this.#records('runRegex()', options, '\n', this.runRegex), take, () => undefined);
  }

  runNul(columns: number, options?: unknown): AsyncIterableIterator<string[]> {
    if (!Number.isSafeInteger(columns) || columns < 1) {
      this.note('runNul()', 'takes the number of columns, 1 or more', this.runNul);
    }
    let row: string[] = [];
    const flush = (): string[] => {
      const full = row;
      row = [];
      return full;
    };
    const take = (field: string): string[] | undefined => (row.push(field) >= columns ? flush() : undefined);
    const records = this.#records('runNul()', options, '\0', this.runNul);
    return rows(records, take, () => (row.length > 0 ? flush() : undefined));
  }

  clone(): BoundCommand {
    const { draft } = this;
    if (draft.passFds.some(({ closeInParent }) => closeInParent)) {
      const error = new CommandUsageError(
        'clone()',
        'a descriptor is to be closed in the parent; only one command can',
        {
          command: draftText(draft),
        },
      );
      Error.captureStackTrace(error, this.clone);
      throw error;
    }
    const copy = new BoundCommand(this.#binding, this.clone, draftProgram(draft), undefined, undefined);
    Object.setPrototypeOf(copy, Object.getPrototypeOf(this) as object);
    Object.assign(copy.draft, copyDraft(draft));
    copy.misuse = this.misuse;
    return copy;
  }

  getArgList(): readonly Bytes[] {
    if (this.misuse !== undefined) throw this.misuse;
    return this.draft.args.map(publicForm);
  }

  override toString(): string {
    return this.toStringFull();
  }

  toStringFull(options: TextOptions = {}): string {
    return this.misuse === undefined ? draftText(this.draft, options) : `<invalid command: ${this.misuse.message}>`;
  }

  writeArgLog(fd: Fd): void {
    if (!isFd(fd)) {
      this.note('writeArgLog()', 'takes a descriptor', this.writeArgLog);
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
      while (line.length > 0) line = line.subarray(writeSync(typeof fd === 'number' ? fd : fd.fd, line));
    } catch {
      // A log that cannot be written must not keep the program from running.
    }
  }
}

const space = Buffer.from(' ');
const shown = ({ content, mask }: Draft['program']): Buffer => planBytes(mask ?? content);
const draftProgram = ({ program }: Draft): Bytes =>
  typeof program.content === 'string' ? program.content : planBytes(program.content);

/** Copies without the flags that make a pattern remember where it stopped. */
function patternsOf(given: unknown): RegExp[] | undefined {
  if (!Array.isArray(given) || given.length === 0) return undefined;
  const patterns = given.filter(
    (pattern): pattern is RegExp => Object.prototype.toString.call(pattern) === '[object RegExp]',
  );
  if (patterns.length !== given.length) return undefined;
  return patterns.map((pattern) => new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')));
}

/** Closes a descriptor that the caller gave away; that it is closed already is no error. */
function closeFd(fd: Fd): void {
  try {
    // A FileHandle must close itself, or it would close the number a second time when it is collected.
    if (typeof fd === 'object' && 'close' in fd && typeof fd.close === 'function') {
      const closing: unknown = fd.close();
      if (closing instanceof Promise) closing.catch(() => undefined);
    } else closeSync(typeof fd === 'number' ? fd : fd.fd);
  } catch {
    // EBADF
  }
}

/**
 * The whole binding of a backend package. A function is called at the first run, so that importing a package never fails.
 *
 * @example
 * ```ts
 * export const Command = bindCommand(() => createSshBackend());
 * ```
 */
export function bindCommand(backend: Backend | (() => Backend)): CommandConstructor {
  return makeConstructor(backend);
}

/** The constructor of commands for a backend, or for none. */
export function makeConstructor(binding: Binding): CommandConstructor {
  let resolved: Backend | undefined = typeof binding === 'function' ? undefined : binding;
  const resolve = typeof binding === 'function' ? (): Backend => (resolved ??= binding()) : binding;
  if (resolved !== undefined) checkBackend(resolved, '');
  class CommandOfBackend extends BoundCommand {
    constructor(program: unknown, args?: unknown, options?: unknown) {
      super(resolve, CommandOfBackend as never, program, args, options);
    }
    static get backend(): Backend | undefined {
      return typeof resolve === 'function' ? resolve() : resolve;
    }
    static override [Symbol.hasInstance](value: unknown): value is Command {
      return typeof value === 'object' && value !== null && Reflect.get(value, brand) === true;
    }
  }
  Object.defineProperty(CommandOfBackend, 'name', { value: 'Command' });
  // The setters' return types follow the streams; a class can say `this` only, so this is the one place that says more.
  return CommandOfBackend as unknown as CommandConstructor;
}
