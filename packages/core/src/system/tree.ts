/**
 * The descendants of a program, for backends that start programs on this machine. They are found through Linux's `/proc`, even
 * if they have left the process group, the session or their parent. On other systems nothing is found, and `visible` says so.
 */
import { constants } from 'node:os';
import type { Reach } from '../contract';
import { realTime } from '../real-time';
import { hasExecuted, inodeOf, isOwn, pipesOf, processTable, readEntry, userOf, type ProcessEntry } from './processes';

// By number, since Windows has no names for them; nothing is found there.
const { SIGKILL = 9, SIGCONT = 18, SIGSTOP = 19 } = constants.signals as Partial<typeof constants.signals>;

/** How a descendant that was found is recognised, besides by its pid. */
interface Member {
  readonly start: number;
  /** The inode of its directory in `/proc`: used when no descriptor is free to read its start time with. */
  readonly inode: number | undefined;
}

/** What a backend knows of a program whose descendants it wants. */
export interface DescendantsOptions {
  /** The program leads a process group or session of its own. */
  readonly ownGroup: boolean;
  /**
   * The program's ends of the pipes that the backend made, by {@link pipeEnd} or as {@link pipesOf} shows them right after the
   * start (later the program may have replaced them): a process that holds one is a descendant.
   */
  readonly ownPipes: readonly string[];
  /** Sends a signal by number; default `process.kill`. Errors are ignored. */
  readonly send?: ((pid: number, signal: number) => void) | undefined;
}

/** What can be seen of a process that was found. */
type Look = Pick<ProcessEntry, 'state' | 'threads' | 'group'>;
const gone: Look = { state: 'X', threads: 0, group: 0 };
/** The process exists and cannot be read. */
const unread: Look = { state: '', threads: 1, group: 0 };
/** The pid exists and cannot be read: the member, or a stranger with its number. */
const unsure: Look = { ...unread };

/** A process whose main thread has ended looks like a zombie, but lives on as long as it has other threads. */
const alive = ({ state, threads }: Look): boolean => threads > 1 || (state !== 'Z' && state !== 'X');
/** A process inside the kernel (`D`), for instance while a vfork() child uses its memory, will stop before it does anything else. */
const still = ({ state }: Look): boolean => !/[RS]/.test(state);

/** The processes that may adopt orphans of this process's programs: the first process, and those above this one (subreapers). */
function adoptersIn(entries: ReadonlyMap<number, ProcessEntry>): ReadonlySet<number> {
  const adopters = new Set([0, 1]);
  for (let pid = process.ppid; !adopters.has(pid); pid = entries.get(pid)?.parent ?? 0) adopters.add(pid);
  return adopters;
}

/** Whether this process may not signal an existing one. A signal that was sent to its group does not tell. */
function isRefused(pid: number): boolean {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
}

const stop = [SIGSTOP];
/** How long we wait for all processes together to stop, in milliseconds; the machine may be busy. */
const longestStop = 50;
/** How long we look for descendants, in milliseconds; the event loop is blocked meanwhile. */
const longestSearch = 1000;
/** How many rounds the search has at least: this process itself may be held up for that long in one of them. */
const fewestRounds = 5;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** The descendants of one program: found when asked, remembered by pid and start time, never mistaken for a stranger. */
export class Descendants {
  /** Whether the last signal reached every descendant: `/proc` shows all processes, and none could refuse the signal. */
  visible = false;
  private readonly members = new Map<number, Member>();
  /** The signals sent so far, in this order: a descendant that is found later gets them then. */
  private readonly told = new Set<number>();
  private readonly pipes: ReadonlySet<string>;
  /** Whether descendants that were forked during the last signal, or were not found in time, may still have to get it. */
  private lookAgain = false;
  /** When the program was started, as {@link ProcessEntry.start}. */
  private born: number | undefined;
  /** The program's real user, when we looked last. */
  private user: number | undefined;
  /**
   * There may be a descendant that we cannot recognise: an orphan of this user that hides its descriptors, or a process that
   * holds a pipe but that we must not end only for that.
   */
  private anyHidden = false;
  /** A living descendant did not get the last signal: it has taken another user's ids, so that we may not signal it. */
  private anyRefused = false;

  constructor(
    private readonly root: number,
    private readonly options: DescendantsOptions,
  ) {
    this.pipes = new Set(options.ownPipes);
  }

