/** Binding: a constructor of commands for one backend, and the ways to run that every such command has. */
import { closeSync, writeSync } from 'node:fs';
import { inspect } from 'node:util';
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
import { isFd, type CommandSetters } from './setters';
import { copyDraft, type Draft } from './spec';
import { runAndWait } from './sync';
import type { Bytes, CommandResult, Fd } from './types';

const brand = Symbol.for('vircommand.command');
/** The constructor that the caller called, above which his stack begins. */
type Constructor = CommandSetters['above'];
/** Where a command gets its backend from. */
type Binding = Backend | (() => Backend) | undefined;

const checked = new WeakSet<Backend>();

/** That a backend speaks this version of the contract is checked once; third parties write in JavaScript too. */
function checkBackend(backend: Backend, command: string): Backend {
  if (checked.has(backend)) return backend;
  const read = (key: keyof Backend): unknown => Reflect.get(backend, key);
  const [contract, name, features] = [read('contract'), read('name'), read('features')];
  const unknown = Array.isArray(features) ? features.filter((feature) => !isFeature(feature)) : [];
  const reason =
    contract !== 1
      ? `the backend speaks contract ${inspect(contract)}, this core speaks contract 1`
      : typeof name !== 'string' || name === ''
        ? 'the backend has no name'
        : !Array.isArray(features)
          ? `the backend ${name} declares no array of features`
          : unknown.length > 0
            ? `the backend ${name} declares unknown features: ${inspect(unknown)}`
            : typeof read('start') !== 'function'
              ? `the backend ${name} has no start()`
              : undefined;
  if (reason !== undefined)
    throw new CommandUsageError('bindCommand()', reason, { command, code: 'ERR_COMMAND_CONTRACT' });
  checked.add(backend);
  return backend;
}

interface Prepared {
  readonly launch: Launch;
  readonly settings: RunSettings;
  readonly backend: Backend;
}

/** A command: the setters, and the ways to run. */
class BoundCommand extends CommandWithOptions {
  /** A run that is not over. */
  #running = false;
  /** Descriptors of the caller were closed by a run. */
  #spent = false;
  readonly #binding: Binding;

  constructor(binding: Binding, constructor: Constructor, program: unknown, args: unknown, options: unknown) {
    super(program, constructor);
    this.#binding = binding;
    if (args !== undefined) this.appendArgs('new Command', args);
    if (options !== undefined) this.applyOptions(options);
    this.above = undefined;
  }

  readonly [brand] = true;

  /** What is needed to run now, or the usage error, thrown. */
  #prepare(call: string, mode: Mode, options: unknown): Prepared {
    const { draft } = this;
    if (this.misuse !== undefined) throw this.misuse;
    const settings = readRunOptions(options, mode);
    if ('wrong' in settings) throw this.usageError(call, settings.wrong);
    const broken = brokenRule(draft, mode, settings) ?? brokenFds(draft);
    if (broken !== undefined) throw this.usageError(broken.call, broken.reason, call);
    const source =
      overridingBackend() ?? draft.backend ?? (typeof this.#binding === 'function' ? this.#binding() : this.#binding);
    if (source === undefined) {
      const reason = 'has no backend: import Command from a backend package, or give { backend }';
      throw this.usageError('new Command', reason, call);
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
  #claim(call: string): void {
    if (this.#running) {
      throw this.usageError(call, 'the command is running already; clone() makes one that may run beside it');
    }
    if (this.#spent) {
      throw this.usageError(call, 'its descriptors were closed by the run before; such a command runs once');
    }
    this.#running = true;
  }

  #closeFds(): void {
    for (const { fd, closeInParent } of this.draft.passFds) {
      if (!closeInParent) continue;
      this.#spent = true;
      closeFd(fd);
    }
  }

  async #start(call: string, mode: Mode, options: unknown): Promise<{ run: Run; launch: Launch }> {
    this.#claim(call);
    let prepared = false;
    try {
      const { launch, settings, backend } = this.#prepare(call, mode, options);
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
    const { run } = await this.#start('run', 'run', options);
    return run.done;
  }

  runSync(options?: unknown): CommandResult {
    this.#claim('runSync');
    try {
      const { launch, settings, backend } = this.#prepare('runSync', 'runSync', options);
      return runAndWait(launch, settings, backend);
    } finally {
      this.#running = false;
      this.#closeFds();
    }
  }

  async runAsync(options?: unknown): Promise<RunningCommand> {
    const { run, launch } = await this.#start('runAsync', 'runAsync', options);
    if (run.handle === undefined) throw new TypeError('a run that started has no handle');
    return new RunningProcess(run, run.handle, launch.plan, {
      stdin: launch.plan.stdin.type === 'pipe' && launch.input === undefined,
      stdout: launch.stdout === 'pipe',
      stderr: launch.stderr === 'pipe',
    });
  }

  runLines(options?: unknown): AsyncIterableIterator<string> {
    return this.#records('runLines', options, '\n');
  }

  #records(call: string, options: unknown, separator: string): LineIterator {
    // The program starts with the first next(): what is never iterated never runs.
    return new LineIterator(async () => {
      const { run, launch } = await this.#start(call, 'lines', options);
      return run.lineSource(launch.stderr === 'lines' ? 'stderr' : 'stdout', undefined, separator);
    });
  }

  runRegex(patterns: readonly RegExp[], options?: unknown): AsyncIterableIterator<string[]> {
    const own = patternsOf(patterns);
    if (own === undefined) this.note('runRegex', 'takes an array of at least one RegExp');
    const prefix = readRunOptions(options, 'lines');
    const strip = 'wrong' in prefix ? '' : prefix.prefix;
    const take = (line: string): string[] | undefined => {
      const text = strip !== '' && line.startsWith(strip) ? line.slice(strip.length) : line;
      const row: string[] = [];
      for (const pattern of own ?? []) {
        const match = pattern.exec(text);
        if (match === null) return undefined;
        for (const group of match.slice(1) as (string | undefined)[]) row.push(group ?? '');
      }
      return row;
    };
    return rows(this.#records('runRegex', options, '\n'), take, () => undefined);
  }

  runNul(columns: number, options?: unknown): AsyncIterableIterator<string[]> {
    if (!Number.isSafeInteger(columns) || columns < 1) {
      this.note('runNul', 'takes the number of columns, 1 or more');
    }
    let row: string[] = [];
    const flush = (): string[] => {
      const full = row;
      row = [];
      return full;
    };
    const take = (field: string): string[] | undefined => (row.push(field) >= columns ? flush() : undefined);
    const records = this.#records('runNul', options, '\0');
    return rows(records, take, () => (row.length > 0 ? flush() : undefined));
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
    return this.toStringFull();
  }

  toStringFull(options: TextOptions = {}): string {
    return this.misuse === undefined ? draftText(this.draft, options) : `<invalid command: ${this.misuse.message}>`;
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
      const close = fd.close as () => unknown;
      Promise.resolve(close.call(fd)).catch(() => undefined);
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
      super(resolve, CommandOfBackend as unknown as Constructor, program, args, options);
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
