/** What a test sees of the calls that were made. */
import {
  planBytes,
  type LaunchPlan,
  type PlanString,
  type SignalName,
  type SyncRequest,
} from '@vircommand/core/backend';
import type { CallLog } from './engine';

/** One program that was run, or should have been. It fills while the program runs. */
export interface MockCall {
  /** As the command says it; bytes that are no UTF-8 show as U+FFFD, their exact form is in `plan`. */
  readonly program: string;
  /** Without `argv[0]`. Secrets are in plain text: this is for assertions, `text` is for logs. */
  readonly args: readonly string[];
  /** What it was given; `'inherit'`: all that this process has. */
  readonly env: Readonly<Record<string, string>> | 'inherit';
  /** As the command says it. */
  readonly cwd: string | undefined;
  /** What was written to stdin until now. */
  readonly stdin: Buffer;
  /** What was written to further descriptors (`setSendBuffer()`), by their numbers in the program. */
  readonly sendBuffers: Readonly<Record<number, Buffer>>;
  /** The signals that were sent to it. */
  readonly signals: readonly SignalName[];
  /** Redacted shell text. */
  readonly text: string;
  /** What core handed to the backend. */
  readonly plan: LaunchPlan;
}

/** A string of a plan for people and matchers. */
export const shown = (text: PlanString): string => (typeof text === 'string' ? text : planBytes(text).toString('utf8'));

/** Everything is derived when it is asked for: most calls are never looked at. */
export class Call implements MockCall {
  readonly log: CallLog = { stdin: [], sendBuffers: [], signals: [] };
  private argsShown: readonly string[] | undefined;

  /** A synchronous run gives it all its input at once. */
  constructor(
    readonly plan: LaunchPlan,
    request?: SyncRequest,
  ) {
    if (request === undefined) return;
    const { input, sendBuffers } = request;
    if (input !== undefined && input.length > 0) this.log.stdin.push(Uint8Array.from(input));
    this.log.sendBuffers.push(...sendBuffers.map((data) => [Uint8Array.from(data)]));
  }

  get program(): string {
    return shown(this.plan.program);
  }

  get args(): readonly string[] {
    return (this.argsShown ??= this.plan.argv.slice(1).map(shown));
  }

  get env(): Readonly<Record<string, string>> | 'inherit' {
    const { env } = this.plan;
    return env === 'inherit' ? env : Object.fromEntries(env.map(([name, value]) => [name, shown(value)]));
  }

  get cwd(): string | undefined {
    return this.plan.cwd;
  }

  get stdin(): Buffer {
    return Buffer.concat(this.log.stdin);
  }

  get sendBuffers(): Readonly<Record<number, Buffer>> {
    return Object.fromEntries(
      this.plan.sendBuffers.map((fd, index) => [fd, Buffer.concat(this.log.sendBuffers[index] ?? [])]),
    );
  }

  get signals(): readonly SignalName[] {
    return this.log.signals;
  }

  get text(): string {
    return this.plan.text;
  }
}
