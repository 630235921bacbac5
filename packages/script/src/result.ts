/** What a call comes to; its type follows from the options. */
import {
  CommandFailedError,
  CommandStartError,
  OutputLimitError,
  type CommandError,
  type CommandOptions,
  type CommandResult,
  type SignalName,
} from '@vircommand/core';
import type { ScriptOptions } from './options';
import type { Call, OutputForm } from './read-options';

type Given<O, K extends keyof ScriptOptions> = K extends keyof O ? O[K] : undefined;
type TextForm<L> = L extends true ? string[] : string;
type CapturedForm<O, E> = E extends 'buffer' ? Buffer : TextForm<Given<O, 'lines'>>;
/** What `'pipe'` comes to. */
type Captured<O> = CapturedForm<O, Given<O, 'encoding'>>;

interface Place {
  readonly stdout: '1';
  readonly stderr: '2';
}
type OfStdio<T, P extends string> = T extends readonly unknown[] ? (P extends keyof T ? T[P] : 'pipe') : T;
/** Where a stream leads: by the option of its name, or by `stdio`. */
type Leads<O, S extends keyof Place> = S extends keyof O
  ? O[S]
  : 'stdio' extends keyof O
    ? OfStdio<O['stdio'], Place[S]>
    : 'pipe';
type OfPlace<O, T> = T extends 'pipe' | null | undefined ? Captured<O> : undefined;
type Apart<O, S extends keyof Place, A> = A extends true ? undefined : OfPlace<O, Leads<O, S>>;
type Together<O, A> = A extends true ? Captured<O> : undefined;

/** What is known of a program that has ended (or of one that could not be started, with `reject: false`). */
export interface ScriptResult<O = ScriptOptions> {
  /** What it wrote, if that is `'pipe'` and not in `all`. */
  readonly stdout: Apart<O, 'stdout', Given<O, 'all'>>;
  /** What it wrote, if that is `'pipe'` and not in `all`. */
  readonly stderr: Apart<O, 'stderr', Given<O, 'all'>>;
  /** With `all: true`: both, in the order in which they were written. */
  readonly all: Together<O, Given<O, 'all'>>;
  /** `undefined`: ended by a signal, or not started. */
  readonly exitCode: number | undefined;
  /** `undefined`: exited by itself, or not started. */
  readonly signal: SignalName | undefined;
  /** Whether `reject: true` would have thrown. */
  readonly failed: boolean;
  /** What it would have thrown. */
  readonly error: CommandError | undefined;
  /** `timeout` came first. */
  readonly timedOut: boolean;
  /** `cancelSignal`, `kill()` or a disposal came first. */
  readonly isCanceled: boolean;
  /** There was more output than `maxBuffer`. */
  readonly isMaxBuffer: boolean;
  /** It was ended by a signal. */
  readonly isTerminated: boolean;
  /** Shell text; secrets as `***`. */
  readonly command: string;
  /** Milliseconds from the call to the end. */
  readonly durationMs: number;
}

type Output = string | string[] | Buffer | undefined;

type Ended = Pick<
  CommandResult,
  'stdout' | 'stderr' | 'exitCode' | 'signal' | 'command' | 'durationMs' | 'timedOut' | 'aborted'
>;

/** A result, known by its class where it is interpolated. */
export class Result {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly all: Output;
  readonly exitCode: number | undefined;
  readonly signal: SignalName | undefined;
  readonly failed: boolean;
  readonly timedOut: boolean;
  readonly isCanceled: boolean;
  readonly isMaxBuffer: boolean;
  readonly isTerminated: boolean;
  readonly command: string;
  readonly durationMs: number;

  constructor(
    result: Ended,
    readonly error: CommandError | undefined,
    form: OutputForm,
  ) {
    const stdout = shaped(result.stdout, form);
    this.stdout = form.all ? undefined : stdout;
    this.stderr = shaped(result.stderr, form);
    this.all = form.all ? stdout : undefined;
    this.exitCode = result.exitCode;
    this.signal = result.signal;
    this.failed = error !== undefined;
    this.timedOut = result.timedOut;
    this.isCanceled = result.aborted;
    this.isMaxBuffer = error instanceof OutputLimitError;
    this.isTerminated = result.signal !== undefined;
    this.command = result.command;
    this.durationMs = result.durationMs;
  }
}

function shaped(output: string | Buffer | undefined, { lines, strip }: OutputForm): Output {
  if (output === undefined) return undefined;
  if (typeof output !== 'string') return strip ? output.subarray(0, output.length - finalNewline(output)) : output;
  if (lines) return linesOf(output, strip);
  return strip ? output.replace(/\r?\n$/, '') : output;
}

function finalNewline(bytes: Buffer): number {
  if (bytes.at(-1) !== 10) return 0;
  return bytes.at(-2) === 13 ? 2 : 1;
}

function linesOf(text: string, strip: boolean): string[] {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  return strip ? lines.map((line) => line.replace(/\r?\n$/, '')) : lines;
}

/** What a failure comes to with `reject: false`; wrong calls stay errors. */
export function failedResult(error: unknown, call: Call): Result {
  if (error instanceof CommandFailedError) return new Result(error.result, error, call);
  if (!(error instanceof CommandStartError)) throw error;
  const { stdout, stderr } = call.command;
  const known = { command: error.command, durationMs: 0, exitCode: undefined, signal: undefined };
  const end = { timedOut: false, aborted: false };
  return new Result({ ...known, ...end, stdout: nothing(stdout), stderr: nothing(stderr) }, error, call);
}

/** What was captured of a program that never ran. */
function nothing(option: CommandOptions['stderr']): string | Buffer | undefined {
  if (option === 'text') return '';
  return option === 'bytes' ? Buffer.alloc(0) : undefined;
}
