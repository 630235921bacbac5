/** Output of a blocking run, read straight to where it stays. */
import { GrowingMemory } from '@vircommand/core/backend';
import type { Libc } from './libc';
import { LINUX } from './linux';

const kib = 1024;
const mib = 1024 * kib;
/** Below, output is copied from a buffer that all runs share: most programs write little. */
const small = 128 * kib;
/** From here on large pages are asked for. */
const large = 16 * mib;
/** Large pages of the kernel, on every supported architecture with pages of 4 KiB. */
const largePage = 2 * mib;
const leastRead = 64 * kib;

/** One for all runs of this thread; synchronous runs do not overlap. */
let scratch: Buffer | undefined;

/** Where output is read to if it is not kept there. */
export function scratchBuffer(): Buffer {
  return (scratch ??= Buffer.allocUnsafeSlow(leastRead));
}

/** First touches of pages take most of the time of a large capture. It is advice: a kernel without them loses nothing. */
export function useLargePages(libc: Libc, memory: Uint8Array): void {
  if (memory.length < large) return;
  const address = libc.driver.address(memory);
  const begin = Math.ceil(address / largePage) * largePage;
  const end = Math.floor((address + memory.length) / largePage) * largePage;
  if (end > begin) libc.madvise(begin, end - begin, LINUX.MADV_HUGEPAGE);
}

/** All that a stream writes. It grows in place: neither a list of chunks nor a copy takes the memory twice. */
export class GrowingBytes {
  length = 0;
  private readonly chunks: Buffer[] = [];
  private memory: GrowingMemory | undefined;
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
    this.memory ??= new GrowingMemory(this.limit + 2 * leastRead, (memory) => {
      useLargePages(this.libc, memory);
    });
    return this.memory.reserve(least, this.length);
  }

  /** All in one. */
  take(): Buffer {
    const { chunks, view, length } = this;
    if (length === 0) return Buffer.alloc(0);
    if (view !== undefined) return view.subarray(0, length);
    return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, length);
  }
}

/** The result of a capture that has kept nothing yet. */
const nothing = Buffer.alloc(0);

/** The last bytes of what a stream writes. */
export class LastBytes {
  private kept: Buffer = nothing;

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