  /**
   * Looks for descendants; returns whether there are new ones.
   *
   * @param pinned - The program is not reaped, so its pid is still its own.
   * @param tell - The signals that new descendants get, in this order.
   */
  find(pinned: boolean, tell: Iterable<number> = this.told): boolean {
    if (process.platform !== 'linux') return false;
    const table = processTable();
    const entries = table.update();
    // No descriptor is free to look with, or `/proc` is another pid namespace's. Known descendants stay known; there may be more.
    if (entries.size === 0) this.visible = false;
    const root = pinned && entries.size > 0 ? readEntry(this.root) : undefined;
    // A process with the program's pid and another start time is a stranger, whatever the caller believes.
    const rootAlive = pinned && (this.born === undefined || root?.start === this.born);
    // A member that cannot be read now may be a stranger by now, whose children are no descendants.
    const known = new Set<number>();
    if (rootAlive) {
      known.add(this.root);
      // If the first process is not visible, `/proc` is mounted with `hidepid` and shows only processes of this user.
      this.visible = root !== undefined && entries.has(1);
      this.born ??= root?.start;
    }
    // A group or session number still belongs to the program if the leader is not reaped, or a known member is in it.
    let groupIsOurs = this.options.ownGroup && rootAlive;
    for (const [pid, member] of this.members) {
      const seen = this.look(pid, member);
      if (seen === gone) this.members.delete(pid);
      else if (seen !== unread && seen !== unsure) known.add(pid);
      groupIsOurs ||= this.options.ownGroup && seen.group === this.root;
    }
    const isKin = ({ parent, group, session }: ProcessEntry): boolean =>
      known.has(parent) || (groupIsOurs && (group === this.root || session === this.root));
    // An older process cannot come from this program. So most processes of a busy machine need no closer look.
    const { born = 0 } = this;
    const isOther = ({ pid, start }: ProcessEntry): boolean =>
      start >= born && pid !== process.pid && pid !== this.root && !known.has(pid);
    const holders = new Set<number>();
    const hidden: ProcessEntry[] = [];
    for (const entry of this.pipes.size > 0 ? entries.values() : []) {
      if (!isOther(entry)) continue;
      const ends = table.pipesOf(entry.pid);
      if (ends === undefined) hidden.push(entry);
      else if (this.isOurPipe(ends)) holders.add(entry.pid);
    }
    // Look even if no process holds a pipe: one may do so when the program is gone. The program can change its user at any time.
    if (rootAlive && this.pipes.size > 0) this.user = userOf(this.root) ?? this.user;
    const spared: number[] = [];
    let anyNew = false;
    for (let again = true; again;) {
      again = false;
      for (const seen of entries.values()) {
        const { pid } = seen;
        if (!isOther(seen) || !(isKin(seen) || holders.has(pid))) continue;
        // The table may be a second old: read this process again before it counts as a descendant.
        const entry = table.read(pid);
        // If it has ended, its children were read anew and have another parent: look once more.
        again ||= entry === undefined;
        if (entry === undefined || !isOther(entry)) continue;
        if (!isKin(entry)) {
          const holds = holders.has(pid) && this.holdsPipe(entry);
          if (!holds || !this.mayEnd(pid)) {
            holders.delete(pid);
            if (holds) spared.push(pid);
            continue;
          }
        }
        const member = { start: entry.start, inode: inodeOf(pid) };
        this.members.set(pid, member);
        known.add(pid);
        for (const signal of tell) this.send(pid, member, signal);
        again = anyNew = true;
      }
    }
    const adopters = adoptersIn(entries);
    this.anyHidden =
      hidden.some(({ pid, parent }) => !known.has(pid) && adopters.has(parent) && isOwn(pid)) ||
      spared.some((pid) => !known.has(pid));
    return anyNew;
  }

  /**
   * Whether a process holds the program's end of a pipe, and so inherited it from the program. Such a process may be a child
   * of ours: if we are the first process of a container, or a subreaper, we get the orphans. Any other child of ours has our end
   * of the pipe at most; only between fork and exec it may have a copy of the program's end.
   */
  private holdsPipe({ pid, parent }: ProcessEntry): boolean {
    return (parent !== process.pid || hasExecuted(pid)) && this.isOurPipe(pipesOf(pid));
  }

  /**
   * Whether the program itself may signal a process that holds its pipe. The program can send the pipe through a socket to any
   * service; we may have more rights than the program, and must not use them to end such a service.
   */
  private mayEnd(holder: number): boolean {
    return this.user !== undefined && (this.user === 0 || userOf(holder) === this.user);
  }

  private isOurPipe(ends: readonly string[] = []): boolean {
    return ends.some((end) => this.pipes.has(end));
  }

