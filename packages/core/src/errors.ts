/** The errors that users meet. Classes and codes are API, messages are not. */
import { branded, hasInstance } from './error-brand';
import type { Feature } from './features';
import { hide, withoutPrototype } from './plain';
import { printable, withoutSequences } from './printable';
import { STAGES, type Stage } from './stages';
import type { CommandResult, SignalName } from './types';

/** Codes of our own: a closed list. A {@link CommandStartError} has the system's name instead (`'ENOENT'`). */
export type ErrorCode =
  | 'ERR_COMMAND_USAGE'
  | 'ERR_COMMAND_UNSUPPORTED'
  | 'ERR_COMMAND_START'
  | 'ERR_COMMAND_EXIT'
  | 'ERR_COMMAND_SIGNAL'
  | 'ERR_COMMAND_TIMEOUT'
  | 'ERR_COMMAND_ABORTED'
  | 'ERR_COMMAND_OUTPUT_LIMIT'
  | 'ERR_COMMAND_IO'
  | 'ERR_COMMAND_CONTRACT';

/** What every error carries besides its message. */
export interface CommandErrorDetails {
  /** Redacted shell text of the command. */
  readonly command: string;
  /** Name of the backend, if one was chosen already. */
  readonly backend?: string | undefined;
  /** What caused it: the error of the system, of a backend or of a hook. */
  readonly cause?: unknown;
}

const longestCommand = 2000;
/** An argument list can be megabytes long; an error must stay readable. */
function abbreviated(command: string): string {
  if (command.length <= longestCommand) return command;
  return `${command.slice(0, longestCommand)}… (${command.length} characters)`;
}

/** The class above all errors of this library. `util.inspect` shows no secret and at most the tail of the output. */
export abstract class CommandError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return hasInstance(this, value);
  }
  static {
    branded(this, 'CommandError');
  }
  /** Ours, closed; a {@link CommandStartError} has the system's name instead, as `node:child_process` does. */
  abstract readonly code: ErrorCode | (string & {});
  /** Redacted shell text of the command, at most 2,000 characters of it. */
  readonly command: string;
  /** Name of the backend; `undefined` if none was chosen yet. */
  readonly backend: string | undefined;

  constructor(message: string, details: CommandErrorDetails) {
    const { command, backend, cause } = withoutPrototype(details);
    super(printable(message), cause === undefined ? undefined : { cause });
    this.command = abbreviated(command);
    this.backend = backend;
  }
}

/** The command was described or run in a wrong way. Nothing was started. The stack points at the wrong call. */
export class CommandUsageError extends CommandError {
  static {
    branded(this, 'CommandUsageError');
  }
  readonly code: 'ERR_COMMAND_USAGE' | 'ERR_COMMAND_CONTRACT';
  /** The call that was wrong, for instance `addEnvString()`. */
  readonly call: string;
  /** What is wrong with the call; control characters are written out. */
  readonly reason: string;

  constructor(
    call: string,
    reason: string,
    details: CommandErrorDetails & { readonly code?: 'ERR_COMMAND_USAGE' | 'ERR_COMMAND_CONTRACT' },
  ) {
    super(`${call}: ${reason}`, details);
    this.code = withoutPrototype(details).code ?? 'ERR_COMMAND_USAGE';
    this.call = call;
    this.reason = printable(reason);
  }
}

/** The command needs something that the backend does not declare. Nothing was started. */
export class UnsupportedFeatureError extends CommandError {
  static {
    branded(this, 'UnsupportedFeatureError');
  }
  readonly code = 'ERR_COMMAND_UNSUPPORTED';
  /** What the command needs and the backend does not declare. */
  readonly feature: Feature;
  /** Backends that have the feature. */
  readonly availableIn: readonly string[];

  constructor(
    feature: Feature,
    info: {
      readonly summary: string;
      readonly availableIn: readonly string[];
      /** Why a better backend was not chosen. */
      readonly whyNotBetter?: string | undefined;
    },
    details: CommandErrorDetails,
    whyNot?: string,
  ) {
    const { backend = '(none)', command } = details;
    const others = info.availableIn.filter((name) => name !== 'mock' && name !== backend);
    let has = 'no backend that starts programs has it yet';
    if (others.length > 0) {
      has = `use the backend ${others.join(' or ')}`;
      if (info.whyNotBetter !== undefined) has += `, which was not taken: ${info.whyNotBetter}`;
    } else if (info.availableIn.includes(backend))
      has = 'it can in other processes: a single executable application has no launcher, for instance';
    const reason = whyNot ?? `The backend ${backend} cannot do '${feature}' (${info.summary}); ${has}`;
    super(`${reason}: ${abbreviated(command)}`, details);
    this.feature = feature;
    this.availableIn = info.availableIn;
  }
}

/** The program could not be started, and no process of it is left. It says which stage of the start failed, and why. */
export class CommandStartError extends CommandError {
  static {
    branded(this, 'CommandStartError');
  }
  /** The step of the start that failed. */
  readonly stage: Stage;
  /** The system's name (`'ENOENT'`), or `ERR_COMMAND_START` if there is none. */
  readonly code: string;
  /** The path that is wrong, where there is one. */
  readonly path: string | undefined;
  /** The system call that failed, where it is known. */
  readonly syscall: string | undefined;
  /** The system's number of the error, negated as Node has it, where there is one. */
  readonly errno: number | undefined;
  /** What failed, without the command; control characters are written out. */
  readonly reason: string;

