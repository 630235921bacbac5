/** The processes of this machine, as Linux's `/proc` shows them. */
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { realTime } from '../real-time';

/** What there is to read of a process. */
export interface ProcessEntry {
  /** Its number. */
  readonly pid: number;
  /** One letter: `R`, `S`, `T` for stopped, `Z` for a zombie. */
  readonly state: string;
  /** The number of its parent; 0: it has none here. */
  readonly parent: number;
  /** The number of its process group. */
  readonly group: number;
  /** The number of its session. */
  readonly session: number;
  /** How many threads it has. */
  readonly threads: number;
  /** In clock ticks since boot: with the pid it names a process for good, since numbers are used again. */
  readonly start: number;
}

/**
 * Whether `/proc` shows processes by the numbers that they have for this one. That of another pid namespace has strangers by
 * them. Asked whenever numbers are taken from it: it can be mounted anew.
 */
export function procIsOurs(): boolean {
  try {
    return readlinkSync('/proc/self') === String(process.pid);
  } catch {
    return false; // There is none, or this process is not in it.
  }
}

/** What `/proc` says of it, from its state on. */
function statOf(pid: number | 'self'): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may hold spaces and parentheses itself.
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined; // It ended meanwhile, no descriptor is free to read it with, or there is no /proc.
  }
}

/** What Linux's `/proc` says of a process. `undefined`: there is none, it cannot be read, or there is no `/proc`. */
export function readEntry(pid: number): ProcessEntry | undefined {
  const fields = statOf(pid);
  if (fields === undefined) return undefined;
  const [state = '', parent, group, session] = fields;
  return {
    pid,
    state,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    threads: Number(fields[17]),
    start: Number(fields[19]),
  };
}

/**
 * Inode of `/proc/PID`: differs between two processes with one pid, and needs no descriptor to read. `undefined`: there is no
 * such process.
 */
export function inodeOf(pid: number): number | undefined {
  try {
    return statSync(`/proc/${pid}`).ino;
  } catch {
    return undefined;
  }
}

/** Empty: it cannot be read, or an exec is under way. */
function commandLine(pid: number | 'self'): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

/** Address of argv; every exec changes it. 0: this user may not see it. */
const placeOfArguments = (pid: number | 'self'): number => Number(statOf(pid)?.[45] ?? 0);

/** Whether a child of ours is more than a copy of this process, so that its exec has closed what it had of ours. */
export function hasExecuted(pid: number): boolean {
  const [own, its] = [commandLine('self'), commandLine(pid)];
  if (own === '' || its === '') return false;
  if (its !== own) return true;
  // It may have executed the same once more.
  const place = placeOfArguments(pid);
  return place !== 0 && place !== placeOfArguments('self');
}

/** How {@link pipesOf} names an end of a pipe (of pipe(2)), by its inode. Both ends have the same. */
export const pipeEnd = (inode: bigint | string, isWritten: boolean): string =>
  `pipe:[${inode}] ${isWritten ? 'w' : 'r'}`;

/** Ends of pipes, and sockets, behind some descriptors of a process; default: all. `undefined`: they cannot be listed. */
export function pipesOf(pid: number, fds?: readonly (number | string)[]): string[] | undefined {
  let all: readonly (number | string)[];
  try {
    all = fds ?? readdirSync(`/proc/${pid}/fd`);
  } catch {
    return undefined;
  }
  return all.flatMap((fd) => {
    try {
      const file = `/proc/${pid}/fd/${fd}`;
      const link = readlinkSync(file);
      if (link.startsWith('socket:')) return [link];
      const [, inode] = /^pipe:\[(\d+)\]$/.exec(link) ?? [];
      // Which end it is, the permissions say.
      return inode === undefined ? [] : [pipeEnd(inode, (lstatSync(file).mode & 0o200) !== 0)];
    } catch {
      return [];
    }
  });
}

/** Its real user, who started it, also if it is a zombie; `undefined`: it is gone, or cannot be read. */
export function userOf(pid: number, status = statusOf(pid)): number | undefined {
  const [, user] = /^Uid:\t(\d+)/m.exec(status) ?? [];
  return user === undefined ? undefined : Number(user);
}

