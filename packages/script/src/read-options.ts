/** From the options to what core is told: each option is an entry of one table. */
import { fileURLToPath } from 'node:url';
import { inspect, types } from 'node:util';
import {
  CommandUsageError,
  type CommandOptions,
  type RunOptions,
  type StdinOption,
  type StdoutOption,
} from '@vircommand/core';
import {
  isAbortSignal,
  isDelay,
  isOptions,
  isPlain,
  isSecret,
  noObject,
  signalName,
  unknownName,
} from '@vircommand/core/backend';
import { MigrationError } from './migration-error';
import type { ScriptInput, ScriptOptions, ScriptOutput } from './options';
import { OPTIONS } from './refused';

/** The forms of a call. */
export type Form = 'run' | 'runSync' | 'runLines';
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What becomes of the output. */
export interface OutputForm {
  readonly lines: boolean;
  readonly strip: boolean;
  readonly all: boolean;
}
/** One call, as core is told. */
export interface Call extends OutputForm {
  readonly command: CommandOptions;
  readonly run: RunOptions;
  readonly reject: boolean;
}

interface Streams {
  stdin: ScriptInput | undefined;
  stdout: ScriptOutput | undefined;
  stderr: ScriptOutput | undefined;
}

/** What is said so far. Whatever is read again has a property of its own, so that a polluted prototype says nothing. */
class Draft {
  readonly command: Mutable<CommandOptions> = {};
  readonly run: Mutable<RunOptions> = { killOnParentExit: undefined };
  readonly streams: Streams = { stdin: undefined, stdout: undefined, stderr: undefined };
  source: { readonly name: string; readonly option: StdinOption } | undefined;
  env: NonNullable<ScriptOptions['env']> = {};
  encoding: NonNullable<ScriptOptions['encoding']> = 'utf8';
  killAtOnce = false;
  readonly flags = { reject: true, extendEnv: true, all: false, lines: false, stripFinalNewline: true };

  constructor(readonly form: Form) {}

  wrong(reason: string): CommandUsageError {
    return new CommandUsageError(this.form, reason, { command: '' });
  }

  /** Core would say it with its own name of the option, and not before the program is run. */
  must(name: keyof ScriptOptions, is: boolean, kind: string): void {
    if (!is) throw this.wrong(`option '${name}' must be ${kind}`);
  }

  flag(name: keyof Draft['flags'], value: unknown): void {
    this.flags[name] = this.boolean(name, value);
  }

  boolean(name: keyof ScriptOptions, value: unknown): boolean {
    this.must(name, typeof value === 'boolean', 'a boolean');
    return value === true;
  }

  feed(name: string, option: StdinOption): void {
    if (this.source !== undefined)
      throw this.wrong(`options '${this.source.name}' and '${name}' both say what is read`);
    this.source = { name, option };
  }

  stream<K extends keyof Streams>(name: K, value: Streams[K], option: K | 'stdio' = name): void {
    if (this.streams[name] !== undefined)
      throw this.wrong(`options '${name}' and 'stdio' both say where ${name} leads`);
    if (typeof value === 'string') {
      const known = /^(?:pipe|ignore|inherit)$/.test(value);
      if (!known) throw this.wrong(`option '${option}': '${value}' is none of 'pipe', 'ignore', 'inherit'`);
    } else if (typeof value !== 'number') this.file(name, value);
    this.streams[name] = value;
  }

  /** That a stream which is neither a word nor a number is a file, and is no input. */
  private file(name: keyof Streams, value: unknown): void {
    const file = value instanceof URL || (typeof value === 'object' && value !== null && Object.hasOwn(value, 'file'));
    if (file && name !== 'stdin') return;
    const why = file ? 'cannot be a file' : 'cannot be a stream, a function or several';
    const piped = "runAsync() with 'pipe'";
    const alternative = name === 'stdin' ? `{ input } or { inputFile }, or ${piped}` : piped;
    throw new MigrationError(this.form, `option '${name}'`, why, file ? '{ inputFile }' : alternative);
  }
}

/** A path, also as the URL of a file; anything else as it is. */
export function filePath<T>(given: T | URL, what: string, form: Form): T | string {
  if (!(given instanceof URL)) return given;
  try {
    return fileURLToPath(given);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandUsageError(form, `${what} is not the URL of a file: ${reason}`, { command: '' });
  }
}

