/** The environment that a command describes: which entries, in which order, and where they come from. */
import { readFileSync } from 'node:fs';
import { joinValues, planBytes, planString, toValue, Unsendable, type Value } from './bytes';
import type { Bytes } from './types';

/** Entries by name. A name that comes again keeps its place and takes the new value. */
export type Environment = ReadonlyMap<string, Value>;

/** Passed by `addEnvPassCommon()` if set, after `LC_ALL=C`; the order is virCommand's. */
const common = [
  'LD_PRELOAD',
  'LD_LIBRARY_PATH',
  'DYLD_INSERT_LIBRARIES',
  'DYLD_FORCE_FLAT_NAMESPACE',
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'TMPDIR',
];

/** Why a name cannot be one of an environment variable, or `undefined` if it can. */
export function badName(name: unknown): string | undefined {
  if (typeof name !== 'string') return 'name must be a string';
  if (name === '') return 'name is empty';
  if (name.includes('=')) return `name '${name}' contains '='`;
  if (name.includes('\0')) return 'name contains a NUL byte';
  return name.isWellFormed() ? undefined : 'name contains a lone surrogate, which UTF-8 cannot express';
}

/** What `addEnvPass(name)` adds: the parent's value now, or nothing. */
export function passed(name: string): [string, Value][] {
  const value = process.env[name];
  if (value === undefined) return [];
  const sendable = toValue(value.includes('\ufffd') ? bytesOf(name, value) : value);
  return sendable instanceof Unsendable ? [] : [[name, sendable]];
}

/** Node shows a value that is not UTF-8 with other characters in it. If it is still that of the start, Linux has its bytes. */
function bytesOf(name: string, value: string): Bytes {
  try {
    const environ = readFileSync('/proc/self/environ');
    const prefix = Buffer.from(`${name}=`);
    for (let at = 0, end = 0; at < environ.length; at = end + 1) {
      end = environ.indexOf(0, at);
      if (end < 0) end = environ.length;
      const entry = environ.subarray(at, end);
      if (!entry.subarray(0, prefix.length).equals(prefix)) continue;
      const bytes = entry.subarray(prefix.length);
      return bytes.toString() === value ? bytes : value;
    }
  } catch {
    // Not Linux, or no /proc.
  }
  return value;
}

/** What `addEnvPassCommon()` adds. */
export function passedCommon(): [string, Value][] {
  return [['LC_ALL', { content: 'C', mask: undefined }], ...common.flatMap(passed)];
}

/** What `addEnvXdg(base)` adds. */
export function xdg(base: Value): [string, Value][] {
  return [
    ['XDG_DATA_HOME', joinValues([base, '/.local/share'])],
    ['XDG_CACHE_HOME', joinValues([base, '/.cache'])],
    ['XDG_CONFIG_HOME', joinValues([base, '/.config'])],
  ];
}

/** Splits `NAME=value`; a name must be text. */
export function splitEntry({ content, mask, ...parts }: Value): [string, Value] | Unsendable {
  const bytes = planBytes(content);
  const at = bytes.indexOf('=');
  if (at < 0) return new Unsendable("has no '='");
  const name = planString(bytes.subarray(0, at));
  const reason = typeof name === 'string' ? badName(name) : 'has a name that is not UTF-8';
  if (typeof name !== 'string' || reason !== undefined) return new Unsendable(reason ?? 'has no name');
  const shown = mask?.startsWith(name + '=') === true ? mask.slice(name.length + 1) : mask;
  return [name, { content: planString(bytes.subarray(at + 1)), mask: shown, ...parts }];
}
