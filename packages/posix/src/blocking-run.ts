/**
 * A run that blocks its thread: one poll(2) over the pipes and the program's pidfd, with the same bounds and the same
 * ending as a run on the event loop: SIGTERM (and SIGCONT) to the tree, SIGKILL after the grace period, the exit, and a
 * bounded wait for pipes that others still hold.
 */
import {
  leastForKill,
  realTime,
  treePoll,
  type ExitStatus,
  type SyncOutcome,
  type SyncRequest,
} from '@vircommand/core/backend';
import { BlockingPipes } from './blocking-pipes';
import { errno } from './errno';
import type { Libc } from './libc';
import { LINUX } from './linux';
import { openPidfd } from './pidfd';
import { pollTimeout } from './poll-timeout';
import { unknownStatus, watchBlocking, watchExit, type Watch } from './reap';
import { SIGKILL, SIGTERM, SIGCONT } from './signal-numbers';
import type { StartedProcess } from './spawn';
import { SIZE } from './struct';
import { closeBound } from './thread-bound';
import { ProcessTree } from './tree';

/** For so long a program may run before it gets a pidfd, which most do not need; also how often it is asked for without. */
const withoutPidfd = 10;

/** An array of `struct pollfd`. One for all runs of this thread: they do not overlap. */
let pollSet = Buffer.alloc(8 * SIZE.pollfd);
let pollWords = new Int32Array(pollSet.buffer);

/** `count` entries of it. */
function reservePollSet(count: number): void {
  if (count * SIZE.pollfd <= pollSet.length) return;
  pollSet = Buffer.alloc(2 * count * SIZE.pollfd);
  pollWords = new Int32Array(pollSet.buffer);
}

class BlockingRun {
  private readonly pipes: BlockingPipes;
  private readonly watch: Watch;
  private readonly begun = realTime.now();
  private now = this.begun;
  private status: ExitStatus | undefined;
  private madeTree: ProcessTree | undefined;
  /** Below 0: not there (yet); then the exit is asked for from time to time. */
  private pidfd = -1;
  private pidfdTried = false;
  private cause: SyncOutcome['ending'] = 'exit';
  private ended: SyncOutcome['ended'] = 'none';
  private ending: 'no' | 'grace' | 'killed' = 'no';
  private treeGone = true;
  /** When SIGKILL is due; after SIGKILL: when we stop waiting for the death. */
  private killAt = Infinity;
  private drainUntil = Infinity;

  constructor(
    private readonly libc: Libc,
    private readonly started: StartedProcess,
    private readonly request: SyncRequest,
  ) {
    this.pipes = new BlockingPipes(libc, started.parentEnds, request);
    this.watch = watchBlocking(libc, started.pid, (status) => {
      this.exit(status);
    });
    // Nothing is signalled after an exit unless the tree is being ended.
    this.watch.keep = false;
    reservePollSet(this.pipes.most + 1);
  }

  run(): SyncOutcome {
    try {
      this.pipes.feed();
      while (!this.finished()) {
        this.wait();
        this.now = realTime.now();
        this.bounds();
      }
      // What the program wrote before its exit is in the pipes, even if other processes hold them.
      this.pipes.readLast();
      this.lookAtLimits();
      return this.outcome();
    } finally {
      // Only an error, such as no memory for the output, leads here before the program is gone.
      if (this.watch.state === 'running' && this.ending !== 'killed') this.kill();
      this.close();
    }
  }

  /** Nothing is left to wait for, or it was waited long enough. */
  private finished(): boolean {
    if (this.status === undefined) return this.ending === 'killed' && this.now >= this.killAt;
    if (this.ending === 'grace' && !this.treeGone) return false;
    return this.pipes.awaited === 0 || this.now >= this.drainUntil;
  }

  /** Waits for whatever comes next, and deals with it. */
  private wait(): void {
    const { libc, watch, pipes } = this;
    if (this.status === undefined) {
      if (pipes.open === 0) {
        if (this.ending === 'no' && this.request.timeout === undefined && libc.isMainThread) {
          watch.wait();
          return;
        }
        watch.check();
        if (watch.state !== 'running') return;
        this.openPidfd();
      } else if (this.now - this.begun >= withoutPidfd) this.openPidfd();
    }
    let count = pipes.fill(pollWords);
    const exit = this.pidfd >= 0 && this.status === undefined ? count++ : -1;
    if (exit >= 0) {
      pollWords[2 * exit] = this.pidfd;
      pollWords[2 * exit + 1] = LINUX.POLLIN;
    }
    const ready = libc.poll(pollSet, count, this.patience());
    if (ready > 0) {
      const exited = exit >= 0 && (pollWords[2 * exit + 1] ?? 0) >>> 16 !== 0;
      pipes.take(pollWords);
      if (exited) this.toldOfExit();
    } else if (ready < 0 && ready !== -errno.EINTR) this.waitWithoutPoll();
    // After EINTR the wait goes on with the time that is left; the signal's handler runs when the loop turns.
    else if (this.pidfd < 0) watch.check();
  }

  /** For lack of memory, or under a very low RLIMIT_NOFILE. The pipes do not block. */
  private waitWithoutPoll(): void {
    this.libc.poll(null, 0, 1);
    this.pipes.pump();
    this.watch.check();
  }