const milliseconds = 'a number of milliseconds';
type Readers = { readonly [K in keyof ScriptOptions]-?: (value: NonNullable<ScriptOptions[K]>, draft: Draft) => void };
const readers: Readers = {
  reject: (value, draft) => draft.flag('reject', value),
  timeout(value, draft) {
    draft.must('timeout', isDelay(value), `${milliseconds} (0: none)`);
    if (value !== 0) draft.run.timeout = value;
  },
  cancelSignal(value, draft) {
    draft.must('cancelSignal', isAbortSignal(value), 'an AbortSignal: that of an AbortController is its signal');
    if (draft.form === 'runSync') {
      throw draft.wrong("option 'cancelSignal' cannot fire while the thread is blocked; use timeout");
    }
    draft.run.signal = value;
  },
  killSignal(value: unknown, draft) {
    const name = typeof value === 'number' ? signalName(value) : value;
    if (name !== 'SIGTERM' && name !== 'SIGKILL') {
      const alternative = "runAsync() of Command and its kill(signal); 'SIGTERM' and 'SIGKILL' are known here";
      throw new MigrationError(draft.form, `killSignal: ${inspect(value)}`, 'ends nothing for certain', alternative);
    }
    draft.killAtOnce = name === 'SIGKILL';
  },
  forceKillAfterDelay(value, draft) {
    const asked = 'forceKillAfterDelay: false';
    if ((value as number | boolean) === false) {
      throw new MigrationError(draft.form, asked, 'lets a program hold its caller for ever', milliseconds);
    }
    draft.must('forceKillAfterDelay', isDelay(value), milliseconds);
    draft.run.killDelay = value;
  },
  cleanup: (value, draft) => (draft.run.killOnParentExit = draft.boolean('cleanup', value)),
  cwd: (value, { command, form }) => (command.cwd = filePath(value, "option 'cwd'", form)),
  env(value, draft) {
    // With extendEnv it is spread, which takes anything. The environment itself inherits from an object of its own.
    if (typeof value !== 'object' || !(isPlain(value) || value === process.env)) {
      throw draft.wrong("option 'env' must be an object of names and values");
    }
    draft.env = value;
  },
  extendEnv: (value, draft) => draft.flag('extendEnv', value),
  input(value, draft) {
    if (typeof value === 'object' && 'pipe' in value) {
      throw new MigrationError(draft.form, "option 'input'", 'cannot be a stream', "runAsync() with 'pipe'");
    }
    const is = typeof value === 'string' || types.isUint8Array(value) || isSecret(value);
    draft.must('input', is, 'a string, a Uint8Array or a secret()');
    draft.feed('input', { input: value });
  },
  inputFile(value, draft) {
    const file = filePath(value, "option 'inputFile'", draft.form);
    draft.must('inputFile', typeof file === 'string' && file !== '', 'a path or the URL of a file');
    draft.feed('inputFile', { file });
  },
  stdin: (value, draft) => draft.stream('stdin', value),
  stdout: (value, draft) => draft.stream('stdout', value),
  stderr: (value, draft) => draft.stream('stderr', value),
  stdio(value, draft) {
    if (typeof value !== 'string' && !Array.isArray(value)) {
      throw draft.wrong("option 'stdio' must be 'pipe', 'ignore', 'inherit' or an array of three");
    }
    const each: readonly unknown[] = typeof value === 'string' ? [value, value, value] : value;
    // null is left out, as in child_process.
    const [stdin, stdout, stderr, ...more] = each.map((one) => one ?? undefined);
    if (more.length > 0) {
      throw new MigrationError(draft.form, 'stdio of more than three', 'is not known', 'passFd() of Command');
    }
    if (stdin !== undefined) draft.stream('stdin', stdin as ScriptInput, 'stdio');
    if (stdout !== undefined) draft.stream('stdout', stdout as ScriptOutput, 'stdio');
    if (stderr !== undefined) draft.stream('stderr', stderr as ScriptOutput, 'stdio');
  },
  all: (value, draft) => draft.flag('all', value),
  encoding(value, draft) {
    // A pattern would take an array of one for its element.
    const isText = typeof value === 'string';
    if (isText && /^(?:hex|base64|base64url|ascii)$/.test(value)) {
      const alternative = `encoding: 'buffer' and toString('${value}')`;
      throw new MigrationError(draft.form, `encoding: '${value}'`, 'is no text', alternative);
    }
    const is = isText && /^(?:utf8|latin1|utf16le|buffer)$/.test(value);
    draft.must('encoding', is, "'utf8', 'latin1', 'utf16le' or 'buffer'");
    draft.encoding = value;
  },
  lines: (value, draft) => draft.flag('lines', value),
  stripFinalNewline: (value, draft) => draft.flag('stripFinalNewline', value),
  maxBuffer(value, draft) {
    const is = typeof value === 'number' && value >= 0 && (Number.isSafeInteger(value) || value === Infinity);
    draft.must('maxBuffer', is, 'a number of bytes');
    draft.run.outputLimit = value;
  },
  argv0: (value, { command }) => (command.argv0 = value),
  uid: (value, { command }) => (command.uid = value),
  gid: (value, { command }) => (command.gid = value),
};

