/**
 * A run that blocks its thread: one poll(2) over the pipes and the program's pidfd, with the same bounds and the same
 * ending as a run on the event loop: SIGTERM (and SIGCONT) to the tree, SIGKILL after the grace period, the exit, and a
 * bounded wait for pipes that others still hold.
 */
import { performance } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';
import type { ExitStatus, SyncOutcome, SyncRequest } from '@vircommand/core/backend';
import { errno } from './errno';
import type { Libc } from './libc';
import { GrowingBytes, LastBytes, scratchBuffer } from './memory';
import { unknownStatus, watchBlocking, watchExit, type Watch } from './reap';
import type { StartedProcess } from './spawn';
import { LINUX, SIZE } from './struct';
import { ProcessTree } from './tree';

const [SIGKILL, SIGTERM, SIGCONT] = [9, 15, 18];

// As it was when this was loaded: tests that fake the time must not stop a deadline.
const clock = performance.now.bind(performance);

/** A worker thread can be terminated between two waits only, in milliseconds. */
const workerSlice = 100;
/** For so long a program may run before it gets a pidfd, which most do not need; also how often it is asked for without. */
const withoutPidfd = 10;
/** How often it is looked whether the rest of a tree has ended. */
const treeSlice = 10;
/** The least time that a killed program has to die. */
const leastDeath = 100;
/** How many chunks may be read of what is left in a pipe. */
const lastChunks = 64;

type OutputName = 'stdout' | 'stderr';

/** A pipe that the program writes. */
interface Output {
  readonly name: OutputName;
  fd: number;
  readonly kept: GrowingBytes | LastBytes;
  /** Infinity for a tail, which counts in no limit. */
  readonly limit: number;
  readonly tail: boolean;
  truncated: boolean;
}

/** A pipe that the program reads. */
interface Input {
  fd: number;
  readonly data: Buffer;
  written: number;
}

class BlockingRun {
  private readonly outputs: Output[] = [];
  private readonly inputs: Input[] = [];
  private readonly tree: ProcessTree;
  private readonly watch: Watch;
  private readonly begun = clock();
  private now = this.begun;
  private status: ExitStatus | undefined;
  /** Below 0: not there (yet); then the exit is asked for from time to time. */
  private pidfd = -1;
  private pidfdTried = false;
  private totalLeft: number;
  private cause: SyncOutcome['ending'] = 'exit';
  private exceeded: SyncOutcome['exceeded'];
  private ended: SyncOutcome['ended'] = 'none';
  private ending: 'no' | 'grace' | 'killed' = 'no';
  private treeGone = true;
  private outputComplete = true;
  /** When SIGKILL follows, or, after it, when nobody waits for the death any longer. */
  private killAt = Infinity;
  private drainUntil = Infinity;
  private readonly set: Buffer;

  constructor(
    private readonly libc: Libc,
    private readonly started: StartedProcess,
    private readonly request: SyncRequest,
  ) {
    const { stdin, stdout, stderr, sendBuffers } = started.parentEnds;
    const { limit, stderrTail, input } = request;
    if (stdout !== undefined) this.addOutput('stdout', stdout, limit.stdout, undefined);
    if (stderr !== undefined) this.addOutput('stderr', stderr, limit.stderr, stderrTail);
    if (stdin !== undefined) this.addInput(stdin, input);
    sendBuffers.forEach((fd, index) => {
      this.addInput(fd, request.sendBuffers[index]);
    });
    this.totalLeft = limit.total;
    this.set = Buffer.alloc((this.outputs.length + this.inputs.length + 1) * SIZE.pollfd);
    this.tree = new ProcessTree(libc, started);
    this.watch = watchBlocking(libc, started.pid, (status) => {
      this.exit(status);
    });
  }

  private addOutput(name: OutputName, fd: number, limit: number, tail: number | undefined): void {
    this.outputs.push({
      name,
      fd,
      kept: tail === undefined ? new GrowingBytes(this.libc, limit) : new LastBytes(tail),
      limit: tail === undefined ? limit : Infinity,
      tail: tail !== undefined,
      truncated: false,
    });
  }

  private addInput(fd: number, data: Uint8Array | undefined): void {
    const bytes = data === undefined ? Buffer.alloc(0) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    this.inputs.push({ fd, data: bytes, written: 0 });
  }

