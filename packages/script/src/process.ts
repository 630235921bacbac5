/** A program that runs: a promise of its result, and the means to end it. */
import { inspect } from 'node:util';
import { CommandUsageError, type Command, type RunningCommand, type SignalName } from '@vircommand/core';
import { signalName, signalNumber, withoutPrototype } from '@vircommand/core/backend';
import { MigrationError } from './migration-error';
import type { ScriptOptions } from './options';
import type { Call } from './read-options';
import { MEMBERS } from './refused';
import { Result, failedResult, type ScriptResult } from './result';

/**
 * A promise of the result. The program runs from the call on, whether the promise is awaited or not.
 *
 * @example
 * ```ts
 * const sleeping = $`sleep 60`;
 * sleeping.kill();
 * await sleeping; // CommandAbortedError
 * ```
 */
export interface ScriptProcess<O = ScriptOptions> extends Promise<ScriptResult<O>>, AsyncDisposable {
  /** `undefined` until the program has started, and on a backend without local pids. */
  readonly pid: number | undefined;
  /**
   * Without a signal: ends the program and what came from it, SIGKILL after `forceKillAfterDelay`; the promise rejects
   * with `CommandAbortedError`. With one, by name or number: sends it to the program, once. `false` if it is over.
   *
   * @throws CommandUsageError for a signal that this platform does not know.
   */
  kill(signal?: SignalName | number): boolean;
  /** As `kill()`; resolves when the program is reaped. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A descriptor with a prototype would take what a polluted one holds. */
const define = (target: object, key: string | symbol, descriptor: PropertyDescriptor): unknown =>
  Object.defineProperty(target, key, withoutPrototype(descriptor));

function refusal(name: string, alternative: string): PropertyDescriptor {
  return {
    get: () => {
      throw new MigrationError('$', `'${name}' of what is running`, 'does not exist', alternative);
    },
  };
}

/** What others have there. A promise like any other besides: `await` and `instanceof` take it for one. */
const prototype = Object.create(Promise.prototype, {
  ...Object.fromEntries(Object.entries(MEMBERS).map(([name, alternative]) => [name, refusal(name, alternative)])),
  [Symbol.asyncIterator]: refusal('Symbol.asyncIterator', MEMBERS.iterable ?? ''),
}) as object;

/** Starts a command. */
export function startProcess<O>(command: Command, call: Call): ScriptProcess<O> {
  const starting = command.runAsync(call.run);
  let running: RunningCommand | undefined;
  let over = false;
  const finish = async (): Promise<Result> => {
    try {
      running = await starting;
      return new Result(await running.wait(), undefined, call);
    } catch (error) {
      return failed(error, call);
    } finally {
      over = true;
    }
  };
  const done = finish();
  const kill = (given?: SignalName | number): boolean => {
    const signal = typeof given === 'number' ? signalName(given) : given;
    if (signal !== undefined && signalNumber(signal) === undefined) {
      throw new CommandUsageError('kill()', `there is no signal ${inspect(given)} here`, {
        command: command.toString(),
      });
    }
    if (over) return false;
    if (signal !== undefined && running !== undefined) return running.kill(signal);
    const end = async (): Promise<void> => {
      const started = await starting;
      if (signal === undefined) await started.abort();
      else started.kill(signal);
    };
    // Why it did not start is what the promise says.
    end().catch(() => undefined);
    return true;
  };
  void Object.setPrototypeOf(done, prototype);
  define(done, 'pid', { get: () => running?.pid });
  define(done, 'kill', { value: kill });
  define(done, Symbol.asyncDispose, {
    value: async () => {
      kill();
      await done.then(
        () => undefined,
        () => undefined,
      );
    },
  });
  // The options say which of the possible results it is; here it is any of them.
  return done as Promise<unknown> as ScriptProcess<O>;
}

/** Runs a command to its end, blocking. */
export function runBlocking<O>(command: Command, call: Call): ScriptResult<O> {
  let result;
  try {
    result = new Result(command.runSync(call.run), undefined, call);
  } catch (error) {
    result = failed(error, call);
  }
  return result as unknown as ScriptResult<O>;
}

function failed(error: unknown, call: Call): Result {
  if (call.reject) throw error;
  return failedResult(error, call);
}
