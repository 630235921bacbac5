/**
 * The descendants of a program, for backends that start programs on this machine: found through Linux's `/proc`, also
 * where they left the process group, the session or their parent. Elsewhere nothing is found and `visible` says so.
 */
import { constants } from 'node:os';
import type { Reach } from '../contract';
import { realTime } from '../real-time';
import { hasExecuted, inodeOf, isOwn, pipesOf, processTable, readEntry, userOf, type ProcessEntry } from './processes';

// By number, since Windows has no names for them; nothing is found there.
const { SIGKILL = 9, SIGCONT = 18, SIGSTOP = 19 } = constants.signals as Partial<typeof constants.signals>;

/** What a descendant that was found is known by. */
interface Member {
  readonly start: number;
  /** Of its directory in `/proc`: for when there is no descriptor to read its start time with. */
  readonly inode: number | undefined;
}

/** What a backend knows of a program whose descendants it wants. */
export interface DescendantsOptions {
  /** The program leads a process group or session of its own. */
  readonly ownGroup: boolean;
  /**
   * The program's ends of the pipes that the backend made, by {@link pipeEnd} or as {@link pipesOf} shows them right after the
   * start: whoever holds one is its own. Later the program may have others in their places.
   */
  readonly ownPipes: readonly string[];
  /** Sends a signal by number; default `process.kill`. Errors are ignored. */
  readonly send?: ((pid: number, signal: number) => void) | undefined;
}

/** What there is to see of a process that was found. */
type Look = Pick<ProcessEntry, 'state' | 'threads' | 'group'>;
const gone: Look = { state: 'X', threads: 0, group: 0 };
/** It is there and cannot be read. */
const unread: Look = { state: '', threads: 1, group: 0 };
/** The pid exists and cannot be read: the member, or a stranger with its number. */
const unsure: Look = { ...unread };

/** One whose main thread has ended is a zombie, and lives on as long as it has other threads. */
const alive = ({ state, threads }: Look): boolean => threads > 1 || (state !== 'Z' && state !== 'X');
/** One that is in the kernel (`D`), as while a child of vfork() has its memory, will stop before it can do anything else. */
const still = ({ state }: Look): boolean => !/[RS]/.test(state);

/** Who gets orphans of this process's programs: the first process, or one above this one, whose children are its own. */
function adoptersIn(entries: ReadonlyMap<number, ProcessEntry>): ReadonlySet<number> {
  const adopters = new Set([0, 1]);
  for (let pid = process.ppid; !adopters.has(pid); pid = entries.get(pid)?.parent ?? 0) adopters.add(pid);
  return adopters;
}

/** Whether a process that is there may not be signalled. That a signal to its group was sent says nothing of it. */
function isRefused(pid: number): boolean {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
}

const stop = [SIGSTOP];
/** How long all together may take to stop, in milliseconds, on a machine that does other work too. */
const longestStop = 50;
/** How long everybody is looked for, in milliseconds: the event loop waits meanwhile. */
const longestSearch = 1000;
/** How many rounds that has at least: this process may have been held up for as long in one of them. */
const fewestRounds = 5;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** The descendants of one program: found when asked, remembered by pid and start time, never mistaken for a stranger. */
export class Descendants {
  /** Whether `/proc` shows processes here, so that nobody was missed, and nobody could refuse the last signal. */
  visible = false;
  private readonly members = new Map<number, Member>();
  /** What they were told so far, in this order: who was forked meanwhile is told when he is found. */
  private readonly told = new Set<number>();
  private readonly pipes: ReadonlySet<string>;
  /** Since the last signal, which those whom the program forked meanwhile, or whom there was no time to find, must get too. */
  private lookAgain = false;
  /** When the program was started, as {@link ProcessEntry.start}. */
  private born: number | undefined;
  /** The program's real user when that was asked last. */
  private user: number | undefined;
  /** An orphan of this user's hides what it holds, or one who has a pipe may not be ended for that: it may be one of them. */
  private anyHidden = false;
  /** Somebody who lives could not be sent the last signal, as he has taken another user's ids. */
  private anyRefused = false;

  constructor(
    private readonly root: number,
    private readonly options: DescendantsOptions,
  ) {
    this.pipes = new Set(options.ownPipes);
  }

