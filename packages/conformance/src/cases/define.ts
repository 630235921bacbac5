/** How the files of cases are written: groups, and cases that are run both ways, waiting and blocking. */
import * as assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import type { Command, CommandResult, RunOptions, Sink } from '@vircommand/core';
import type { Feature } from '@vircommand/core/backend';
import type { CaseContext, ConformanceCase, Need } from '../types';

/** Runs a command and waits, in one of the two ways. */
export type RunAndWait = <O extends Sink, E extends Sink>(
  command: Command<O, E>,
  options?: Omit<RunOptions, 'signal'>,
) => Promise<CommandResult<O, E>>;

/** One case as it is written. */
export interface Definition {
  readonly id: string;
  readonly title: string;
  readonly why: string;
  readonly requires?: readonly Feature[];
  readonly needs?: readonly Need[];
  readonly advisory?: boolean;
  /**
   * `true`: also as a synchronous run, with the feature `sync`; `'sync-deadline'`: if bounds are asked for. The twin's id
   * ends in `.sync`.
   */
  readonly twin?: true | 'sync-deadline';
  readonly run: (t: CaseContext, run: RunAndWait) => Promise<void>;
}

interface Defaults {
  readonly requires?: readonly Feature[];
  readonly needs?: readonly Need[];
}

const waiting: RunAndWait = (command, options) => command.run(options);
const blocking: RunAndWait = (command, options) =>
  new Promise((resolve) => {
    resolve(command.runSync(options));
  });

/** The cases of a group, with the group's name before their ids. */
export function group(name: string, defaults: Defaults, definitions: readonly Definition[]): ConformanceCase[] {
  return definitions.flatMap(({ id, title, why, requires = [], needs = [], advisory, twin, run }) => {
    const own: ConformanceCase = {
      id: `${name}.${id}`,
      title,
      why,
      requires: [...new Set([...(defaults.requires ?? []), ...requires])],
      needs: [...new Set([...needs, ...(defaults.needs ?? [])])],
      since: 1,
      ...(advisory === undefined ? {} : { advisory }),
      run: (t) => run(t, waiting),
    };
    if (twin === undefined) return [own];
    const features: Feature[] = twin === 'sync-deadline' ? ['sync-deadline', 'sync'] : ['sync'];
    const sync: ConformanceCase = {
      ...own,
      id: `${own.id}.sync`,
      title: `${title} (synchronous)`,
      requires: [...features, ...own.requires],
      run: (t) => run(t, blocking),
    };
    return [own, sync];
  });
}

/** Parts that are each ended by a NUL byte. */
export function nulParts(text: string): string[] {
  const parts = text.split('\0');
  parts.pop();
  return parts;
}

/** Words of a line. */
export const words = (text: string): string[] => text.trim().split(/\s+/);

/** The programs that an `fds` instruction lists: number to target, without the report program's own file. */
export function parseFds(text: string): Map<number, string> {
  const entries = Array.from(
    text.matchAll(/ (\d+) -> (.*)$/gm),
    ([, fd, target = '']) => [Number(fd), target] as const,
  );
  return new Map(entries.filter(([, target]) => !/report\.(sh|js)$/.test(target)));
}

/** The error that a run must come to. */
export async function rejection<E extends Error>(
  run: Promise<unknown>,
  expected: abstract new (...args: never[]) => E,
): Promise<E> {
  try {
    await run;
  } catch (error) {
    if (error instanceof expected) return error;
    throw new Error(`expected ${expected.name}`, { cause: error });
  }
  throw new Error(`expected ${expected.name}, but it resolved`);
}

/** One line of a stream (or what there is before its end); the rest stays to be read. */
export async function readLine(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  const over = (): boolean => stream.readableEnded || stream.destroyed;
  while (!over()) {
    const chunk = stream.read() as Buffer | null;
    if (chunk === null) {
      await happened(stream, ['readable', 'end', 'close']);
      continue;
    }
    const end = chunk.indexOf('\n');
    if (end < 0) {
      chunks.push(chunk);
      continue;
    }
    chunks.push(chunk.subarray(0, end));
    if (end + 1 < chunk.length) stream.unshift(chunk.subarray(end + 1));
    break;
  }
  return Buffer.concat(chunks).toString();
}

/** Waits for the first of some events. */
async function happened(stream: Readable, events: readonly string[]): Promise<void> {
  let resume = (): void => undefined;
  const first = new Promise<void>((resolve) => {
    resume = resolve;
  });
  for (const event of events) stream.on(event, resume);
  await first;
  for (const event of events) stream.off(event, resume);
}

/** Everything that is left of a stream. */
export async function readRest(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Text that a wrong quoting, splitting or globbing would change. */
export const awkward: readonly string[] = [
  'plain',
  'two words',
  ' leading and trailing ',
  "it's",
  '"double"',
  '$HOME ${HOME} $(exit 7) `exit 7`',
  '* ? [a-z] ~ {a,b}',
  'a;b & c | d > e < f #g !h',
  'back\\slash \\n \\0101',
  'new\nline',
  '\ttab\r',
  '%s %d %%',
  '=',
  'name=value',
];

/** A name that is on a terminal another one, and does more than that. */
export const terminalName = 'conformance\x1b[K\x9b0m\x1b]0;title\x07\r';

/** That an error shows {@link terminalName} with every character of it, and none raw, as Node would print it. */
export function writesOut(error: Error): void {
  assert.ok(error.message.includes(String.raw`conformance\x1b[K\x9b0m\x1b]0;title\x07\r`), error.message);
  assert.doesNotMatch(inspect(error, { depth: 9 }), /[^\P{Cc}\t\n]/u);
}

/**
 * This process in another directory until the case is over: what leads up and down again from one directory leads to the
 * same file from many others.
 */
export function enter(t: CaseContext, directory: string): string {
  if (!isMainThread) t.notChecked('a worker thread cannot change its directory');
  const before = process.cwd();
  process.chdir(directory);
  t.cleanup(() => {
    process.chdir(before);
  });
  return directory;
}

/** Sets variables of this process for the time of a case; `undefined` takes one away. */
export function setVariables(t: CaseContext, variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name];
    const set = (to: string | undefined): void => {
      if (to === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = to;
    };
    t.cleanup(() => set(before));
    set(value);
  }
}

/** A number that no descriptor of this process has, and that none gets soon. */
export function unusedFd(): number {
  try {
    return Math.max(...readdirSync('/proc/self/fd').map(Number)) + 100;
  } catch {
    return 900;
  }
}

/** The flags with which a descriptor of this process was opened (Linux). */
export function fdFlags(fd: number | string): number {
  return Number.parseInt(/^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '0', 8);
}