  private toldOfExit(): void {
    this.watch.check();
    // A tracer has it, and is told first.
    if (this.watch.state === 'running') this.closePidfd();
  }

  private openPidfd(): void {
    if (this.pidfdTried) return;
    this.pidfdTried = true;
    const { libc, started } = this;
    this.pidfd = openPidfd(libc, started.pid);
  }

  private closePidfd(): void {
    if (this.pidfd >= 0) closeBound(this.libc, this.pidfd);
    this.pidfd = -1;
  }

  /** Milliseconds until something has to be done although nothing happens. */
  private patience(): number {
    let until = Infinity;
    const { timeout } = this.request;
    if (this.status === undefined) {
      until = this.killAt;
      if (this.ending === 'no' && timeout !== undefined) until = this.begun + timeout;
    } else if (this.ending === 'grace' && !this.treeGone) until = Math.min(this.killAt, this.now + treePoll);
    else until = this.drainUntil;
    if (this.pidfd < 0 && this.status === undefined) until = Math.min(until, this.now + withoutPidfd);
    return pollTimeout(this.libc, until - this.now);
  }

  /** Called when the exit is noticed. */
  private exit(status: ExitStatus): void {
    this.status = status;
    this.now = realTime.now();
    this.drainUntil = this.now + this.request.drainDelay;
    if (this.ending !== 'no') this.lookAtTree();
  }

  /** Whether a process of the tree is alive. */
  private lookAtTree(): boolean {
    this.treeGone = !this.tree.alive;
    if (this.treeGone) this.watch.reap();
    // The bound of the drain begins when the tree is gone or killed.
    if (this.ending === 'grace') this.drainUntil = this.now + this.request.drainDelay;
    return !this.treeGone;
  }

  /** Does what its time has come for. */
  private bounds(): void {
    const { request } = this;
    if (this.lookAtLimits() && this.status === undefined) this.terminate();
    if (this.status === undefined) {
      if (this.ending === 'no') {
        if (request.timeout === undefined || this.now < this.begun + request.timeout) return;
        // An exit that came first wins.
        this.watch.check();
        if (this.watch.state !== 'running') return;
        this.cause = 'timeout';
        this.terminate();
      } else if (this.ending === 'grace' && this.now >= this.killAt) this.kill();
    } else if (this.ending === 'grace' && !this.treeGone) {
      if (this.lookAtTree() && this.now >= this.killAt) this.kill();
    }
  }

  /** Whether the output has just become too much. */
  private lookAtLimits(): boolean {
    if (this.cause !== 'exit' || this.pipes.exceeded === undefined) return false;
    if (this.request.limit.onExceed === 'truncate') return false;
    this.cause = 'output-limit';
    return true;
  }

  private terminate(): void {
    const { killDelay } = this.request;
    if (killDelay === 0) {
      this.kill();
      return;
    }
    this.ending = 'grace';
    this.killAt = realTime.now() + killDelay;
    this.signal(SIGTERM);
    // SIGCONT may be allowed where SIGTERM is not (same session). It ends no process.
    this.tree.signal(SIGCONT, this.watch.state !== 'reaped');
  }

  private kill(): void {
    this.ending = 'killed';
    this.signal(SIGKILL);
    this.now = realTime.now();
    this.killAt = this.now + Math.max(this.request.drainDelay, leastForKill);
    if (this.status === undefined) return;
    this.drainUntil = this.now + this.request.drainDelay;
    this.watch.reap();
  }

  private signal(number: number): void {
    // From here on its numbers must stay its own when it exits.
    this.watch.keep = true;
    const { sent, reached } = this.tree.signal(number, this.watch.state !== 'reaped');
    if (sent) this.ended = reached;
  }

  /** Made when needed: most runs send no signal. */
  private get tree(): ProcessTree {
    return (this.madeTree ??= new ProcessTree(this.libc, this.started));
  }

  private outcome(): SyncOutcome {
    const { pipes, cause, status = unknownStatus } = this;
    return {
      exitCode: status.exitCode,
      signal: status.signal,
      coreDumped: status.coreDumped,
      usage: status.usage,
      pid: this.started.pid,
      stdout: pipes.bytes('stdout'),
      stderr: pipes.bytes('stderr'),
      ending: cause,
      exceeded: cause === 'output-limit' ? pipes.exceeded : undefined,
      ...pipes.completeness(),
      // Where it lives, only those below it got the signal, or the kernel holds it.
      ended: this.status === undefined ? 'none' : this.ended,
    };
  }

  private close(): void {
    const { watch } = this;
    this.pipes.close();
    this.closePidfd();
    watch.reap();
    if (watch.state === 'reaped') return;
    // The kernel holds it: it is reaped when it lets go, if the event loop lives that long.
    const later = watchExit(this.libc, this.started.pid, () => {
      later.reap();
    });
  }
}

/** Waits for a program that was just started, within the bounds of the request. */
export function waitSync(started: StartedProcess, request: SyncRequest, libc: Libc): SyncOutcome {
  return new BlockingRun(libc, started, request).run();
}
