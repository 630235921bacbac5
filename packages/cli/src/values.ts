/** What stands behind flags: durations, sizes, numbers, lists. Each reader says what it takes when it does not get it. */
import { highestProcessor } from '@vircommand/core/backend';
import { CliError } from './exit-status';

const wrong = (takes: string, given: string): CliError => new CliError(`takes ${takes}, not '${given}'`);

const milliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30s`, `500ms`, `2m`, `1.5h`, `1d`; without a unit seconds, as sleep(1) and timeout(1). In milliseconds. */
export function duration(text: string): number {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d*)?|\.\d+)(ms|[smhd])?$/.exec(text) ?? [];
  const factor = milliseconds[unit];
  if (amount === undefined || factor === undefined) throw wrong('a duration like 30s, 500ms, 2m, 1h or 1d', text);
  return Number(amount) * factor;
}

const powers = ['', 'K', 'M', 'G', 'T', 'P'];

/** `10M` and `10MiB` are 10 × 1024², `10MB` is 10 × 1000², as in GNU's tools. In bytes. */
export function size(text: string): number {
  const [, amount, prefix = '', suffix = ''] = /^(\d+(?:\.\d*)?)([KMGTP]?)(i?B)?$/i.exec(text) ?? [];
  const bytes = Number(amount) * (suffix.toUpperCase() === 'B' ? 1000 : 1024) ** powers.indexOf(prefix.toUpperCase());
  if (amount === undefined || !Number.isSafeInteger(Math.floor(bytes)))
    throw wrong('a size like 4096, 64K or 10M', text);
  return Math.floor(bytes);
}

/** A whole number; whether it is in range is for the call that gets it. */
export function whole(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw wrong('a whole number', text);
  return Number(text);
}

/** As in chmod(1) and umask(1). */
export function octal(text: string): number {
  if (!/^[0-7]{1,4}$/.test(text)) throw wrong('an octal number like 022', text);
  return parseInt(text, 8);
}

/** `a,b,c`; the empty text is the empty list. */
export const list = (text: string): string[] => (text === '' ? [] : text.split(','));

/** `0-3,6`, as taskset(1) and the kernel write it. */
export function processors(text: string): number[] {
  return list(text).flatMap((part) => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === undefined || from > to || to > highestProcessor) throw wrong('processors like 0-3,6', text);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}

/** `NAME=VALUE` in its two parts. */
export function pair(text: string, takes: string): [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw wrong(takes, text);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** One of a few words. */
export function word<Word extends string>(text: string, words: readonly Word[]): Word {
  const found = words.find((candidate) => candidate === text);
  if (found === undefined) throw wrong(`one of ${words.join(', ')}`, text);
  return found;
}

/** `CAP_NET_RAW`, `net_raw` or `cap_net_raw`, by the kernel's name. */
export function capability(text: string): `CAP_${string}` {
  const upper = text.toUpperCase();
  return upper.startsWith('CAP_') ? (upper as `CAP_${string}`) : `CAP_${upper}`;
}