  constructor(
    stage: Stage,
    reason: string,
    details: CommandErrorDetails & {
      readonly code?: string | undefined;
      readonly path?: string | undefined;
      readonly syscall?: string | undefined;
      readonly errno?: number | undefined;
    },
  ) {
    // The reason of a mock has several lines; the command goes on a line of its own then.
    const separator = reason.includes('\n') ? '\nCommand: ' : ': ';
    const subject = details.command === '' ? '' : separator + abbreviated(details.command);
    super(`Command could not be started, ${STAGES[stage]} failed (stage ${stage}): ${reason}${subject}`, details);
    const { code, path, syscall, errno } = withoutPrototype(details);
    this.stage = stage;
    this.reason = printable(reason);
    this.code = code ?? 'ERR_COMMAND_START';
    this.path = path;
    this.syscall = syscall;
    this.errno = errno;
  }
}

/** The class above all errors after the start: `result` has all that is known until then. */
export abstract class CommandFailedError extends CommandError {
  static {
    branded(this, 'CommandFailedError');
  }
  /** What is known of the run. Not enumerable, so that logs do not contain megabytes of output. */
  declare readonly result: CommandResult;
  /** The end of what the program wrote to stderr (or to stdout, if stderr goes there): at most 8 KiB. */
  declare readonly stderrTail: string;

  constructor(
    what: string,
    details: CommandErrorDetails & { readonly result: CommandResult; readonly stderrTail: string },
  ) {
    const tail = withoutSequences(details.stderrTail).trimEnd();
    const refused = couldNotBeEnded(details.result) ? ', and could not be ended' : '';
    super(`${what}${refused}: ${abbreviated(details.command)}${tail === '' ? '' : `\n${tail}`}`, details);
    hide(this, 'result', details.result);
    hide(this, 'stderrTail', details.stderrTail);
  }
}

/** Whether the program had to be ended and still runs. */
function couldNotBeEnded({ timedOut, aborted, ended, pid, exitCode, signal }: CommandResult): boolean {
  const hadToEnd = (timedOut || aborted) && pid !== undefined;
  return hadToEnd && ended === 'none' && exitCode === undefined && signal === undefined;
}

type FailedDetails = ConstructorParameters<typeof CommandFailedError>[1];

/** The program ended with an exit code or a signal that the caller did not accept. */
export class CommandExitError extends CommandFailedError {
  static {
    branded(this, 'CommandExitError');
  }
  readonly code: 'ERR_COMMAND_EXIT' | 'ERR_COMMAND_SIGNAL';
  /** `undefined` if it was killed by a signal. */
  readonly exitCode: number | undefined;
  /** `undefined` if it ended with an exit code. */
  readonly signal: SignalName | undefined;

  constructor(details: FailedDetails) {
    const { exitCode, signal, coreDumped } = details.result;
    let what = 'Command ended, but its exit status is unknown';
    if (signal !== undefined) what = `Command was killed by ${signal}${coreDumped === true ? ' (core dumped)' : ''}`;
    else if (exitCode !== undefined) what = `Command failed with exit code ${exitCode}`;
    super(what, details);
    this.code = signal === undefined ? 'ERR_COMMAND_EXIT' : 'ERR_COMMAND_SIGNAL';
    this.exitCode = exitCode;
    this.signal = signal;
  }
}

/** The deadline came first, and the program was ended; `result.ended` says how much of its tree. */
export class CommandTimeoutError extends CommandFailedError {
  static {
    branded(this, 'CommandTimeoutError');
  }
  readonly code = 'ERR_COMMAND_TIMEOUT';
  /** The deadline, in milliseconds from the call. */
  readonly timeout: number;

  constructor(timeout: number, details: FailedDetails) {
    super(`Command timed out after ${timeout} ms`, details);
    this.timeout = timeout;
  }
}

/** The caller ended the program by `AbortSignal`, `abort()`, `abortAll()` or disposal. */
export class CommandAbortedError extends CommandFailedError {
  static {
    branded(this, 'CommandAbortedError');
  }
  readonly code = 'ERR_COMMAND_ABORTED';
  /** The reason of the `AbortSignal`. */
  readonly reason: unknown;

  constructor(reason: unknown, details: FailedDetails) {
    super('Command was aborted', details);
    this.reason = reason;
  }
}

/** The program wrote more than may be kept, and was ended. */
export class OutputLimitError extends CommandFailedError {
  static {
    branded(this, 'OutputLimitError');
  }
  readonly code = 'ERR_COMMAND_OUTPUT_LIMIT';
  /** Which limit was exceeded. */
  readonly stream: 'stdout' | 'stderr' | 'total';
  /** Bytes. */
  readonly limit: number;

  constructor(stream: 'stdout' | 'stderr' | 'total', limit: number, details: FailedDetails) {
    const what = stream === 'total' ? 'stdout and stderr' : stream;
    super(`Command wrote more than ${limit} bytes to ${what}`, details);
    this.stream = stream;
    this.limit = limit;
  }
}

/** A pipe to or from the program broke unexpectedly. A program that closes its stdin is no such error. */
export class CommandIoError extends CommandFailedError {
  static {
    branded(this, 'CommandIoError');
  }
  readonly code = 'ERR_COMMAND_IO';
  /** Which pipe broke. */
  readonly stream: 'stdin' | 'stdout' | 'stderr';

  constructor(stream: 'stdin' | 'stdout' | 'stderr', details: FailedDetails) {
    const cause = details.cause instanceof Error ? `: ${details.cause.message}` : '';
    super(`Command's ${stream} broke${cause}`, details);
    this.stream = stream;
  }
}
