/** Reading what callers hand in: own properties only, once, and plain data only. */
import { inspect, types } from 'node:util';
import type { Fd, PlainData } from './types';

/** Own enumerable properties, read once: what a polluted prototype holds does not count. */
export function ownProperties(given: object): Map<string, unknown> {
  const read = new Map<string, unknown>();
  for (const name of Object.keys(given)) read.set(name, Reflect.get(given, name));
  return read;
}

/** Whether something can be read as options: an object, of a class too, but no list, map, date, signal or promise. */
export const isOptions = (given: unknown): given is object => /^\[object (Object|Module)]$/.test(tagged(given));

const tagged = (given: unknown): string => Object.prototype.toString.call(given);

/** Why something cannot. */
export const noObject = (given: unknown): string => `must be an object, not ${describe(given)}`;

/** One own property of a value from the caller, or `undefined`. */
export function ownProperty(given: unknown, name: string): unknown {
  if (typeof given !== 'object' || given === null || !Object.hasOwn(given, name)) return undefined;
  return Reflect.get(given, name);
}

/**
 * A property of something that may be an instance of a class (a `FileHandle` has its `fd` from there); what every object
 * inherits does not count.
 */
export function member(given: unknown, name: string): unknown {
  if (typeof given !== 'object' || given === null) return undefined;
  for (let at: object = given; ;) {
    const above = Object.getPrototypeOf(at) as object | null;
    if (Object.hasOwn(at, name)) return at === given || !isRootPrototype(at) ? Reflect.get(given, name) : undefined;
    if (above === null) return undefined;
    at = above;
  }
}

/** Whether something is a whole number from 0 to `most`. */
export const isCount = (value: unknown, most = Number.MAX_SAFE_INTEGER): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most;

/** Whether something is a descriptor number, or has one. */
export function isFd(given: unknown): given is Fd {
  const number = typeof given === 'number' ? given : member(given, 'fd');
  if (isCount(number, 0x7fffffff)) return true;
  // What a `FileHandle` has that is closed: whether it still is shows at the start.
  return number === -1 && number !== given;
}

/** The own properties alone, for reading by name where some may be missing. */
export function withoutPrototype<T extends object>(given: T): T {
  return Object.assign(Object.create(null) as T, given);
}

/** Defines a property that is not enumerable. A descriptor with a prototype would take what a polluted one holds. */
export function hide(target: object, key: string | symbol, value: unknown): void {
  Object.defineProperty(
    target,
    key,
    withoutPrototype({ value, enumerable: false, configurable: true, writable: true }),
  );
}

/** What to say of a name that is not known. */
export function unknownName(kind: string, name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return `there is no ${kind} '${name}'${meant === undefined ? '' : `; did you mean '${meant}'?`}`;
}

/** Why what a caller gave is no object, or says more than is listened to, or `undefined`. Nothing is accepted and ignored. */
export function strayName(
  given: unknown,
  known: readonly string[],
  kind: 'option' | 'property' = 'property',
): string | undefined {
  if (given === undefined) return undefined;
  if (!isOptions(given)) return (kind === 'option' ? 'options ' : '') + noObject(given);
  const stray = Array.from(ownProperties(given)).find(([name, value]) => value !== undefined && !known.includes(name));
  return stray === undefined ? undefined : unknownName(kind, stray[0], known);
}

/** Whether it is the `Object.prototype` of some realm. A polluted one gives every object the same names. */
export const isRootPrototype = (link: object): boolean =>
  Object.getPrototypeOf(link) === null && Object.hasOwn(link, 'isPrototypeOf');

/** A plain object of any realm: it inherits from no object of its own. */
export function isPlain(given: object): boolean {
  const prototype = Object.getPrototypeOf(given) as object | null;
  return prototype === null || isRootPrototype(prototype);
}

/** A copy of JSON data, or why it is none. */
export function plainData(given: unknown, depth = 0): { data: PlainData } | { reason: string } {
  if (depth > 100) return { reason: 'is nested too deeply or refers to itself' };
  if (given === null || typeof given === 'boolean' || typeof given === 'string') return { data: given };
  if (typeof given === 'number') return Number.isFinite(given) ? { data: given } : { reason: `holds ${given}` };
  if (Array.isArray(given)) {
    const items: PlainData[] = [];
    for (const item of given) {
      const copy = plainData(item, depth + 1);
      if ('reason' in copy) return copy;
      items.push(copy.data);
    }
    return { data: Object.freeze(items) };
  }
  if (typeof given !== 'object' || types.isProxy(given))
    return { reason: `holds ${describe(given)}, which is no JSON` };
  if (!isPlain(given)) return { reason: 'holds an object of a class' };
  const copy: Record<string, PlainData> = Object.create(null) as Record<string, PlainData>;
  for (const [name, value] of ownProperties(given)) {
    if (value === undefined) continue;
    const item = plainData(value, depth + 1);
    if ('reason' in item) return item;
    copy[name] = item.data;
  }
  return { data: Object.freeze(copy) };
}

/** The known name that is nearest to a mistyped one, for "did you mean". */
function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** How many insertions, deletions and replacements of one character make one text of the other (Levenshtein). */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** For messages: what kind of thing the caller gave. */
export function describe(given: unknown): string {
  if (given === null) return 'null';
  if (given === undefined) return 'undefined';
  if (typeof given === 'function') return 'a function';
  if (typeof given !== 'object') return `the ${typeof given} ${inspect(given)}`;
  const kind = tagged(given).slice(8, -1);
  const shown = kind === 'Object' || kind === 'Array' ? kind.toLowerCase() : kind;
  return `${/^[aeio]/i.test(kind) ? 'an' : 'a'} ${shown}`;
}