const isKnown = (name: string): name is keyof ScriptOptions => Object.hasOwn(readers, name);

/** What core is told. */
export function readOptions(given: unknown, form: Form): Call {
  const draft = new Draft(form);
  if (!isOptions(given)) throw draft.wrong(`options ${noObject(given)}`);
  for (const name of Object.keys(given)) {
    const value: unknown = Reflect.get(given, name);
    if (value === undefined) continue;
    if (!isKnown(name)) throw unknownOption(name, draft);
    if (value === null) throw draft.wrong(`option '${name}' must not be null; leave it out`);
    // Of whatever type: wrong values are the reader's to refuse, or core's.
    readers[name](value as never, draft);
  }
  return settle(draft);
}

function unknownOption(name: string, draft: Draft): CommandUsageError {
  const alternative = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
  return alternative === undefined
    ? draft.wrong(unknownName('option', name, Object.keys(readers)))
    : new MigrationError(draft.form, `option '${name}'`, 'has no counterpart of that name', alternative);
}

function settle(draft: Draft): Call {
  const { command, run, streams, flags, form, source, encoding } = draft;
  if (source !== undefined && streams.stdin !== undefined && streams.stdin !== 'pipe') {
    throw draft.wrong(`options '${source.name}' and 'stdin' both say what is read`);
  }
  if (encoding === 'buffer' && (flags.lines || form === 'runLines')) {
    throw draft.wrong("option 'encoding' must be 'utf8', 'latin1' or 'utf16le' for lines");
  }
  if (flags.all && (streams.stdout ?? streams.stderr ?? 'pipe') !== 'pipe') {
    throw draft.wrong("option 'all' needs stdout and stderr as they are, 'pipe'");
  }
  if (form === 'runLines') settleLines(draft);
  else {
    const captured = encoding === 'buffer' ? 'bytes' : 'text';
    command.stdout = outputOption('stdout', draft, captured);
    command.stderr = flags.all ? 'stdout' : outputOption('stderr', draft, captured);
  }
  if (form === 'run') command.asyncIo = true;
  command.stdin = source?.option ?? inputOption(streams.stdin ?? 'ignore');
  if (encoding !== 'buffer') run.encoding = encoding;
  if (draft.killAtOnce) run.killDelay = 0;
  if (form !== 'runSync') run.killOnParentExit ??= true;
  if (!flags.extendEnv) command.env = draft.env;
  else if (Object.keys(draft.env).length > 0) command.env = { ...process.env, ...draft.env };
  const { reject, lines, stripFinalNewline: strip, all } = flags;
  return { command, run, reject, lines, strip, all };
}

/** Lines are read from stdout as they come; the end of stderr is kept for the error. */
function settleLines(draft: Draft): void {
  const { command, streams, flags, run } = draft;
  if (streams.stdout !== undefined || flags.lines || !flags.stripFinalNewline) {
    throw draft.wrong("options 'stdout', 'stdio', 'lines' and 'stripFinalNewline' are not for it");
  }
  if (flags.all) command.stderr = 'stdout';
  else if (streams.stderr !== undefined && streams.stderr !== 'pipe') {
    command.stderr = outputOption('stderr', draft, 'text');
  }
  run.check = flags.reject;
}

function inputOption(given: ScriptInput): StdinOption {
  if (given === 'pipe') return { input: '' };
  return given === 'ignore' ? 'null' : given;
}

function outputOption(
  name: 'stdout' | 'stderr',
  { streams, form }: Pick<Draft, 'streams' | 'form'>,
  captured: 'text' | 'bytes',
): StdoutOption {
  const { [name]: given = 'pipe' } = streams;
  if (given === 'pipe') return captured;
  if (given === 'ignore') return 'null';
  return given instanceof URL ? { file: filePath<string>(given, `option '${name}'`, form) } : given;
}