  /**
   * Looks for descendants; whether there are new ones.
   *
   * @param pinned - The program is not reaped, so its number is still its own.
   * @param tell - The signals that new ones get, in this order.
   */
  find(pinned: boolean, tell: Iterable<number> = this.told): boolean {
    if (process.platform !== 'linux') return false;
    const table = processTable();
    const entries = table.update();
    // No descriptor is free to look with, or none of them is ours: who is known stays known, and there may be others.
    if (entries.size === 0) this.visible = false;
    const root = pinned && entries.size > 0 ? readEntry(this.root) : undefined;
    // Whoever has its number now and began at another time is a stranger, whatever the caller believes.
    const rootAlive = pinned && (this.born === undefined || root?.start === this.born);
    // One that cannot be read now may be a stranger, whose children are nobody's.
    const known = new Set<number>();
    if (rootAlive) {
      known.add(this.root);
      // Who cannot see the first process is shown none but his own: `/proc` is mounted with `hidepid`.
      this.visible = root !== undefined && entries.has(1);
      this.born ??= root?.start;
    }
    // A group or session number is its own as long as the leader is not reaped or a known member is still in it.
    let groupIsOurs = this.options.ownGroup && rootAlive;
    for (const [pid, member] of this.members) {
      const seen = this.look(pid, member);
      if (seen === gone) this.members.delete(pid);
      else if (seen !== unread && seen !== unsure) known.add(pid);
      groupIsOurs ||= this.options.ownGroup && seen.group === this.root;
    }
    const isKin = ({ parent, group, session }: ProcessEntry): boolean =>
      known.has(parent) || (groupIsOurs && (group === this.root || session === this.root));
    // Nobody who is older comes from this program: a busy machine's other processes are not looked at any closer.
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
    // Also without holders: there may be some when it is gone. It can become another user at any time.
    if (rootAlive && this.pipes.size > 0) this.user = userOf(this.root) ?? this.user;
    const spared: number[] = [];
    let anyNew = false;
    for (let again = true; again;) {
      again = false;
      for (const seen of entries.values()) {
        const { pid } = seen;
        if (!isOther(seen) || !(isKin(seen) || holders.has(pid))) continue;
        // The table may be a second old: read this process again before it counts.
        const entry = table.read(pid);
        // It ended, and its children were read anew under their new parent: look once more.
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
   * Who holds the program's end of a pipe inherited it from the program, also if he is a child of ours: the first process
   * of a container, and a subreaper, get the orphans. What was started here, by whomever, was given our end at most; only
   * between fork and exec it may have a copy of the program's.
   */
  private holdsPipe({ pid, parent }: ProcessEntry): boolean {
    return (parent !== process.pid || hasExecuted(pid)) && this.isOurPipe(pipesOf(pid));
  }

  /**
   * Whether the program may signal who has its pipe. It can send that through a socket to any service, which must not be
   * ended for it by us who may signal more.
   */
  private mayEnd(holder: number): boolean {
    return this.user !== undefined && (this.user === 0 || userOf(holder) === this.user);
  }

  private isOurPipe(ends: readonly string[] = []): boolean {
    return ends.some((end) => this.pipes.has(end));
  }

  /**
   * Sends a signal to every descendant that was found and still is the same process; whether there was one alive. Those
   * who were found last come first: the kernel continues stopped processes whose parents end.
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
    // Another inode proves nothing: the kernel makes a new one when it has forgotten that of a living process.
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
      // It ended meanwhile, or belongs to another user, who then keeps it.
      this.anyRefused ||= alive(this.look(pid, member));
      return false;
    }
  }

  /**
   * Sends a signal to the program and all its descendants such that nobody slips away: first everybody is stopped, until
   * nobody new appears, since who is stopped can neither fork nor leave. They go on when all of them have it. Whether
   * there was one alive.
   *
   * @param toRoot - Sends to the program, or to its group; `false`: it could not. Not called if it is reaped (`pinned`).
   */
  deliver(signal: number, pinned: boolean, toRoot: (signal: number, target: 'process' | 'group') => boolean): boolean {
    const send = (number: number): boolean => {
      const below = this.signal(number);
      return (pinned && toRoot(number, this.targetOf(number))) || below;
    };
    if (signal === SIGCONT) {
      // After another signal everybody is known: that look takes most of the time of an end.
      if (this.told.size === 0) this.find(pinned);
      this.lookAgain = true;
      return send(SIGCONT);
    }
    if (pinned) toRoot(SIGSTOP, this.targetOf(SIGSTOP));
    // Those whom an earlier signal found are not new to the look that stops everybody else.
    if (this.members.size > 0) this.signal(SIGSTOP);
    const all = this.freeze(pinned);
    const sent = send(signal);
    if (!all || this.anyHidden || this.anyRefused || (pinned && isRefused(this.root))) this.visible = false;
    this.lookAgain = signal !== SIGKILL || !this.visible;
    if (signal !== SIGKILL) send(SIGCONT);
    return sent;
  }

  /** Members must not get a signal twice, and are found one by one, unless there is no /proc. */
  private targetOf(signal: number): 'process' | 'group' {
    const toAll = signal === SIGSTOP || signal === SIGKILL || !this.visible;
    return this.options.ownGroup && toAll ? 'group' : 'process';
  }

  /** How far the last signal got. */
  get reached(): Reach {
    return this.visible ? 'tree' : this.options.ownGroup ? 'group' : 'process';
  }

  /**
   * Stops everybody below the program, which is being stopped; `false`: there may be more of them. Who is found gets nothing
   * but that: what he was told earlier may be what makes him fork.
   */
  private freeze(pinned: boolean): boolean {
    let waited = 0;
    const begun = realTime.now();
    for (let round = 0; round < fewestRounds || (round < 1000 && realTime.now() - begun < longestSearch); round++) {
      // What one has forked before he stopped is there to be found when he has.
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

  /** Whether somebody is still alive; looks for others once more after a signal. `pinned`: as for {@link find}. */
  stillAlive(pinned: boolean): boolean {
    if (this.lookAgain) this.find(pinned);
    this.lookAgain = false;
    return this.alive;
  }

  /** Whether one of those found is still alive, as far as is known. */
  get alive(): boolean {
    return Array.from(this.members).some(([pid, member]) => alive(this.look(pid, member)));
  }
}
