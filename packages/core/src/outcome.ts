/** What a run comes to: a result, or an error with that result in it. The first cause decides, never the last symptom. */
import { decodeText, tailText } from './capture';
import {
  CommandAbortedError,
  CommandExitError,
  CommandIoError,
  CommandTimeoutError,
  OutputLimitError,
  type CommandError,
} from './errors';
import type { Launch, StreamUse } from './plan';
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
  readonly use: StreamUse;
  readonly bytes: Buffer | undefined;
  /** Nothing of it was lost. */
  readonly complete: boolean;
}

/** What is known at the end. */
export interface Facts {
  readonly command: string;
  readonly backend: string;
  readonly pid: number | undefined;
  /** `undefined`: nothing was started, or the program could not be reaped in time. */
  readonly status: ExitStatus | undefined;
  readonly cause: Cause | undefined;
  readonly stdout: OutputFacts;
  readonly stderr: OutputFacts;
  readonly ended: CommandResult['ended'];
  readonly durationMs: number;
  readonly rawStatus: boolean;
  /** stderr goes where stdout goes. */
  readonly merged: boolean;
}

/** The result of a run, and the error if it is none that the caller accepts. */
export function judge(
  facts: Facts,
  settings: RunSettings,
): { readonly result: CommandResult; readonly error: CommandError | undefined } {
  const { status, cause } = facts;
  const captured = ({ use, bytes, complete }: OutputFacts): string | Buffer | undefined => {
    if (bytes === undefined || (use !== 'text' && use !== 'bytes')) return undefined;
    if (use === 'bytes' || settings.encoding === 'buffer') return bytes;
    return decodeText(bytes, settings.encoding, !complete);
  };
  const result: CommandResult = {
    exitCode: status?.exitCode,
    signal: status?.signal,
    coreDumped: status?.coreDumped,
    usage: status?.usage,
    pid: facts.pid,
    // The type parameters of the command say which of these it is; here it is any of them.
    stdout: captured(facts.stdout),
    stderr: captured(facts.stderr),
    command: facts.command,
    durationMs: facts.durationMs,
    timedOut: cause?.kind === 'timeout',
    aborted: cause?.kind === 'abort',
    outputComplete: facts.stdout.complete && facts.stderr.complete,
    ended: facts.ended,
  };
  return { result, error: failure(result, facts, settings) };
}

/** What a command comes to that is not started, since everything is being ended or nobody wants its records. */
export function notStarted(
  { plan, stdout, stderr, rawStatus }: Launch,
  backend: string,
  settings: RunSettings,
): CommandAbortedError {
  const nothing = Buffer.alloc(0);
  const { result } = judge(
    {
      command: plan.text,
      backend,
      pid: undefined,
      status: undefined,
      cause: { kind: 'abort', reason: undefined },
      stdout: { use: stdout, bytes: nothing, complete: true },
      stderr: { use: stderr, bytes: nothing, complete: true },
      ended: 'none',
      durationMs: 0,
      rawStatus,
      merged: plan.stderr.type === 'same-as-stdout',
    },
    settings,
  );
  return new CommandAbortedError(undefined, { command: plan.text, backend, result, stderrTail: '' });
}

function failure(result: CommandResult, facts: Facts, settings: RunSettings): CommandError | undefined {
  const { cause } = facts;
  if (cause === undefined && accepted(facts, settings)) return undefined;
  const tail = facts.stderr.bytes ?? (facts.merged ? facts.stdout.bytes : undefined);
  const details = {
    command: facts.command,
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
function accepted({ status, rawStatus }: Facts, { check }: RunSettings): boolean {
  if (status === undefined) return false;
  if (rawStatus) return true;
  return status.signal === undefined && (check ? status.exitCode === 0 : status.exitCode !== undefined);
}