  run(): SyncOutcome {
    try {
      for (const input of this.inputs) this.write(input);
      while (!this.finished()) {
        this.wait();
        this.now = clock();
        this.bounds();
      }
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
    const quiet = this.inputs.every(({ fd }) => fd < 0) && this.outputs.every(({ fd, tail }) => fd < 0 || tail);
    return quiet || this.now >= this.drainUntil;
  }

  /** Waits for whatever comes next, and deals with it. */
  private wait(): void {
    const { libc, watch } = this;
    const idle = this.inputs.every(({ fd }) => fd < 0) && this.outputs.every(({ fd }) => fd < 0);
    if (idle && this.status === undefined) {
      if (this.ending === 'no' && this.request.timeout === undefined && isMainThread) {
        watch.wait();
        return;
      }
      watch.check();
      if (this.status !== undefined) return;
      this.openPidfd();
    } else if (this.status === undefined && this.now - this.begun >= withoutPidfd) this.openPidfd();

    const count = this.fillSet();
    const ready = libc.poll(this.set, count, this.patience());
    if (ready > 0) this.pump(count);
    else if (ready < 0 && ready !== -errno.EINTR) this.pumpBlindly();
    // After EINTR the wait goes on with the time that is left; the signal's handler runs when the loop turns.
    else if (this.pidfd < 0) watch.check();
  }

  /** Without poll, for lack of memory or under a very low RLIMIT_NOFILE. The pipes do not block. */
  private pumpBlindly(): void {
    this.libc.poll(null, 0, 1);
    for (const output of this.outputs) this.read(output);
    for (const input of this.inputs) this.write(input);
    this.watch.check();
  }

  private openPidfd(): void {
    if (this.pidfdTried) return;
    this.pidfdTried = true;
    this.pidfd = this.libc.syscall(LINUX.SYS_pidfd_open, this.started.pid, 0, 0, 0, 0);
  }

  private fillSet(): number {
    let count = 0;
    const put = (fd: number, events: number): void => {
      this.set.writeInt32LE(fd, count * SIZE.pollfd);
      this.set.writeInt32LE(events, count * SIZE.pollfd + 4);
      count++;
    };
    for (const { fd } of this.outputs) if (fd >= 0) put(fd, LINUX.POLLIN);
    for (const { fd } of this.inputs) if (fd >= 0) put(fd, LINUX.POLLOUT);
    if (this.pidfd >= 0 && this.status === undefined) put(this.pidfd, LINUX.POLLIN);
    return count;
  }

  /** Milliseconds until something has to be done although nothing happens. */
  private patience(): number {
    let until = Infinity;
    const { timeout } = this.request;
    if (this.status === undefined) {
      until = this.killAt;
      if (this.ending === 'no' && timeout !== undefined) until = this.begun + timeout;
    } else if (this.ending === 'grace' && !this.treeGone) until = Math.min(this.killAt, this.now + treeSlice);
    else until = this.drainUntil;
    if (!isMainThread) until = Math.min(until, this.now + workerSlice);
    if (this.pidfd < 0 && this.status === undefined) until = Math.min(until, this.now + withoutPidfd);
    return until === Infinity ? -1 : Math.min(Math.max(0, Math.ceil(until - this.now)), 0x7fffffff);
  }

  private pump(count: number): void {
    const { set } = this;
    for (let index = 0; index < count; index++) {
      const happened = set.readUInt16LE(index * SIZE.pollfd + 6);
      if (happened === 0) continue;
      const fd = set.readInt32LE(index * SIZE.pollfd);
      const output = this.outputs.find((candidate) => candidate.fd === fd);
      const input = this.inputs.find((candidate) => candidate.fd === fd);
      if (output !== undefined) {
        // The last writer is gone: what is left needs no further wait.
        const last = (happened & LINUX.POLLHUP) !== 0;
        for (let chunk = 0; chunk < (last ? lastChunks : 1) && this.read(output); chunk++);
      } else if (input !== undefined) this.write(input);
      else {
        this.watch.check();
        // Somebody traces it, and is told first.
        if (this.watch.state === 'running') this.closePidfd();
      }
    }
  }

  private closePidfd(): void {
    if (this.pidfd >= 0) this.libc.close(this.pidfd);
    this.pidfd = -1;
  }

  /** Reads once; whether there may be more. */
  private read(output: Output): boolean {
    if (output.fd < 0) return false;
    const { kept, limit, tail } = output;
    const room = tail ? Infinity : Math.min(limit - (kept as GrowingBytes).length, this.totalLeft);
    const space = output.truncated ? scratchBuffer() : kept.space();
    // One byte more than is allowed tells that there is more.
    const count = this.libc.read(output.fd, space, Math.min(space.length, output.truncated ? Infinity : room + 1));
    if (count === -errno.EINTR) return true;
    if (count === -errno.EAGAIN) return false;
    if (count <= 0) {
      this.closeEnd(output);
      if (count < 0 && !tail) this.outputComplete = false;
      return false;
    }
    if (output.truncated) return true;
    const taken = Math.min(count, room);
    kept.add(taken);
    if (!tail) this.totalLeft -= taken;
    if (taken < count) this.exceed(output);
    return true;
  }

  private exceed(output: Output): void {
    output.truncated = true;
    this.outputComplete = false;
    if (this.request.limit.onExceed === 'truncate' || this.cause !== 'exit') return;
    this.cause = 'output-limit';
    this.exceeded = (output.kept as GrowingBytes).length === output.limit ? output.name : 'total';
    if (this.status === undefined) this.terminate();
  }

  private write(input: Input): void {
    while (input.fd >= 0) {
      const rest = input.data.subarray(input.written);
      const count = rest.length === 0 ? 0 : this.libc.write(input.fd, rest, rest.length);
      if (count === -errno.EINTR) continue;
      if (count === -errno.EAGAIN) return;
      input.written += Math.max(count, 0);
      // EPIPE: it does not want to read; that is its business.
      if (count < 0 || input.written === input.data.length) this.closeEnd(input);
    }
  }

  /** Called when the exit is noticed. */
  private exit(status: ExitStatus): void {
    this.status = status;
    this.now = clock();
    this.drainUntil = this.now + this.request.drainDelay;
    if (this.ending === 'no') this.watch.reap();
    else this.lookAtTree();
  }

  private lookAtTree(): void {
    this.treeGone = !this.tree.alive;
    if (this.treeGone) this.watch.reap();
    // The bound of the drain begins when the tree is gone or killed.
    if (this.ending === 'grace') this.drainUntil = this.now + this.request.drainDelay;
  }

  /** Does what its time has come for. */
  private bounds(): void {
    const { timeout } = this.request;
    if (this.status === undefined) {
      if (this.ending === 'no') {
        if (timeout === undefined || this.now < this.begun + timeout) return;
        // An exit that came first wins.
        this.watch.check();
        if (this.watch.state !== 'running') return;
        if (this.cause === 'exit') this.cause = 'timeout';
        this.terminate();
      } else if (this.ending === 'grace' && this.now >= this.killAt) this.kill();
    } else if (this.ending === 'grace' && !this.treeGone) {
      this.lookAtTree();
      if (!this.treeGone && this.now >= this.killAt) this.kill();
    }
  }

  private terminate(): void {
    const { killDelay } = this.request;
    if (killDelay === 0) {
      this.kill();
      return;
    }
    this.ending = 'grace';
    this.killAt = clock() + killDelay;
    this.signal(SIGTERM);
    this.signal(SIGCONT);
  }

  private kill(): void {
    this.ending = 'killed';
    this.signal(SIGKILL);
    this.now = clock();
    this.killAt = this.now + Math.max(this.request.drainDelay, leastDeath);
    if (this.status === undefined) return;
    this.drainUntil = this.now + this.request.drainDelay;
    this.watch.reap();
  }

  private signal(number: number): void {
    const { sent, reached } = this.tree.signal(number, this.watch.state !== 'reaped');
    if (sent) this.ended = reached;
  }

  private outcome(): SyncOutcome {
    const { outputs } = this;
    // What the program wrote before its exit is in the pipes, whoever else holds them.
    for (const output of outputs) for (let chunk = 0; chunk < lastChunks && this.read(output); chunk++);
    if (outputs.some(({ fd, tail }) => fd >= 0 && !tail)) this.outputComplete = false;
    const bytes = (name: OutputName): Uint8Array | undefined => outputs.find((each) => each.name === name)?.kept.take();
    return {
      ...(this.status ?? unknownStatus),
      pid: this.started.pid,
      stdout: bytes('stdout'),
      stderr: bytes('stderr'),
      ending: this.cause,
      exceeded: this.exceeded,
      outputComplete: this.outputComplete,
      ended: this.ended,
    };
  }

  private close(): void {
    for (const end of [...this.outputs, ...this.inputs]) this.closeEnd(end);
    this.closePidfd();
    this.watch.reap();
    if (this.watch.state === 'reaped') return;
    // The kernel holds it: it is reaped when it lets go, if the event loop lives that long.
    const later = watchExit(this.libc, this.started.pid, () => {
      later.reap();
    });
  }

  private closeEnd(end: { fd: number }): void {
    if (end.fd >= 0) this.libc.close(end.fd);
    end.fd = -1;
  }
}

/** Waits for a program that was just started, within the bounds of the request. */
export function waitSync(started: StartedProcess, request: SyncRequest, libc: Libc): SyncOutcome {
  return new BlockingRun(libc, started, request).run();
}
