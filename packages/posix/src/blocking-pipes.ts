/**
 * The pipes of a run that blocks its thread: what the program writes is kept within the limits, and what it is to read is
 * written. Our ends never block; it is {@link fill} and {@link take} that wait for them.
 */
import type { SyncOutcome, SyncRequest } from '@vircommand/core/backend';
import type { ParentEnds } from './descriptor-set';
import { errno } from './errno';
import type { Libc } from './libc';
import { LINUX } from './linux';
import { GrowingBytes, LastBytes, scratchBuffer } from './memory';
import { closeBound } from './thread-bound';

type OutputName = 'stdout' | 'stderr';

/** A pipe that the program writes. */
interface Output {
  readonly name: OutputName;
  /** -1: at its end. */
  fd: number;
  readonly kept: GrowingBytes | LastBytes;
  /** Infinity for a tail, which counts in no limit. */
  readonly limit: number;
  readonly tail: boolean;
  truncated: boolean;
  /** Something of it was lost, or may come yet. A tail is no promise. */
  incomplete: boolean;
}

/** A pipe that the program reads. */
interface Input {
  /** -1: all is written, or nobody reads it. */
  fd: number;
  readonly data: Uint8Array;
  written: number;
}

/** So many chunks are read of what is left in a pipe: whoever still writes must not keep the thread here. */
const lastChunks = 64;
const nothing: Uint8Array = new Uint8Array(0);

export class BlockingPipes {
  /** Pipes that are open. */
  open = 0;
  /** Those of them whose end is waited for: all but a tail. */
  awaited = 0;
  /** The limit that was exceeded first. */
  exceeded: SyncOutcome['exceeded'];
  private readonly outputs: Output[] = [];
  private readonly inputs: Input[] = [];
  private totalLeft: number;

  constructor(
    private readonly libc: Libc,
    { stdin, stdout, stderr, sendBuffers }: ParentEnds,
    { input, sendBuffers: data, limit, stderrTail }: SyncRequest,
  ) {
    this.totalLeft = limit.total;
    if (stdout !== undefined) this.addOutput('stdout', stdout, limit.stdout, undefined);
    if (stderr !== undefined) this.addOutput('stderr', stderr, limit.stderr, stderrTail);
    if (stdin !== undefined) this.addInput(stdin, input);
    for (let index = 0; index < sendBuffers.length; index++) this.addInput(sendBuffers[index] ?? -1, data[index]);
  }

  private addOutput(name: OutputName, fd: number, limit: number, tail: number | undefined): void {
    const isTail = tail !== undefined;
    this.outputs.push({
      name,
      fd,
      kept: isTail ? new LastBytes(tail) : new GrowingBytes(this.libc, limit),
      limit: isTail ? Infinity : limit,
      tail: isTail,
      truncated: false,
      incomplete: false,
    });
    this.open++;
    if (!isTail) this.awaited++;
  }

  private addInput(fd: number, data = nothing): void {
    this.inputs.push({ fd, data, written: 0 });
    this.open++;
    this.awaited++;
  }

  /** How many entries {@link fill} may need. */
  get most(): number {
    return this.outputs.length + this.inputs.length;
  }

  /** Puts what is to be waited for into an array of `struct pollfd`; how many they are. */
  fill(set: Int32Array): number {
    let count = 0;
    for (const { fd } of this.outputs) {
      if (fd < 0) continue;
      set[count++] = fd;
      set[count++] = LINUX.POLLIN;
    }
    for (const { fd } of this.inputs) {
      if (fd < 0) continue;
      set[count++] = fd;
      set[count++] = LINUX.POLLOUT;
    }
    return count / 2;
  }

