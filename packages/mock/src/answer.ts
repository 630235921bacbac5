/** What a fake program does: as a test says it, and as the engine performs it. */
import { constants } from 'node:os';
import { getSystemErrorMap, types } from 'node:util';
import type { Bytes } from '@vircommand/core';
import {
  signalNumber,
  startError,
  STAGES,
  type CommandStartError,
  type ExitStatus,
  type ResourceUsage,
  type SignalName,
  type Stage,
} from '@vircommand/core/backend';
import { usage } from './errors';
import { untrappable } from './signals';

/** Output at a time of the program's life. */
export interface Chunk {
  /** Milliseconds since the start. Default: the time of the chunk before, or 0. */
  readonly at?: number | undefined;
  /** What it writes to stdout. */
  readonly stdout?: Bytes | undefined;
  /** What it writes to stderr. */
  readonly stderr?: Bytes | undefined;
}

/** How a start fails. */
export interface StartFailure {
  /** The stage of the {@link CommandStartError}. */
  readonly stage: Stage;
  /** The system's name of the error, for instance `'ENOENT'`. */
  readonly code: string;
  /** The path that is wrong. */
  readonly path?: string | undefined;
  /** Default: what the system says about the code. */
  readonly reason?: string | undefined;
  /** The system call that fails. */
  readonly syscall?: string | undefined;
}

/** What a program does about a signal that would end it. */
export type SignalReaction =
  | 'ignore'
  /** Ends so many milliseconds later: with this exit code, or else by the signal. */
  | { readonly after: number; readonly exitCode?: number | undefined };

/** What a program does; `{}` is a program that does nothing and exits with 0. */
export interface Answer {
  /** Written at the start. */
  readonly stdout?: Bytes | undefined;
  /** Written at the start. */
  readonly stderr?: Bytes | undefined;
  /** More output, over time; it comes after `stdout` and `stderr`. */
  readonly chunks?: readonly Chunk[] | undefined;
  /** Default 0. */
  readonly exitCode?: number | undefined;
  /** It dies by this signal, without anybody sending it. */
  readonly signal?: SignalName | undefined;
  /** Only with `signal`. Default `false`. */
  readonly coreDumped?: boolean | undefined;
  /** Default: zeros. */
  readonly usage?: Partial<ResourceUsage> | undefined;
  /** It does not start. */
  readonly startError?: StartFailure | undefined;
  /** Milliseconds from the start to the end. Default: the time of the last chunk, or 0. */
  readonly after?: number | undefined;
  /** It never ends by itself. */
  readonly never?: boolean | undefined;
  /** Default: the signal's default action, as in signal(7). */
  readonly onSignal?: Readonly<Partial<Record<SignalName, SignalReaction>>> | undefined;
  /** A process that it leaves behind holds these pipes open, and never writes. */
  readonly heldOpen?: readonly ('stdout' | 'stderr')[] | undefined;
}

export type OutputName = 'stdout' | 'stderr';

/** How a program ended, as far as the answer says it. */
export type Ending = Pick<ExitStatus, 'exitCode' | 'signal'> & {
  readonly coreDumped?: boolean | undefined;
  readonly usage?: Partial<ResourceUsage> | undefined;
};

/** One thing that a program does, or waits for. */
export type Step =
  /** A function is called when it is written: it may depend on what the program has read. */
  | { readonly type: OutputName; readonly data: Uint8Array | (() => Uint8Array); readonly at?: number | undefined }
  | { readonly type: 'exit'; readonly ending: Ending; readonly at?: number | undefined }
  /** Goes on when this signal has come; `missing` is the error when nobody sends it. */
  | {
      readonly type: 'signal';
      readonly name: SignalName;
      readonly reached: 'process' | 'group' | 'tree';
      readonly missing: () => Error;
    }
  /** Goes on when so many bytes have come, or stdin has ended. */
  | { readonly type: 'stdin'; readonly bytes: number }
  /** Goes on when the caller reads this stream no more; `missing` is the error when it reads on, if need be `atOnce`. */
  | {
      readonly type: 'closed';
      readonly stream: OutputName;
      readonly atOnce: boolean;
      readonly missing: () => Error;
    }
  /** Goes on when the caller has said that it may exec. */
  | { readonly type: 'notify' }
  /** Closes a stream: of output, or its stdin. */
  | { readonly type: 'end'; readonly stream: OutputName | 'stdin' }
  /** The backend lost it. */
  | { readonly type: 'lost'; readonly failure: StartFailure };

