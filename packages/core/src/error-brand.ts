/**
 * The brand that error classes are recognised by, because two copies of core can meet in one process and their classes
 * are not the same objects.
 */
import { hide } from './plain';

const brand = Symbol.for('vircommand.error');

/** Gives every instance the names of its classes, which is what `instanceof` looks at. */
export function branded(errorClass: abstract new (...args: never[]) => Error, name: string): void {
  const prototype = errorClass.prototype as { [brand]?: readonly string[] };
  const names = [...(prototype[brand] ?? []), name];
  hide(prototype, brand, Object.freeze(names));
  hide(prototype, 'name', name);
  // What is published is minified, and `util.inspect` shows the name of the class.
  hide(errorClass, 'name', name);
}

/** Whether a value is an error of this library, from this or another copy of core. */
function isBranded(value: unknown, name: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const names: unknown = Reflect.get(value, brand);
  return Array.isArray(names) && names.includes(name);
}

/** `instanceof` for a class that is branded itself; a user's subclass goes by its prototype as usual. */
export function hasInstance(errorClass: abstract new (...args: never[]) => unknown, value: unknown): boolean {
  const prototype = errorClass.prototype as { [brand]?: readonly string[] };
  const name = Object.hasOwn(prototype, brand) ? prototype[brand]?.at(-1) : undefined;
  return name === undefined ? Function.prototype[Symbol.hasInstance].call(errorClass, value) : isBranded(value, name);
}
