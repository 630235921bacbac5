/**
 * What a tracer or a person can watch: `NODE_DEBUG=vircommand`, and the diagnostics channels `vircommand:start`,
 * `vircommand:exit` and `vircommand:error`. Nothing secret goes there.
 */
import type { Channel } from 'node:diagnostics_channel';
import { debuglog, format } from 'node:util';
import { printableLine } from './printable';
import type { CommandResult } from './types';

/** Published on `vircommand:start`, when a program runs. */
export interface StartEvent {
  /** Redacted shell text of the command. */
  readonly command: string;
  /** Name of the backend. */
  readonly backend: string;
  /** `undefined` without feature `local-pid`. */
  readonly pid: number | undefined;
}
/** Published on `vircommand:exit`, when a run is over. Output is not part of it. */
export interface ExitEvent extends StartEvent {
  /** The result without the output. */
  readonly result: Omit<CommandResult, 'stdout' | 'stderr'>;
}
/** Published on `vircommand:error`, when a run fails: to start or later. */
export interface ErrorEvent {
  /** Redacted shell text of the command. */
  readonly command: string;
  /** Name of the backend; `undefined` if none was chosen yet. */
  readonly backend: string | undefined;
  /** What the run rejects with. */
  readonly error: Error;
}

const log = debuglog('vircommand');

/** For core and backends: one line of `NODE_DEBUG=vircommand`, of which no terminal acts on anything, and nothing forges another. */
export function logLine(text: string, ...values: unknown[]): void {
  if (log.enabled) log('%s', printableLine(format(text, ...values)));
}

/** Made with the first event: an import need not wait for it. */
let made: Readonly<Record<'start' | 'exit' | 'error', Channel>> | undefined;
function channels(): NonNullable<typeof made> {
  if (made !== undefined) return made;
  const { channel } = process.getBuiltinModule('node:diagnostics_channel');
  made = {
    start: channel('vircommand:start'),
    exit: channel('vircommand:exit'),
    error: channel('vircommand:error'),
  };
  return made;
}

/** A program runs. */
export function logStart(event: StartEvent): void {
  logLine('start pid %s by %s: %s', event.pid ?? '-', event.backend, event.command);
  const { start } = channels();
  if (start.hasSubscribers) start.publish(event);
}

/** This process is about to become a program, and there is nothing to be told of afterwards. */
export function logExec(command: string, backend: string): void {
  logLine('exec by %s: %s', backend, command);
}

/** A run is over. */
export function logExit(start: StartEvent, result: CommandResult): void {
  if (log.enabled) {
    const how = result.signal ?? (result.exitCode === undefined ? 'end unknown' : `exit code ${result.exitCode}`);
    logLine('%s after %d ms, pid %s: %s', how, Math.round(result.durationMs), start.pid ?? '-', start.command);
  }
  const { exit } = channels();
  if (!exit.hasSubscribers) return;
  const shown: Partial<CommandResult> = { ...result };
  Reflect.deleteProperty(shown, 'stdout');
  Reflect.deleteProperty(shown, 'stderr');
  exit.publish({ ...start, result: shown });
}

/** A run failed. */
export function logError(event: ErrorEvent): void {
  logLine('%s: %s', event.error.name, event.error.message);
  const { error } = channels();
  if (error.hasSubscribers) error.publish(event);
}
