/** What goes wrong with recordings. Codes are API, messages are not. */
import { printable } from '@vircommand/core/backend';

/** Codes of {@link RecordingError}. */
export type RecordingErrorCode =
  /** `openRecording()` was called in a wrong way. */
  | 'ERR_RECORDING_USAGE'
  /** There is no such file. */
  | 'ERR_RECORDING_MISSING'
  /** No JSON, or JSON that does not follow the schema. */
  | 'ERR_RECORDING_DAMAGED'
  /** JSON of something else. */
  | 'ERR_RECORDING_FOREIGN'
  /** A recording of another version of the format. */
  | 'ERR_RECORDING_VERSION'
  /** A program was run that is not in the recording. */
  | 'ERR_RECORDING_UNKNOWN_CALL'
  /** It is in the recording, and was run more often than recorded. */
  | 'ERR_RECORDING_USED_UP'
  /** The program is in the recording, and was treated in another way: other stdin, another signal or none, output read on. */
  | 'ERR_RECORDING_DIVERGED'
  /** Recorded calls were not made. */
  | 'ERR_RECORDING_UNUSED'
  /** The recording holds something that it must not hold; it was not saved. */
  | 'ERR_RECORDING_SECRET'
  /**
   * Calls differ only by variables whose values are not stored (or may, since one was recorded before), and their programs
   * did different things; it was not saved.
   */
  | 'ERR_RECORDING_AMBIGUOUS'
  /** Programs still run; it was not saved. */
  | 'ERR_RECORDING_RUNNING'
  /** Another process or test wrote the file meanwhile; it was not saved. */
  | 'ERR_RECORDING_CONFLICT'
  /** The file cannot be read or written; the system's error is the `cause`. */
  | 'ERR_RECORDING_FILE';

/**
 * A recording that cannot be used as it is. The message names the file, the line, and how to record anew. If a run meets
 * it, the code under test gets a `CommandStartError` of stage `backend` with the same code, and this is the `cause`.
 */
export class RecordingError extends Error {
  /** The class's name. */
  override readonly name = 'RecordingError';
  /** The recording. */
  readonly file: string;
  /** Of the file, from 1, where there is one to look at. */
  readonly line: number | undefined;

  constructor(
    /** What is wrong. */
    readonly code: RecordingErrorCode,
    message: string,
    where: { readonly file: string; readonly line?: number | undefined; readonly cause?: unknown },
  ) {
    super(printable(message), where.cause === undefined ? undefined : { cause: where.cause });
    this.file = where.file;
    this.line = where.line;
  }
}

/** The environment variable that says what to do with recordings. */
export const modeVariable = 'VIRCOMMAND_RECORD';

/** For the end of a message. */
export const recordAnew = (mode: 'new' | 'update'): string =>
  `To record ${mode === 'new' ? 'what is missing' : 'it anew'}, run the test with ${modeVariable}=${mode} (and without CI).`;
