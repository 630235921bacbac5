/**
 * What all copies of core in a process share, under one global symbol: the running commands, and the backends that tests
 * put in the place of the real ones.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { checkBackend } from './check-backend';
import type { Backend } from './contract';
import { CommandUsageError } from './errors';
import { realTime } from './real-time';
import { readKillDelay } from './run-options';
import { beginStackAt, siteOf } from './site';

/** A running command, as another copy of core may see it. */
export interface Abortable {
  abort(options?: { readonly killDelay?: number | undefined }): Promise<void>;
}

interface Shared {
  readonly running: Set<Abortable>;
  /** Calls of `abortAll()` that are under way. A copy of core that does not know it leaves it out. */
  aborting?: number | undefined;
  /** The last one is in force. */
  readonly overrides: { readonly backend: Backend }[];
  /** Made with the first `withBackend()`: programs that do not use it do not pay for it. */
  local: AsyncLocalStorage<Backend> | undefined;
}

const key = Symbol.for('vircommand.registry');
const holder: { [key]?: Shared | undefined } & object = globalThis;
const shared: Shared = (holder[key] ??= { running: new Set(), overrides: [], local: undefined });

/** Notes a command that runs. */
export function register(command: Abortable): void {
  shared.running.add(command);
}

/** Forgets a command that is over. */
export function unregister(command: Abortable): void {
  shared.running.delete(command);
}

/** Whether everything is being aborted, so that nothing new may start. */
export function abortingAll(): boolean {
  return (shared.aborting ?? 0) > 0;
}

/**
 * Aborts every command that runs in this thread (of all copies of core; not daemons), newest first; resolves when all are
 * reaped. Until then nothing new is started: `run()` and the like reject with `CommandAbortedError`, so that code that
 * restarts its programs does not keep this from finishing. It installs no signal handlers: an application calls it where it
 * shuts down.
 *
 * @param options - `killDelay`: milliseconds from SIGTERM to SIGKILL; default: that of each run.
 * @throws CommandUsageError, as a rejection, if `options` are wrong: then nothing was done.
 *
 * @example
 * ```ts
 * process.once('SIGTERM', () => void abortAll({ killDelay: 500 }).then(() => process.exit(143)));
 * ```
 */
export async function abortAll(options?: { readonly killDelay?: number | undefined }): Promise<void> {
  const read = readKillDelay(options);
  if ('wrong' in read) {
    throw beginStackAt(new CommandUsageError('abortAll()', read.wrong, { command: '' }), siteOf(abortAll));
  }
  shared.aborting = (shared.aborting ?? 0) + 1;
  try {
    do {
      const newestFirst = Array.from(shared.running).reverse();
      await Promise.all(newestFirst.map((command) => command.abort(read)));
      // Code that waited for these commands runs before this is over.
      await new Promise<void>(realTime.nextTurn);
    } while (shared.running.size > 0);
  } finally {
    shared.aborting--;
  }
}

/**
 * Makes every Command of every package use `backend` until the returned object is disposed, whatever backend the Command was
 * bound to: for tests of code that imports `Command` from anywhere. Overrides stack up; the last one that is not disposed
 * counts. virCommand's counterpart is `virCommandSetDryRun`.
 *
 * @throws CommandUsageError, `ERR_COMMAND_CONTRACT`, if it is no backend of this contract.
 *
 * @example
 * ```ts
 * using override = overrideBackend(mock);
 * await codeUnderTest();
 * ```
 */
export function overrideBackend(backend: Backend): Disposable {
  checkBackend(backend, 'overrideBackend()');
  // Every call has an entry of its own, so that disposing twice, or in another order, ends no other override.
  const entry = { backend };
  shared.overrides.push(entry);
  return {
    [Symbol.dispose]: () => {
      const at = shared.overrides.indexOf(entry);
      if (at >= 0) shared.overrides.splice(at, 1);
    },
  };
}

/**
 * As {@link overrideBackend}, but only for what `fn` calls, even after an await: for tests that run at the same time.
 *
 * @throws CommandUsageError, `ERR_COMMAND_CONTRACT`, if it is no backend of this contract.
 *
 * @example
 * ```ts
 * await withBackend(mock, () => codeUnderTest());
 * ```
 */
export function withBackend<T>(backend: Backend, fn: () => T): T {
  checkBackend(backend, 'withBackend()');
  shared.local ??= new AsyncLocalStorage<Backend>();
  return shared.local.run(backend, fn);
}

/** The backend that tests put in force here, if any. */
export function overridingBackend(): Backend | undefined {
  return shared.local?.getStore() ?? shared.overrides.at(-1)?.backend;
}
