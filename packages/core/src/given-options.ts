/** Options of functions: own properties only, checked, and none is accepted and ignored. */
import * as path from 'node:path';
import { CommandUsageError } from './errors';
import { describe, isOptions, ownProperties, strayName } from './plain';
import { isDelay } from './run-options';

const usage = (call: string, reason: string): Error => new CommandUsageError(call, reason, { command: '' });

/**
 * For backends and what stands beside them: what a caller gave to one call. Every method throws for a value of another kind,
 * and gives `undefined` for what was left out.
 */
export class GivenOptions<Name extends string> {
  private readonly values: ReadonlyMap<string, unknown>;

  /**
   * @param names all that there are
   * @param error what is thrown; default: a CommandUsageError
   */
  constructor(
    private readonly call: string,
    given: unknown,
    names: readonly Name[],
    private readonly error: (call: string, reason: string) => Error = usage,
  ) {
    const wrong = strayName(given, names, 'option');
    if (wrong !== undefined) throw error(call, wrong);
    this.values = isOptions(given) ? ownProperties(given) : new Map();
  }

  /** `true` or `false`. */
  boolean(name: Name): boolean | undefined {
    return this.read(name, (value) => typeof value === 'boolean', 'a boolean');
  }

  /** A string. */
  text(name: Name): string | undefined {
    return this.read(name, (value) => typeof value === 'string', 'a string');
  }

  /** A time that can be waited. */
  milliseconds(name: Name): number | undefined {
    return this.read(name, isDelay, 'a number of milliseconds, 0 or more');
  }

  /** A name would have to be looked for, and a relative path means another file from another directory. */
  absolutePath(name: Name): string | undefined {
    const isAbsolute = (value: unknown): value is string => typeof value === 'string' && path.isAbsolute(value);
    return this.read(name, isAbsolute, 'an absolute path');
  }

  /** One of these words. */
  oneOf<Value extends string>(name: Name, choices: readonly Value[]): Value | undefined {
    const given = this.values.get(name);
    const chosen = choices.find((choice) => choice === given);
    if (chosen !== undefined || given === undefined) return chosen;
    throw this.wrong(name, choices.map((choice) => `'${choice}'`).join(' or '));
  }

  /** For an option that may not be left out. */
  required<Value>(name: Name, value: Value | undefined): Value {
    if (value === undefined) throw this.error(this.call, `option '${name}' is missing`);
    return value;
  }

  /** What `is` holds for; `kind` says what that is. */
  read<Value>(name: Name, is: (value: unknown) => value is Value, kind: string): Value | undefined {
    const value = this.values.get(name);
    if (value === undefined || is(value)) return value;
    throw this.wrong(name, kind);
  }

  private wrong(name: Name, kind: string): Error {
    return this.error(this.call, `option '${name}' must be ${kind}, not ${describe(this.values.get(name))}`);
  }
}
