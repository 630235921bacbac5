/** How the files of cases are written: groups, and cases that are run both ways, waiting and blocking. */
import type { Command, CommandResult, RunOptions, Sink } from '@vircommand/core';
import type { Feature } from '@vircommand/core/backend';
import type { CaseContext, ConformanceCase, Need } from '../types';

/** Runs a command and waits, in one of the two ways. */
export type RunAndWait = <O extends Sink, E extends Sink>(
  command: Command<O, E>,
  options?: Omit<RunOptions, 'signal'>,
) => Promise<CommandResult<O, E>>;

interface Definition {
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
  run(t: CaseContext, run: RunAndWait): Promise<void>;
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
      requires: [...new Set([...requires, ...(defaults.requires ?? [])])],
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
