/** Output of a blocking run, read straight to where it stays. */
import type { Libc } from './libc';
import { LINUX } from './struct';

const kib = 1024;
const mib = 1024 * kib;
/** Below, output is copied from a buffer that all runs share: most programs write little. */
const small = 128 * kib;
const growth = 16 * mib;
/** What V8 reserves, at most: address space, not memory. */
const largest = 2 ** 32 - 1;
/** Large pages of the kernel, on every supported architecture with pages of 4 KiB. */
const largePage = 2 * mib;
const leastRead = 64 * kib;

/** One for all runs of this thread; synchronous runs do not overlap. */
let scratch: Buffer | undefined;

/** Where output goes that nobody keeps where it is read. */
export function scratchBuffer(): Buffer {
  return (scratch ??= Buffer.allocUnsafeSlow(leastRead));
}

/** All that a stream writes. It grows in place: neither a list of chunks nor a copy takes the memory twice. */
export class GrowingBytes {
  length = 0;
  private readonly chunks: Buffer[] = [];
  /** Resizable where there is the address space for it. */
  private memory: ArrayBuffer | undefined;
  private view: Buffer | undefined;

  constructor(
    private readonly libc: Libc,
    /** Most bytes that can come. */
    private readonly limit: number,
  ) {}

  /** Where the next bytes may be put, before {@link add}; never empty. */
  space(): Buffer {
    if (this.view === undefined) return scratchBuffer();
    if (this.view.length - this.length < leastRead) this.view = this.grow(this.length + leastRead);
    return this.view.subarray(this.length);
  }

  /** So many bytes were put there. */
  add(count: number): void {
    if (this.view !== undefined) {
      this.length += count;
      return;
    }
    this.chunks.push(Buffer.from(scratchBuffer().subarray(0, count)));
    this.length += count;
    if (this.length < small) return;
    this.view = this.grow(4 * small);
    let at = 0;
    for (const chunk of this.chunks.splice(0)) at += chunk.copy(this.view, at);
  }

  private grow(least: number): Buffer {
    const before = this.memory;
    const size = before?.byteLength ?? 0;
    const wanted = Math.max(least, Math.min(2 * size, size + growth));
    try {
      this.memory ??= new ArrayBuffer(0, { maxByteLength: Math.min(this.limit + 2 * leastRead, largest) });
      this.memory.resize(Math.min(wanted, Math.max(least, this.memory.maxByteLength)));
    } catch {
      // No address space, or it is used up: from here on it is copied when it grows.
      const bytes = Buffer.allocUnsafeSlow(Math.max(wanted, 2 * size));
      if (before !== undefined) bytes.set(new Uint8Array(before, 0, this.length));
      this.memory = bytes.buffer;
      return bytes;
    }
    const view = Buffer.from(this.memory, 0, this.memory.byteLength);
    this.useLargePages(view, size);
    return view;
  }

  /**
   * To memory that every function takes. From the end, giving back large page by large page, so that both together are
   * hardly larger than one; with large pages it takes half the time that it takes without.
   */
  private moveToFixed(memory: ArrayBuffer, length: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(length);
    this.useLargePages(bytes, 0);
    for (let end = length; end > 0;) {
      const start = (Math.ceil(end / largePage) - 1) * largePage;
      bytes.set(new Uint8Array(memory, start, end - start), start);
      memory.resize(start);
      end = start;
    }
    return bytes;
  }

  /** First touches of pages take most of the time of a large capture. It is advice: a kernel without them loses nothing. */
  private useLargePages(bytes: Buffer, from: number): void {
    if (bytes.length < growth) return;
    const address = this.libc.driver.address(bytes);
    const begin = Math.ceil((address + from) / largePage) * largePage;
    const end = Math.floor((address + bytes.length) / largePage) * largePage;
    if (end > begin) this.libc.madvise(begin, end - begin, LINUX.MADV_HUGEPAGE);
  }

  /** All in one; if it is not very large, perhaps in memory that is resizable. */
  take(): Buffer {
    const { chunks, memory, view, length } = this;
    if (view !== undefined) {
      if (memory?.resizable !== true) return view.subarray(0, length);
      if (length >= growth) return this.moveToFixed(memory, length);
      memory.resize(length);
      return Buffer.from(memory);
    }
    return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, length);
  }
}

/** The last bytes of what a stream writes. */
export class LastBytes {
  private kept: Buffer = Buffer.alloc(0);

  constructor(private readonly size: number) {}

  get length(): number {
    return this.kept.length;
  }

  space(): Buffer {
    return scratchBuffer();
  }

  add(count: number): void {
    const chunk = scratchBuffer().subarray(0, count);
    const before = this.kept.subarray(Math.max(0, this.kept.length + count - this.size));
    this.kept = Buffer.concat([before, chunk.subarray(Math.max(0, count - this.size))]);
  }

  take(): Buffer {
    return this.kept;
  }
}