/** What a program does from its start to its end. */
export interface Part {
  readonly steps: readonly Step[];
  readonly startError?: StartFailure | undefined;
  readonly onSignal?: Answer['onSignal'];
  readonly heldOpen?: readonly OutputName[] | undefined;
  /** All that happened is among the steps: a pipe that nobody reads kills nobody, a daemon does what its steps say. */
  readonly recorded?: boolean | undefined;
  /** Held before exec, step by step: `notify` is one of the steps. */
  readonly handshake?:
    { readonly wait?: StartFailure | undefined; readonly notify?: StartFailure | undefined } | undefined;
  /** After so many bytes of stdin it reads no more, and one of the steps closes it. */
  readonly readsUpTo?: number | undefined;
  /** Looks at what came on stdin until now; the returned error ends the run. */
  readonly checkStdin?: ((stdin: readonly Uint8Array[]) => Error | undefined) | undefined;
  /** Looks, when the program exits, at all that it was given; the returned error takes the place of the exit. */
  readonly checkEnd?: (() => Error | undefined) | undefined;
  /** The error for a signal that no step waits for, where that must not be. */
  readonly refuseSignal?: ((name: SignalName) => Error) | undefined;
  /** A program written in JavaScript. */
  readonly body?: ((process: BodyHost) => Promise<Ending>) | undefined;
}

/** What {@link Part.body} acts on; the engine's process. */
export interface BodyHost {
  /** `false`: the program is over, whatever it still does is in vain. */
  write(name: OutputName, data: Uint8Array): Promise<boolean>;
  sleep(ms: number): Promise<boolean>;
  /** The next piece of stdin; `undefined`: it has ended. */
  read(): Promise<Uint8Array | undefined>;
  trap(name: SignalName, handler: (() => void) | undefined): void;
}

/** Text as UTF-8, bytes as they are (a copy, because the caller's may change). */
export function toBytes(data: Bytes, call = 'write()'): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, 'utf8');
  if (types.isUint8Array(data)) return Uint8Array.from(data);
  throw usage(call, 'output must be a string or a Uint8Array');
}

const isSignal = (value: unknown): value is SignalName =>
  typeof value === 'string' && signalNumber(value) !== undefined;
const isTime = (value: unknown): value is number => typeof value === 'number' && value >= 0 && Number.isFinite(value);
const isExitCode = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255;
export const isOutput = (value: unknown): value is OutputName => value === 'stdout' || value === 'stderr';
const isData = (value: unknown): boolean => typeof value === 'string' || types.isUint8Array(value);
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** What each field must be. A field that is not here is a spelling mistake. */
const fields: Readonly<Record<keyof Answer, { readonly must: string; readonly holds: (value: unknown) => boolean }>> = {
  stdout: { must: 'be a string or a Uint8Array', holds: isData },
  stderr: { must: 'be a string or a Uint8Array', holds: isData },
  chunks: {
    must: 'be an array of { at, stdout, stderr }, at not before the chunk before',
    holds: (value) => Array.isArray(value) && inOrder(value),
  },
  exitCode: { must: 'be an integer from 0 to 255', holds: isExitCode },
  signal: { must: 'be the name of a signal', holds: isSignal },
  coreDumped: { must: 'be a boolean', holds: (value) => typeof value === 'boolean' },
  usage: { must: 'be an object', holds: isObject },
  startError: {
    must: `have a stage (${Object.keys(STAGES).join(', ')}) and a code`,
    holds: (value) =>
      isObject(value) &&
      Object.hasOwn(STAGES, String(Reflect.get(value, 'stage'))) &&
      typeof Reflect.get(value, 'code') === 'string',
  },
  after: { must: 'be a number of milliseconds, 0 or more', holds: isTime },
  never: { must: 'be a boolean', holds: (value) => typeof value === 'boolean' },
  onSignal: {
    must: `map signals (not ${untrappable.join(', ')}) to 'ignore' or { after, exitCode }`,
    holds: (value) => isObject(value) && Object.entries(value).every(isReaction),
  },
  heldOpen: {
    must: "be an array of 'stdout' and 'stderr'",
    holds: (value) => Array.isArray(value) && value.every(isOutput),
  },
};

