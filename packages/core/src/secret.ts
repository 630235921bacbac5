/** Values that reach the program and are shown nowhere else. */
import { types } from 'node:util';
import { CommandUsageError } from './errors';
import { describe, hide } from './plain';
import type { Bytes } from './types';

const brand: unique symbol = Symbol.for('vircommand.secret') as never;
const inspect = Symbol.for('nodejs.util.inspect.custom');

/** What a secret shows as. */
export const MASK = '***';

/** Reaches the program; prints as `***` in logs, errors, `toString()`, JSON, `util.inspect` and recordings. */
export interface Secret {
  /** Not enumerable, and the only way to the value: any copy of core can read it. */
  readonly [brand]: () => Bytes;
  /** Never the value. */
  toString(): '***';
  /** Never the value. */
  toJSON(): '***';
}

/**
 * Wraps a value that must not be seen in logs, error messages, `toString()` or recordings.
 *
 * @throws CommandUsageError if it is neither text nor bytes, for instance an unset variable.
 *
 * @example
 * ```ts
 * new Command('curl').addArgPair('--oauth2-bearer', secret(token)).toString();
 * // curl '--oauth2-bearer=***'
 * ```
 */
export function secret(value: string | Uint8Array): Secret {
  const given: unknown = value;
  if (typeof given !== 'string' && !types.isUint8Array(given)) {
    // Without what was given, which may be meant as a secret.
    const reason = `takes a string or a Uint8Array, not ${typeof given === 'object' ? describe(given) : typeof given}`;
    throw new CommandUsageError('secret()', reason, { command: '' });
  }
  const kept: Bytes = typeof given === 'string' ? given : Uint8Array.from(given);
  const mask = (): '***' => MASK;
  const wrapped = Object.create(null) as Secret;
  hide(wrapped, brand, () => kept);
  for (const key of ['toString', 'toJSON', inspect, Symbol.toPrimitive]) hide(wrapped, key, mask);
  hide(wrapped, Symbol.toStringTag, 'Secret');
  return Object.freeze(wrapped);
}

/** Whether a value was made by {@link secret}, in this or another copy of core. */
export function isSecret(value: unknown): value is Secret {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, brand) === 'function';
}

/** The value itself. Only for the way to the program. */
export function revealSecret(value: Secret): Bytes {
  const kept = value[brand]();
  return typeof kept === 'string' || types.isUint8Array(kept) ? kept : String(kept);
}