  /**
   * Sends a signal to every descendant that was found and still is the same process; returns whether one was alive. Those that
   * were found last come first, since the kernel continues stopped processes whose parents end.
   */
  signal(signal: number): boolean {
    this.told.add(signal);
    this.anyRefused = false;
    let sent = false;
    for (const [pid, member] of Array.from(this.members).reverse()) sent = this.send(pid, member, signal) || sent;
    return sent;
  }

  private look(pid: number, { start, inode }: Member): Look {
    const entry = readEntry(pid);
    if (entry !== undefined) return entry.start === start ? entry : gone;
    const now = inodeOf(pid);
    if (now === undefined) return gone;
    // Another inode proves nothing: the kernel may forget the inode of a living process and make a new one.
    return now === inode ? unread : unsure;
  }

  private send(pid: number, member: Member, signal: number): boolean {
    const seen = this.look(pid, member);
    if (seen === unsure || !alive(seen)) return false;
    const send = this.options.send ?? ((to, number) => process.kill(to, number));
    try {
      send(pid, signal);
      return true;
    } catch {
      // The process has ended meanwhile, or belongs to another user and lives on.
      this.anyRefused ||= alive(this.look(pid, member));
      return false;
    }
  }

  /**
   * Sends a signal to the program and all its descendants such that none escapes. First all of them are stopped, until no new
   * ones appear: a stopped process can neither fork nor leave its session. They continue when all of them have the signal.
   * Returns whether one was alive.
   *
   * @param toRoot - Sends to the program, or to its group; `false`: it could not. Not called if the program is reaped, that is,
   *   not `pinned`.
   */
  deliver(signal: number, pinned: boolean, toRoot: (signal: number, target: 'process' | 'group') => boolean): boolean {
    const send = (number: number): boolean => {
      const below = this.signal(number);
      return (pinned && toRoot(number, this.targetOf(number))) || below;
    };
    if (signal === SIGCONT) {
      // After another signal all descendants are known, and looking for them takes most of the time of an end.
      if (this.told.size === 0) this.find(pinned);
      this.lookAgain = true;
      return send(SIGCONT);
    }
    if (pinned) toRoot(SIGSTOP, this.targetOf(SIGSTOP));
    // The search below stops only new descendants; those that are known already are stopped here.
    if (this.members.size > 0) this.signal(SIGSTOP);
    const all = this.freeze(pinned);
    const sent = send(signal);
    if (!all || this.anyHidden || this.anyRefused || (pinned && isRefused(this.root))) this.visible = false;
    this.lookAgain = signal !== SIGKILL || !this.visible;
    if (signal !== SIGKILL) send(SIGCONT);
    return sent;
  }

  /** Members get signals one by one, and must not get one twice through the group; without `/proc` there is only the group. */
  private targetOf(signal: number): 'process' | 'group' {
    const toAll = signal === SIGSTOP || signal === SIGKILL || !this.visible;
    return this.options.ownGroup && toAll ? 'group' : 'process';
  }

  /** How far the last signal got. */
  get reached(): Reach {
    return this.visible ? 'tree' : this.options.ownGroup ? 'group' : 'process';
  }

  /**
   * Stops all descendants of the program, which is being stopped already; `false`: there may be more of them. A descendant
   * found here gets only SIGSTOP, since an earlier signal might be what makes it fork.
   */
  private freeze(pinned: boolean): boolean {
    let waited = 0;
    const begun = realTime.now();
    for (let round = 0; round < fewestRounds || (round < 1000 && realTime.now() - begun < longestSearch); round++) {
      // When all have stopped, everything that they forked before is there to be found.
      while (waited < longestStop && !this.allStill(pinned)) {
        const ms = waited < 1 ? 0.1 : 1;
        Atomics.wait(sleeper, 0, 0, ms);
        waited += ms;
      }
      if (!this.find(pinned, stop)) return true;
      this.signal(SIGSTOP);
    }
    return false;
  }

  private allStill(pinned: boolean): boolean {
    const root = pinned ? readEntry(this.root) : undefined;
    if (root !== undefined && !still(root)) return false;
    return Array.from(this.members).every(([pid, member]) => still(this.look(pid, member)));
  }

  /** Whether a descendant is still alive; looks for new ones once more after a signal. `pinned`: as for {@link find}. */
  stillAlive(pinned: boolean): boolean {
    if (this.lookAgain) this.find(pinned);
    this.lookAgain = false;
    return this.alive;
  }

  /** Whether one of the descendants found so far is still alive, as far as is known. */
  get alive(): boolean {
    return Array.from(this.members).some(([pid, member]) => alive(this.look(pid, member)));
  }
}