function inOrder(chunks: readonly unknown[]): boolean {
  let last = 0;
  return chunks.every((chunk) => {
    if (!isObject(chunk)) return false;
    return Object.entries(chunk).every(([key, value]) => {
      if (value === undefined) return true;
      if (key !== 'at') return isOutput(key) && isData(value);
      if (!isTime(value) || value < last) return false;
      last = value;
      return true;
    });
  });
}

function isReaction([name, reaction]: readonly [string, unknown]): boolean {
  if (!isSignal(name) || untrappable.includes(name)) return false;
  if (reaction === 'ignore' || reaction === undefined) return true;
  return (
    isObject(reaction) &&
    isTime(Reflect.get(reaction, 'after')) &&
    (Reflect.get(reaction, 'exitCode') === undefined || isExitCode(Reflect.get(reaction, 'exitCode')))
  );
}

/** What cannot go together. */
function contradiction(answer: Answer): string | undefined {
  const ends = (['exitCode', 'signal', 'never', 'startError'] as const).filter(
    (key) => answer[key] !== undefined && answer[key] !== false,
  );
  if (ends.length > 1) return `${ends.join(' and ')} contradict each other`;
  const last = answer.chunks?.findLast(({ at }) => at !== undefined)?.at ?? 0;
  if (answer.after !== undefined && answer.after < last)
    return `ends after ${answer.after} ms, its last chunk comes at ${last} ms`;
  if (answer.startError !== undefined && (answer.stdout !== undefined || answer.stderr !== undefined || answer.chunks))
    return 'what does not start writes nothing';
  return undefined;
}

/** Checks an answer and makes it what the engine performs. `call` is what the author of the test called. */
export function compile(answer: Answer, call = 'reply()'): Part {
  if (!isObject(answer)) throw usage(call, 'takes an answer (an object) or a function that gives one');
  for (const [key, value] of Object.entries(answer)) {
    const field = Object.hasOwn(fields, key) ? fields[key as keyof Answer] : undefined;
    if (field === undefined)
      throw usage(call, `there is no '${key}' in an answer; there are ${Object.keys(fields).join(', ')}`);
    if (value !== undefined && !field.holds(value)) throw usage(call, `${key} must ${field.must}`);
  }
  const wrong = contradiction(answer);
  if (wrong !== undefined) throw usage(call, wrong);
  const steps: Step[] = [];
  const write = (type: OutputName, data: Bytes | undefined, at?: number): void => {
    if (data !== undefined && data.length > 0) steps.push({ type, data: toBytes(data, call), at });
  };
  write('stdout', answer.stdout);
  write('stderr', answer.stderr);
  let at = 0;
  for (const chunk of answer.chunks ?? []) {
    at = chunk.at ?? at;
    write('stdout', chunk.stdout, at);
    write('stderr', chunk.stderr, at);
  }
  if (answer.never !== true) {
    const { exitCode, signal, coreDumped, usage: used } = answer;
    const ending = { exitCode: signal === undefined ? (exitCode ?? 0) : undefined, signal, coreDumped, usage: used };
    steps.push({ type: 'exit', ending, at: answer.after ?? at });
  }
  const { startError: failure, onSignal, heldOpen } = answer;
  return { steps, startError: failure, onSignal: onSignal && { ...onSignal }, heldOpen: heldOpen?.slice() };
}

/** The error of a start that a script or a recording says, as the system would say it. */
export function failureOf({ stage, code, path, reason, syscall }: StartFailure): CommandStartError {
  if (code === 'ERR_COMMAND_START') return startError(stage, reason ?? 'said so by the mock', path);
  const { errno: number, text } = systemError(code);
  // Who looks through PATH in vain has no error of the system.
  const errno = stage === 'resolve' && code === 'ENOENT' && syscall === undefined ? undefined : number;
  return startError(stage, Object.assign(new Error(reason ?? `${code}: ${text}`), { code, errno, syscall }), path);
}

/** What the system calls an error, and its number there. */
function systemError(code: string): { readonly errno: number | undefined; readonly text: string } {
  const number = Object.entries(constants.errno).find(([name]) => name === code)?.[1];
  if (number === undefined) return { errno: undefined, text: 'unknown error' };
  return { errno: -number, text: getSystemErrorMap().get(-number)?.[1] ?? 'unknown error' };
}
