/** What stands for an interpolated value: arguments as they are, whatever is in them. */
import { CommandUsageError, type Arg, type Secret } from '@vircommand/core';
import { isSecret } from '@vircommand/core/backend';
import { Result, type ScriptResult } from './result';

/** One value between `${` and `}`. A result stands for its `stdout`. */
export type TemplateItem = string | number | bigint | Uint8Array | Secret | ScriptResult;
/** A value between `${` and `}`. An array is an argument for each item, and none if it is empty. */
export type TemplateValue = TemplateItem | readonly TemplateItem[];

const wrong = (reason: string): CommandUsageError =>
  new CommandUsageError('$', `cannot interpolate ${reason}`, { command: '' });

/** What the program gets for one value. */
export function argumentOf(value: unknown): Arg {
  if (typeof value === 'string' || value instanceof Uint8Array) return value;
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value))) return String(value);
  if (value instanceof Result) {
    if (typeof value.stdout === 'string') return value.stdout;
    throw wrong('a result whose stdout is no text; interpolate the part of it that you mean');
  }
  if (typeof value !== 'object' || value === null) {
    const what = typeof value === 'symbol' || typeof value === 'function' ? `a ${typeof value}` : String(value);
    throw wrong(`${what}; an argument is a string, a finite number, bytes, a secret() or a result`);
  }
  if (isSecret(value)) return value;
  if (typeof Reflect.get(value, 'then') === 'function') throw wrong('a promise; await it first');
  if (Array.isArray(value)) throw wrong('an array in an array; flat() makes it one');
  throw wrong('an object; interpolate the property that you mean');
}