  /** Deals with what poll(2) found in the array as it was filled. */
  take(set: Int32Array): void {
    const { open } = this;
    let at = 1;
    for (const output of this.outputs) {
      if (output.fd < 0) continue;
      const happened = (set[at] ?? 0) >>> 16;
      at += 2;
      // The last writer is gone: what is left needs no further wait.
      if ((happened & LINUX.POLLHUP) !== 0) this.readRest(output);
      else if (happened !== 0) this.read(output);
    }
    for (const input of this.inputs) {
      if (input.fd < 0) continue;
      if ((set[at] ?? 0) >>> 16 !== 0) this.write(input);
      at += 2;
    }
    // A program that exits closes all at once: by now the others have mostly ended too, which saves a wait.
    if (this.open < open && this.open > 0) for (const output of this.outputs) this.read(output);
  }

  /** Writes what fits, and reads what is there. */
  pump(): void {
    for (const output of this.outputs) this.read(output);
    this.feed();
  }

  /** Writes what fits. */
  feed(): void {
    for (const input of this.inputs) this.write(input);
  }

  /** Reads what is in the pipes, to the end of each or as much as can have been in it. */
  readLast(): void {
    for (const output of this.outputs) {
      this.readRest(output);
      if (output.fd >= 0 && !output.tail) output.incomplete = true;
    }
  }

  /** What was kept of a stream; `undefined`: it was no pipe. */
  bytes(name: OutputName): Uint8Array | undefined {
    for (const output of this.outputs) if (output.name === name) return output.kept.take();
    return undefined;
  }

  /** Whether all is there, and if it is not, which one is not alone. */
  completeness(): Pick<SyncOutcome, 'outputComplete' | 'incomplete'> {
    const [one, other] = this.outputs.filter(({ incomplete }) => incomplete);
    return { outputComplete: one === undefined, incomplete: other === undefined ? one?.name : undefined };
  }

  /** Closes what is open. */
  close(): void {
    for (const output of this.outputs) this.closeOutput(output);
    for (const input of this.inputs) this.closeInput(input);
  }

  private readRest(output: Output): void {
    for (let chunk = 0; chunk < lastChunks && this.read(output); chunk++);
  }

  /** Reads once; whether there may be more. */
  private read(output: Output): boolean {
    if (output.fd < 0) return false;
    const { kept, tail, truncated } = output;
    const room = tail ? Infinity : Math.min(output.limit - kept.length, this.totalLeft);
    const space = truncated ? scratchBuffer() : kept.space();
    // One byte more than is allowed tells that there is more.
    const wanted = truncated || room >= space.length ? space.length : room + 1;
    const count = this.libc.read(output.fd, space, wanted);
    if (count === -errno.EINTR) return true;
    if (count === -errno.EAGAIN) return false;
    if (count <= 0) {
      this.closeOutput(output);
      if (count < 0 && !tail) output.incomplete = true;
      return false;
    }
    if (truncated) return true;
    const taken = Math.min(count, room);
    kept.add(taken);
    if (!tail) this.totalLeft -= taken;
    if (taken < count) this.exceed(output);
    return true;
  }

  private exceed(output: Output): void {
    output.truncated = true;
    output.incomplete = true;
    this.exceeded ??= output.kept.length === output.limit ? output.name : 'total';
  }

  private write(input: Input): void {
    while (input.fd >= 0) {
      const { data, written } = input;
      const rest = written === 0 ? data : data.subarray(written);
      const count = rest.length === 0 ? 0 : this.libc.write(input.fd, rest, rest.length);
      if (count === -errno.EINTR) continue;
      if (count === -errno.EAGAIN) return;
      input.written += Math.max(count, 0);
      // EPIPE: it does not want to read; that is its business.
      if (count < 0 || input.written === data.length) this.closeInput(input);
    }
  }

  private closeOutput(output: Output): void {
    if (output.fd < 0) return;
    closeBound(this.libc, output.fd);
    output.fd = -1;
    this.open--;
    if (!output.tail) this.awaited--;
  }

  private closeInput(input: Input): void {
    if (input.fd < 0) return;
    closeBound(this.libc, input.fd);
    input.fd = -1;
    this.open--;
    this.awaited--;
  }
}
