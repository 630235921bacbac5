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
  /** When it started, in clock ticks since boot. Pids are reused; a pid and a start time together identify a process. */
  readonly start: number;
}

/**
 * Whether `/proc` shows processes under the pids that this process knows them by. The `/proc` of another pid namespace shows
 * strangers under these numbers. Ask each time before pids are taken from it, since it can be mounted anew.
 */
export function procIsOurs(): boolean {
  try {
    return readlinkSync('/proc/self') === String(process.pid);
  } catch {
    return false; // There is none, or this process is not in it.
  }
}

/** The fields of `/proc/PID/stat`, from the state on. */
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
 * Inode of `/proc/PID`. Two processes with the same pid have different ones, and reading it needs no descriptor. `undefined`:
 * there is no such process.
 */
export function inodeOf(pid: number): number | undefined {
  try {
    return statSync(`/proc/${pid}`).ino;
  } catch {
    return undefined;
  }
}

/** The arguments of a process. Empty: they cannot be read, or an exec is under way. */
function commandLine(pid: number | 'self'): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

/** Address of argv; every exec changes it. 0: this user may not see it. */
const placeOfArguments = (pid: number | 'self'): number => Number(statOf(pid)?.[45] ?? 0);

/** Whether a child of ours has executed a program: until then it is a copy of this process, with all its descriptors. */
export function hasExecuted(pid: number): boolean {
  const [own, its] = [commandLine('self'), commandLine(pid)];
  if (own === '' || its === '') return false;
  if (its !== own) return true;
  // It may have executed this very program again.
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

/** The real user of a process, even if it is a zombie; `undefined`: it is gone, or cannot be read. */
export function userOf(pid: number, status = statusOf(pid)): number | undefined {
  const [, user] = /^Uid:\t(\d+)/m.exec(status) ?? [];
  return user === undefined ? undefined : Number(user);
}

/** Whether a process has not ended, and has the user of this process. */
export function isOwn(pid: number): boolean {
  const status = statusOf(pid);
  // An exiting process loses its memory (no VmSize) before it becomes a zombie.
  return /^VmSize:/m.test(status) && userOf(pid, status) === process.getuid?.();
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return ''; // It is gone.
  }
}

/** How long an entry of the table may be used, in milliseconds. */
const validFor = 1000;
/** With fewer pids than this, as in a small namespace, a pid may be reused within that time. */
const enoughNumbers = 32_768;

/** How many pids there are before the kernel reuses them. */
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
 * How many processes and threads this machine has had since boot, as the kernel counts them. NaN: it does not say.
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
  /** {@link countForks} before the last list; NaN: it was not asked. */
  private forks = NaN;

  /**
   * All processes that exist now, and perhaps some that have ended; an entry that is read again later changes in place. Empty:
   * no process can be read, or `/proc` is another pid namespace's.
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
    // Some kernels only pretend to count, and report fewer than exist.
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

  /** The process is gone, so its children have another parent: read them again. */
  private forget(pid: number): void {
    if (!this.entries.delete(pid)) return;
    for (const { pid: child, parent } of this.entries.values()) if (parent === pid) this.read(child);
  }

  /** Ends of pipes, and sockets, of a process, as they were when first asked for; `undefined`: as for {@link pipesOf}. */
  pipesOf(pid: number): readonly string[] | undefined {
    let ends = this.pipes.get(pid);
    if (ends === undefined && (ends = pipesOf(pid)) !== undefined) this.pipes.set(pid, ends);
    return ends;
  }

  /** Whether the entry is there, and its parent is still the same. */
  private isCurrent(pid: number): boolean {
    const entry = this.entries.get(pid);
    if (entry === undefined) return false;
    const parent = this.entries.get(entry.parent);
    return entry.parent === 0 || (parent !== undefined && parent.start <= entry.start);
  }
}

let table: WeakRef<ProcessTable> | undefined;

/** The table of this thread. It is held weakly, so the garbage collector may take it between two ends. */
export function processTable(): ProcessTable {
  let found = table?.deref();
  if (found === undefined) table = new WeakRef((found = new ProcessTable()));
  return found;
}
