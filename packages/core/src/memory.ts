/** Memory for output whose size nobody knows: it grows without being copied, and is a Buffer like any other. */

const mib = 1 << 20;
const page = 64 << 10;
const mostPages = 65_536;
/** Up to this size a larger block is taken instead: what is copied is little, and growing in place has a price to set up. */
const smallBlock = 16 * mib;
const step = 16 * mib;

interface GrowingBlock {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
type BlockConstructor = new (size: { readonly initial: number; readonly maximum: number }) => GrowingBlock;

/**
 * The memory of WebAssembly grows in place, and its buffer has a fixed size all the same: `new Response()` and others take
 * no resizable ArrayBuffer, and making one of fixed size of it is a copy. Absent under `--jitless`.
 */
const Block = (Reflect.get(globalThis, 'WebAssembly') as { readonly Memory?: BlockConstructor } | undefined)?.Memory;

const pagesFor = (bytes: number): number => Math.ceil(bytes / page);

/** Where there is none yet. */
const nothing = Buffer.alloc(0);

/** One stretch of memory. */
export class GrowingMemory {
  private block: GrowingBlock | undefined;
  /** It could not be had, or is full. */
  private withoutBlock = Block === undefined;
  private bytes: Buffer = nothing;

  /**
   * `most`: bytes that will ever be needed. `expect` is told of memory that will be filled, before it is touched: a place
   * to ask the system for large pages.
   */
  constructor(
    private readonly most: number,
    private readonly expect?: (memory: Uint8Array) => void,
  ) {}

  /**
   * All of the memory, at least so many bytes, with the first `used` ones as they were. What was returned before must not
   * be used any more.
   *
   * @throws RangeError if there is no memory.
   */
  reserve(least: number, used: number): Buffer {
    const size = this.bytes.length;
    if (least > size) this.bytes = this.larger(least, size, used);
    return this.bytes;
  }

  private larger(least: number, size: number, used: number): Buffer {
    const wanted = Math.max(least, Math.min(size < smallBlock ? 4 * size : size + step, this.most));
    if (wanted > smallBlock && !this.withoutBlock) {
      try {
        return this.inPlace(wanted, used);
      } catch {
        // No address space. The memory that there is stays valid until it is copied.
        this.withoutBlock = true;
      }
    }
    // It is copied when it grows, so it grows by more.
    const bytes = Buffer.allocUnsafeSlow(
      wanted > smallBlock ? Math.max(wanted, Math.min(2 * size, this.most)) : wanted,
    );
    this.expect?.(bytes);
    this.bytes.copy(bytes, 0, 0, used);
    this.block = undefined;
    return bytes;
  }

  private inPlace(wanted: number, used: number): Buffer {
    if (this.block !== undefined) {
      const size = this.bytes.length;
      this.block.grow(pagesFor(wanted - size));
      const larger = Buffer.from(this.block.buffer);
      this.expect?.(larger.subarray(size));
      return larger;
    }
    if (Block === undefined || wanted > mostPages * page) throw new RangeError('too much');
    const maximum = Math.min(mostPages, pagesFor(Math.max(this.most, wanted)));
    const block = new Block({ initial: pagesFor(wanted), maximum });
    const bytes = Buffer.from(block.buffer);
    this.expect?.(bytes);
    this.bytes.copy(bytes, 0, 0, used);
    this.block = block;
    return bytes;
  }
}
