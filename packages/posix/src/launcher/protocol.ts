/**
 * What the caller and its launcher tell each other: the order, in a memory file, and reports, a line of JSON each, on a
 * pipe that is closed on exec.
 *
 * The end of the pipe alone means nothing, since a launcher that was killed closes it too: only after the word `exec` it
 * means that the program runs.
 */
import { CommandStartError, withoutPrototype, type LaunchPlan, type Stage } from '@vircommand/core/backend';
import type { DriverName } from '../ffi';
import type { Used } from '../rusage';
import { dataOf, errorWith, type ErrorData } from './thrown';

/** What the launcher does before it becomes the program. By which descriptor it reads this, its argument says. */
export interface Order {
  readonly driver: DriverName;
  /** The file of koffi's addon, which is quicker to load than the package; `undefined`: not known. */
  readonly addon: string | undefined;
  /** How many strings follow the order: the path, then so many of argv, then so many of the environment. */
  readonly argc: number;
  readonly envc: number;
  readonly plan: Pick<LaunchPlan, 'privileged' | 'cwd' | 'daemon' | 'handshake' | 'preExecHook'> & {
    /** Absolute. */
    readonly pidFile: string | undefined;
  };
  /** The program dies with this process, which must still be the launcher's parent then. */
  readonly parent: number | undefined;
  /** Reports are written here. */
  readonly report: number;
  /** One byte: go on. Its end: the caller is gone. */
  readonly go: number;
  /** What becomes 0, 1 and 2, by numbers that the program does not get. */
  readonly stdio: readonly [number, number, number];
  /** What else the program gets, with the numbers that it has there. */
  readonly others: readonly number[];
  /** The caller's soft RLIMIT_NOFILE, which Node raises when it starts. */
  readonly softFiles: number;
}

/** Until exec: the program inherits it, so it is subtracted from its own. */
export type Baseline = Used;

/** A failed start, as JSON. */
export interface Failure extends Omit<ErrorData, 'stack'> {
  readonly stage: Stage;
  /** Its stack leads to where it failed, which may be in a hook. */
  readonly cause: ErrorData | undefined;
}

/** What the launcher says. */
export type Report =
  /** The first word: Node has come up. The number of a daemon is not known otherwise. */
  | { readonly type: 'begun'; readonly pid: number }
  /** All is done but exec; it waits for the byte. */
  | { readonly type: 'held' }
  /** It will not become the program. It waits until the caller has tidied up. */
  | ({ readonly type: 'failed'; readonly pidFile: boolean } & Failure)
  /** The very next thing is exec. */
  | { readonly type: 'exec'; readonly baseline: Baseline }
  /** Exec failed. It waits as above. */
  | { readonly type: 'unexecuted'; readonly errno: number };

/** A report as it is sent. */
export const encodeReport = (report: Report): Buffer => Buffer.from(`${JSON.stringify(report)}\n`);

/** The report of a failed exec, for when there may be no memory to make one: only the number is written into it. */
export class ExecFailure {
  private readonly report = Buffer.from('{"type":"unexecuted","errno":   0}\n');

  bytes(errno: number): Buffer {
    let at = this.report.length - 3;
    for (let rest = errno; rest > 0; rest = Math.floor(rest / 10)) this.report[at--] = 0x30 + (rest % 10);
    return this.report;
  }
}

/** A start error as the launcher sends it. */
export function failureOf(error: CommandStartError): Failure {
  const { stage, reason, errno, syscall, path, cause } = error;
  const code = error.code === 'ERR_COMMAND_START' ? undefined : error.code;
  const sent = cause === undefined ? undefined : dataOf(cause);
  return { stage, message: reason, code, errno, syscall, path, cause: sent };
}

/** The error that it was. */
export function errorOf({ stage, message, code, errno, syscall, path, cause: sent }: Failure): CommandStartError {
  const cause = sent === undefined ? undefined : errorWith(sent);
  return new CommandStartError(stage, message, { command: '', code, errno, syscall, path, cause });
}

/** What is `undefined` is not sent, and must not be what a polluted prototype holds. */
const alone = (_name: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null ? withoutPrototype(value) : value;

/** Takes reports from the bytes of the pipe, wherever they are cut. */
export class ReportReader {
  private rest = '';

  /** The reports that are whole now. */
  take(chunk: Uint8Array): Report[] {
    const lines = (this.rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1')).split(
      '\n',
    );
    this.rest = lines.pop() ?? '';
    return lines.map((line) => JSON.parse(Buffer.from(line, 'latin1').toString(), alone) as Report);
  }
}
