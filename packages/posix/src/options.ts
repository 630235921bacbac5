/** Options of the functions here: own properties only, checked, and none is accepted and ignored. */
import path from 'node:path';
import { CommandUsageError } from '@vircommand/core';
import { describe, isDelay, isOptions, noObject, ownProperties, unknownName } from '@vircommand/core/backend';

/** What a caller gave to one call. Every method throws CommandUsageError for a value of another kind. */
export class GivenOptions<Name extends string> {
  private readonly values: ReadonlyMap<string, unknown>;

  /**
   * @param names all that there are
   * @throws CommandUsageError
   */
  constructor(
    private readonly call: string,
    given: unknown,
    names: readonly Name[],
  ) {
    if (!isOptions(given)) throw this.usageError(`options ${noObject(given)}`);
    this.values = ownProperties(given);
    const known: readonly string[] = names;
    for (const name of this.values.keys()) {
      if (!known.includes(name)) throw this.usageError(unknownName('option', name, known));
    }
  }

  boolean(name: Name): boolean | undefined {
    return this.read(name, (value) => typeof value === 'boolean', 'a boolean');
  }

  text(name: Name): string | undefined {
    return this.read(name, (value) => typeof value === 'string', 'a string');
  }

  milliseconds(name: Name): number | undefined {
    return this.read(name, isDelay, 'a number of milliseconds, 0 or more');
  }

  /** A name would have to be looked for, and a relative path means another file from another directory. */
  absolutePath(name: Name): string | undefined {
    const isAbsolute = (value: unknown): value is string => typeof value === 'string' && path.isAbsolute(value);
    return this.read(name, isAbsolute, 'an absolute path');
  }

  oneOf<Value extends string>(name: Name, choices: readonly Value[]): Value | undefined {
    const given = this.values.get(name);
    const chosen = choices.find((choice) => choice === given);
    if (chosen !== undefined || given === undefined) return chosen;
    throw this.wrong(name, choices.map((choice) => `'${choice}'`).join(' or '));
  }

  /** For an option that may not be left out. */
  required<Value>(name: Name, value: Value | undefined): Value {
    if (value === undefined) throw this.usageError(`option '${name}' is missing`);
    return value;
  }

  private read<Value>(name: Name, is: (value: unknown) => value is Value, kind: string): Value | undefined {
    const value = this.values.get(name);
    if (value === undefined || is(value)) return value;
    throw this.wrong(name, kind);
  }

  private wrong(name: Name, kind: string): CommandUsageError {
    return this.usageError(`option '${name}' must be ${kind}, not ${describe(this.values.get(name))}`);
  }

  private usageError(reason: string): CommandUsageError {
    return new CommandUsageError(this.call, reason, { command: '' });
  }
}
