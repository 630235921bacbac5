/** The options, under the names that execa has, as far as core can do what they say. */
import type { Arg, Bytes, Secret, TextEncoding } from '@vircommand/core';

/** Where stdin comes from. `'pipe'`: what `input` says, or nothing. A number is a descriptor. */
export type ScriptInput = 'pipe' | 'ignore' | 'inherit' | number;
/** Where output goes. `'pipe'`: into the result. A number is a descriptor; a file is truncated, or appended to. */
export type ScriptOutput =
  'pipe' | 'ignore' | 'inherit' | number | URL | { readonly file: string; readonly append?: boolean | undefined };

/** The options of `run()`, `runSync()`, `runLines()` and `$({ ... })`. Others are refused with a {@link MigrationError}. */
export interface ScriptOptions {
  /** Default `true`: a failure throws core's error. `false`: it is a result with `failed` and `error`. */
  readonly reject?: boolean | undefined;
  /** Milliseconds; 0 or left out: none. The whole tree is ended, not the program alone. */
  readonly timeout?: number | undefined;
  /** Aborting ends the program and what came from it. Not for the synchronous forms. */
  readonly cancelSignal?: AbortSignal | undefined;
  /** `'SIGKILL'`, or 9: at once, without a grace period. Default `'SIGTERM'`. */
  readonly killSignal?: 'SIGTERM' | 'SIGKILL' | 15 | 9 | undefined;
  /** Milliseconds from SIGTERM to SIGKILL. Default 5000. */
  readonly forceKillAfterDelay?: number | undefined;
  /** End the program when this process ends normally. Default `true` where the form is asynchronous. */
  readonly cleanup?: boolean | undefined;
  /** Working directory. Default: that of this process. */
  readonly cwd?: string | URL | undefined;
  /** Variables; `undefined` takes one away. */
  readonly env?: Readonly<Record<string, Arg | undefined>> | undefined;
  /** Default `true`: `env` is added to the environment of this process. `false`: the program gets `env` and nothing else. */
  readonly extendEnv?: boolean | undefined;
  /** What the program reads. */
  readonly input?: Bytes | Secret | undefined;
  /** The file that the program reads. */
  readonly inputFile?: string | URL | undefined;
  /** Default `'ignore'`: nothing to read, also for `$`. */
  readonly stdin?: ScriptInput | undefined;
  /** Default `'pipe'`. */
  readonly stdout?: ScriptOutput | undefined;
  /** Default `'pipe'`. */
  readonly stderr?: ScriptOutput | undefined;
  /** All three in one; `null` or `undefined` in an array: as if left out. */
  readonly stdio?:
    | 'pipe'
    | 'ignore'
    | 'inherit'
    | readonly [
        stdin?: ScriptInput | null | undefined,
        stdout?: ScriptOutput | null | undefined,
        stderr?: ScriptOutput | null | undefined,
      ]
    | undefined;
  /** stderr goes where stdout goes, in the program's order; the result has `all` instead of both. Default `false`. */
  readonly all?: boolean | undefined;
  /** Default `'utf8'`. `'buffer'`: the result has Buffers. */
  readonly encoding?: TextEncoding | 'buffer' | undefined;
  /** The result has arrays of lines. Default `false`. */
  readonly lines?: boolean | undefined;
  /** Take the newline at the end away (with `lines`: of each line). Default `true`. */
  readonly stripFinalNewline?: boolean | undefined;
  /** Bytes of a stream; more of them end the program. Default: what a string can hold. */
  readonly maxBuffer?: number | undefined;
  /** `argv[0]` as the program sees it. */
  readonly argv0?: string | undefined;
  /** User id. */
  readonly uid?: number | undefined;
  /** Group id. */
  readonly gid?: number | undefined;
}

/** The options of `runLines()`: those that say nothing of what is read. */
export type ScriptLineOptions = Omit<ScriptOptions, 'stdout' | 'stdio' | 'lines' | 'stripFinalNewline' | 'encoding'> & {
  /** Default `'utf8'`. */
  readonly encoding?: TextEncoding | undefined;
};
