/** What is kept of an output stream: exact to the byte at a limit, or only its end. */

/** Bytes that streams may keep together. */
export interface Budget {
  left: number;
}

/** What is kept of one stream. */
export interface Kept {
  /** Takes what the program wrote. The chunk is copied if `reused`. */
  take(chunk: Uint8Array, reused?: boolean): void;
  /** Everything that was kept, in one piece. */
  bytes(): Buffer;
}

const asBuffer = (chunk: Uint8Array): Buffer => Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);

/** Keeps a stream up to a limit of its own and one in common with others. */
export class Capture implements Kept {
  private chunks: Buffer[] = [];
  private length = 0;
  /** Bytes were dropped. */
  truncated = false;

  /** `exceeded` is called once, with the limit that is reached. */
  constructor(
    private readonly limit: number,
    private readonly total: Budget,
    private readonly exceeded: (which: 'own' | 'total') => void,
  ) {}

  take(chunk: Uint8Array, reused = false): void {
    if (this.truncated) return;
    const room = Math.min(this.limit - this.length, this.total.left);
    let piece = asBuffer(chunk);
    if (chunk.length > room) {
      piece = piece.subarray(0, room);
      this.truncated = true;
    }
    if (piece.length > 0) {
      // A small piece of a big buffer would keep the whole of it.
      const copy = reused || piece.buffer.byteLength > 2 * piece.length;
      this.chunks.push(copy ? Buffer.from(piece) : piece);
      this.length += piece.length;
      this.total.left -= piece.length;
    }
    if (this.truncated) this.exceeded(this.limit - this.length === 0 ? 'own' : 'total');
  }

  bytes(): Buffer {
    const [first] = this.chunks;
    if (first === undefined || this.chunks.length > 1) this.chunks = [Buffer.concat(this.chunks, this.length)];
    return this.chunks[0] ?? Buffer.alloc(0);
  }
}

/** Keeps the last bytes of a stream, for error messages. */
export class Tail implements Kept {
  private kept: Buffer = Buffer.alloc(0);

  constructor(private readonly size: number) {}

  take(chunk: Uint8Array): void {
    if (chunk.length >= this.size) this.kept = Buffer.from(asBuffer(chunk).subarray(-this.size));
    else this.kept = Buffer.concat([this.kept, chunk]).subarray(-this.size);
  }

  bytes(): Buffer {
    return this.kept;
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
export function tailText(bytes: Buffer): string {
  const tail = bytes.subarray(-tailSize);
  let start = 0;
  while (start < Math.min(3, tail.length) && ((tail[start] ?? 0) & 0xc0) === 0x80) start++;
  return tail.subarray(bytes.length >= tailSize ? start : 0).toString('utf8');
}
