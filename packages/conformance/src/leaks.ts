/**
 * What a case must leave as it was: descriptors, children (zombies too), listeners, timers and other handles of the event
 * loop, temporary files, working directory and umask of this process.
 */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { settledTo } from './settled';

/** How often to look whether things have gone away, which is for 2 s at least; only what stays is a leak. */
const patience = 120;

/** The state of this process, as lists of things. */
export interface Snapshot {
  readonly descriptors: readonly string[];
  readonly children: readonly string[];
  readonly listeners: readonly string[];
  readonly handles: readonly string[];
  readonly files: readonly string[];
  readonly process: readonly string[];
}

const attempt = <T>(read: () => T, otherwise: T): T => {
  try {
    return read();
  } catch {
    return otherwise;
  }
};

function descriptors(): string[] {
  return attempt(() => readdirSync('/proc/self/fd'), []).flatMap((fd) => {
    // The one that lists them is gone by now.
    const target = attempt(() => readlinkSync(`/proc/self/fd/${fd}`), undefined);
    return target === undefined ? [] : [`descriptor ${fd} -> ${target}`];
  });
}

/** Pids of our children, zombies included. */
export function children(): number[] {
  return attempt(() => readdirSync('/proc/self/task'), []).flatMap((thread) =>
    attempt(() => readFileSync(`/proc/self/task/${thread}/children`, 'latin1'), '')
      .split(' ')
      .filter((pid) => pid !== '')
      .map(Number),
  );
}

function childState(pid: number): string {
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1'), '');
  const state = text.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3);
  return state === 'Z' ? `zombie ${pid}` : `child ${pid}`;
}

/** Names with a number for each time they come, so that lists can be compared as sets. */
function numbered(names: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name} (${count})`;
  });
}

function listeners(): string[] {
  return process
    .eventNames()
    .flatMap((event) =>
      numbered(Array.from({ length: process.listenerCount(event) }, () => `listener of process '${String(event)}'`)),
    );
}

export function snapshot(tempDirectory: string): Snapshot {
  return {
    descriptors: descriptors(),
    children: children().map(childState),
    listeners: listeners(),
    handles: numbered(process.getActiveResourcesInfo().map((type) => `active ${type}`)),
    files: attempt(() => readdirSync(tempDirectory), []).map((name) => `temporary file ${name}`),
    process: [`working directory ${attempt(() => process.cwd(), '(gone)')}`, `umask ${umaskNow()}`],
  };
}

/** `process.umask()` without an argument is not for worker threads of old versions, and sets it for a moment. */
function umaskNow(): string {
  const status = attempt(() => readFileSync('/proc/self/status', 'latin1'), '');
  return /^Umask:\s*(\d+)/m.exec(status)?.[1] ?? '';
}

/** What is there now that was not there before. */
export function difference(before: Snapshot, after: Snapshot): string[] {
  return (Object.keys(before) as (keyof Snapshot)[]).flatMap((kind) =>
    after[kind].filter((thing) => !before[kind].includes(thing)),
  );
}

/** Waits until everything is as before; what stays is a leak. */
export function leaks(before: Snapshot, tempDirectory: string): Promise<string[]> {
  const left = (): string[] => difference(before, snapshot(tempDirectory));
  return settledTo(left, ({ length }) => length === 0, patience);
}
