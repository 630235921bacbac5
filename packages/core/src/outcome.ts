/** The outcome of a run: a result, or an error that has the result. The first cause decides, never the last symptom. */
import { decodeText, tailText } from './capture';
import {
  CommandAbortedError,
  CommandExitError,
  CommandIoError,
  CommandTimeoutError,
  OutputLimitError,
  type CommandError,
} from './errors';
import type { Launch } from './plan';
import type { RunSettings } from './run-options';
import type { CommandResult, ExitStatus } from './types';

/** Why a run ended before its time. */
export type Cause =
  | { readonly kind: 'timeout' }
  | { readonly kind: 'abort'; readonly reason: unknown }
  | { readonly kind: 'limit'; readonly stream: 'stdout' | 'stderr' | 'total'; readonly limit: number }
  | { readonly kind: 'io'; readonly stream: 'stdin' | 'stdout' | 'stderr'; readonly error: unknown };

/** What is known of an output stream at the end. */
interface OutputFacts {
  readonly bytes: Buffer | undefined;
  /** Nothing of it was lost. */
  readonly complete: boolean;
}

/** What is known at the end. */
export interface Facts {
  readonly launch: Launch;
  readonly backend: string;
  readonly pid: number | undefined;
  /** `undefined`: nothing was started, or the program could not be reaped in time. */
  readonly status: ExitStatus | undefined;
  readonly cause: Cause | undefined;
  readonly stdout: OutputFacts;
  readonly stderr: OutputFacts;
  readonly ended: CommandResult['ended'];
  readonly durationMs: number;
}

/** The result of a run, and the error if it is none that the caller accepts. */
export function judge(
  facts: Facts,
  settings: RunSettings,
): { readonly result: CommandResult; readonly error: CommandError | undefined } {
  const result = resultOf(facts, settings);
  return { result, error: failure(result, facts, settings) };
}

function resultOf(facts: Facts, settings: RunSettings): CommandResult {
  const { launch, status, cause } = facts;
  const captured = (name: 'stdout' | 'stderr'): string | Buffer | undefined => {
    const use = launch[name];
    const { bytes, complete } = facts[name];
    if (bytes === undefined || (use !== 'text' && use !== 'bytes')) return undefined;
    if (use === 'bytes' || settings.encoding === 'buffer') return bytes;
    return decodeText(bytes, settings.encoding, !complete);
  };
  return {
    exitCode: status?.exitCode,
    signal: status?.signal,
    coreDumped: status?.coreDumped,
    usage: status?.usage,
    pid: facts.pid,
    // The type parameters of the command say which of these it is; here it is any of them.
    stdout: captured('stdout'),
    stderr: captured('stderr'),
    command: launch.plan.text,
    durationMs: facts.durationMs,
    timedOut: cause?.kind === 'timeout',
    aborted: cause?.kind === 'abort',
    outputComplete: facts.stdout.complete && facts.stderr.complete,
    ended: facts.ended,
  };
}

/** What a command comes to that is not started, since everything is being ended or nobody wants its records. */
export function notStarted(launch: Launch, backend: string, settings: RunSettings): CommandAbortedError {
  const nothing = { bytes: Buffer.alloc(0), complete: true };
  const result = resultOf(
    {
      launch,
      backend,
      pid: undefined,
      status: undefined,
      cause: { kind: 'abort', reason: undefined },
      stdout: nothing,
      stderr: nothing,
      ended: 'none',
      durationMs: 0,
    },
    settings,
  );
  return new CommandAbortedError(undefined, { command: launch.plan.text, backend, result, stderrTail: '' });
}

function failure(result: CommandResult, facts: Facts, settings: RunSettings): CommandError | undefined {
  const { launch, cause } = facts;
  if (cause === undefined && accepted(facts, settings)) return undefined;
  const tail = facts.stderr.bytes ?? (launch.merged ? facts.stdout.bytes : undefined);
  const details = {
    command: launch.plan.text,
    backend: facts.backend,
    result,
    stderrTail: tail === undefined ? '' : tailText(tail, settings.encoding),
  };
  switch (cause?.kind) {
    case 'timeout':
      return new CommandTimeoutError(settings.timeout ?? 0, details);
    case 'abort':
      return new CommandAbortedError(cause.reason, { ...details, cause: cause.reason });
    case 'limit':
      return new OutputLimitError(cause.stream, cause.limit, details);
    case 'io':
      return new CommandIoError(cause.stream, { ...details, cause: cause.error });
    case undefined:
      return new CommandExitError(details);
  }
}

/** `rawStatus()` accepts every end, `check: false` every exit code, but not an end of which nobody knows. */
function accepted({ status, launch }: Facts, { check }: RunSettings): boolean {
  if (status === undefined) return false;
  if (launch.rawStatus) return true;
  return status.signal === undefined && (check ? status.exitCode === 0 : status.exitCode !== undefined);
}