/** Whether it has not ended, and the user of this process started it. */
export function isOwn(pid: number): boolean {
  const status = statusOf(pid);
  // Who ends gives up his memory first.
  return /^VmSize:/m.test(status) && userOf(pid, status) === process.getuid?.();
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return ''; // It is gone.
  }
}

/** How long what was read of a process is good for who looks for descendants, in milliseconds. */
const validFor = 1000;
/** Fewer numbers than this can go round within that time, as in a namespace that has few. */
const enoughNumbers = 32_768;

/** How many numbers the kernel gives before they go round. */
function numbers(): number {
  try {
    return Number(readFileSync('/proc/sys/kernel/pid_max', 'latin1'));
  } catch {
    return 0;
  }
}

/** A list of fewer than this is as quick as the question whether there are others. */
const longList = 200;

/**
 * How many processes and threads there have been on this machine since it runs: the kernel counts whom `/proc` shows. NaN: it
 * does not say.
 */
function countForks(): number {
  try {
    return Number(/^processes (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1]);
  } catch {
    return NaN;
  }
}

/** A cache of `/proc` shared by all ends of this thread. It only says which processes to read again. */
class ProcessTable {
  private readonly entries = new Map<number, ProcessEntry>();
  private readonly pipes = new Map<number, readonly string[]>();
  private readAt = -Infinity;
  /** Before they were listed; NaN: that was not asked. */
  private forks = NaN;

  /**
   * Everybody who is there now, and perhaps some who are not any more; who is read meanwhile is as he was read. Empty: nobody
   * can be read, or all are strangers.
   */
  update(): ReadonlyMap<number, ProcessEntry> {
    const { entries } = this;
    if (!procIsOurs()) {
      entries.clear();
      return entries;
    }
    const now = realTime.now();
    const expired = now - this.readAt > validFor;
    const forks = entries.size < longList ? NaN : countForks();
    // A kernel that only pretends to count says less than there are.
    if (!expired && forks === this.forks && forks >= entries.size) return entries;
    if (expired || numbers() < enoughNumbers) {
      entries.clear();
      this.readAt = now;
    }
    this.forks = forks;
    this.list();
    return entries;
  }

  private list(): void {
    const { entries, pipes } = this;
    let names: string[];
    try {
      names = readdirSync('/proc');
    } catch {
      entries.clear();
      return;
    }
    const there = new Set(names.map(Number));
    for (const pid of entries.keys()) if (!there.has(pid)) entries.delete(pid);
    for (const pid of pipes.keys()) if (!entries.has(pid)) pipes.delete(pid);
    for (const pid of there) if (!Number.isNaN(pid) && !this.isCurrent(pid)) this.read(pid);
  }

  /** As it is now. `undefined`: it is gone, or cannot be read. */
  read(pid: number): ProcessEntry | undefined {
    const entry = readEntry(pid);
    if (entry === undefined) this.forget(pid);
    else this.entries.set(pid, entry);
    return entry;
  }

  /** It is gone, so that its children have another parent. */
  private forget(pid: number): void {
    if (!this.entries.delete(pid)) return;
    for (const { pid: child, parent } of this.entries.values()) if (parent === pid) this.read(child);
  }

  /** Ends of pipes, and sockets, that a process has, or had since it was read; `undefined`: as for {@link pipesOf}. */
  pipesOf(pid: number): readonly string[] | undefined {
    let ends = this.pipes.get(pid);
    if (ends === undefined && (ends = pipesOf(pid)) !== undefined) this.pipes.set(pid, ends);
    return ends;
  }

  /** Whether it was read, and nobody has adopted it since. */
  private isCurrent(pid: number): boolean {
    const entry = this.entries.get(pid);
    if (entry === undefined) return false;
    const parent = this.entries.get(entry.parent);
    return entry.parent === 0 || (parent !== undefined && parent.start <= entry.start);
  }
}

let table: WeakRef<ProcessTable> | undefined;

/** The one of this thread, which is not kept for long. */
export function processTable(): ProcessTable {
  let found = table?.deref();
  if (found === undefined) table = new WeakRef((found = new ProcessTable()));
  return found;
}
