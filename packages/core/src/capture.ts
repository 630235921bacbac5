/** What is kept of an output stream: exact to the byte at a limit, or only its end. */
import { GrowingMemory } from './memory';
import type { TextEncoding } from './types';

/** Bytes that streams may keep together. */
export interface Budget {
  left: number;
}

/** What is kept of one stream. */
export interface Kept {
  /** Takes what the program wrote. The chunk is copied if `reused`. */
  take(chunk: Uint8Array, reused?: boolean): void;
  /** Everything that was kept. */
  bytes(): Buffer;
}

const asBuffer = (chunk: Uint8Array): Buffer => Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);

/**
 * From here on the output moves to memory that grows in place. Chunks that are ours can be put together at the end, which
 * is quicker as long as the new memory of both is small; those that are read into again have to be copied at once.
 */
const largeOwn = 32 << 20;
const largeReused = 1 << 20;

/** Keeps a stream up to a limit of its own and one in common with others. */
export class Capture implements Kept {
  private chunks: Buffer[] = [];
  private memory: GrowingMemory | undefined;
  /** Not large yet. */
  private inChunks = true;
  private length = 0;
  /** Bytes were dropped. */
  truncated = false;

  /** `exceeded` is called once, with the limit that is reached. `expect`: as {@link GrowingMemory}'s. */
  constructor(
    private readonly limit: number,
    private readonly total: Budget,
    private readonly exceeded: (which: 'own' | 'total') => void,
    private readonly expect?: (memory: Uint8Array) => void,
  ) {}

  take(chunk: Uint8Array, reused = false): void {
    if (this.truncated) return;
    const room = Math.min(this.limit - this.length, this.total.left);
    let piece = asBuffer(chunk);
    if (chunk.length > room) {
      piece = piece.subarray(0, room);
      this.truncated = true;
    }
    if (piece.length > 0) this.keep(piece, reused);
    if (this.truncated) this.exceeded(this.limit === this.length ? 'own' : 'total');
  }

  private keep(piece: Buffer, reused: boolean): void {
    const length = this.length + piece.length;
    if (this.inChunks && length > (reused ? largeReused : largeOwn)) this.move();
    if (this.memory === undefined || !this.put(this.memory, piece, length)) {
      // A small piece of a big buffer would keep the whole of it.
      this.chunks.push(reused || piece.buffer.byteLength > 2 * piece.length ? Buffer.from(piece) : piece);
    }
    this.length = length;
    this.total.left -= piece.length;
  }

  private put(memory: GrowingMemory, piece: Buffer, length: number): boolean {
    try {
      memory.reserve(length, this.length).set(piece, this.length);
      return true;
    } catch {
      // There is no more: what is there becomes the first chunk.
      [this.chunks, this.memory] = [[memory.reserve(0, this.length).subarray(0, this.length)], undefined];
      return false;
    }
  }

  /** Done once: if the memory cannot be allocated, everything stays in chunks. */
  private move(): void {
    this.inChunks = false;
    const memory = new GrowingMemory(this.limit, this.expect);
    try {
      const bytes = memory.reserve(Math.min(2 * this.length, this.limit), 0);
      let at = 0;
      for (const chunk of this.chunks) at += chunk.copy(bytes, at);
      [this.chunks, this.memory] = [[], memory];
    } catch {
      // No memory: stay in chunks.
    }
  }

  bytes(): Buffer {
    const { memory, length } = this;
    if (length === 0) return Buffer.alloc(0);
    if (memory !== undefined) return memory.reserve(length, length).subarray(0, length);
    if (this.chunks.length !== 1) this.chunks = [Buffer.concat(this.chunks, length)];
    return this.chunks[0] ?? Buffer.alloc(0);
  }
}

/** Keeps the last bytes of a stream, for error messages. */
export class Tail implements Kept {
  private memory: Buffer | undefined;
  private length = 0;

  constructor(private readonly size: number) {}

  take(chunk: Uint8Array): void {
    const { size } = this;
    const piece = asBuffer(chunk).subarray(-size);
    // Twice as much as is kept, so that small pieces move it now and then only.
    const memory = (this.memory ??= Buffer.allocUnsafe(2 * size));
    if (this.length + piece.length > memory.length) {
      memory.copyWithin(0, this.length - size, this.length);
      this.length = size;
    }
    memory.set(piece, this.length);
    this.length += piece.length;
  }

  bytes(): Buffer {
    return this.memory?.subarray(Math.max(0, this.length - this.size), this.length) ?? Buffer.alloc(0);
  }
}

/** How much of stderr is kept for error messages, in bytes. */
export const tailSize = 8192;

/** Bytes as text; `cut`: the end may be in the middle of a character, which is then left out. */
export function decodeText(bytes: Buffer, encoding: BufferEncoding, cut: boolean): string {
  return (cut ? bytes.subarray(0, wholeCharacters(bytes, encoding)) : bytes).toString(encoding);
}

/** How many bytes are whole characters, as far as one can tell from the end. */
function wholeCharacters(bytes: Buffer, encoding: BufferEncoding): number {
  const { length } = bytes;
  if (encoding === 'utf16le') {
    const even = length - (length % 2);
    const last = even >= 2 ? bytes.readUInt16LE(even - 2) : 0;
    return last >= 0xd800 && last < 0xdc00 ? even - 2 : even;
  }
  if (encoding !== 'utf8') return length;
  for (let back = 1; back <= Math.min(3, length); back++) {
    const byte = bytes[length - back] ?? 0;
    if (byte < 0x80) return length;
    // A leading byte: 2, 3 or 4 bytes make the character.
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? length - back : length;
  }
  return length;
}

/** The tail as text: from the first whole character. */
export function tailText(bytes: Buffer, encoding: TextEncoding | 'buffer'): string {
  const tail = bytes.subarray(-tailSize);
  // Two bytes a character would have to be counted from the beginning, which is not kept.
  if (encoding === 'latin1') return tail.toString(encoding);
  let start = 0;
  while (start < Math.min(3, tail.length) && ((tail[start] ?? 0) & 0xc0) === 0x80) start++;
  return tail.subarray(bytes.length >= tailSize ? start : 0).toString('utf8');
}
