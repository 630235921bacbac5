/**
 * Memory for what `posix_spawn` reads: the path, and the arrays of pointers to the strings of argv and environment, in one
 * buffer that is used again for every start, so that a start allocates nothing.
 */
import { planBytes, type PlanString } from '@vircommand/core/backend';
import type { Driver } from './ffi';

const usualSize = 64 * 1024;
/** The kernel refuses more than 6 MiB; this only keeps a mistake from taking all memory. */
const largestSize = 64 * 1024 * 1024;

/** A string, or a number of strings, that no program can be given. */
export class UnsendableError extends Error {
  constructor(readonly code: 'EINVAL' | 'E2BIG') {
    super(code === 'E2BIG' ? 'argument list too long' : 'a string contains a NUL byte');
  }
}

/** Environment entries, as a plan has them. */
export type Entries = readonly (readonly [name: string, value: PlanString])[];

export class Arena {
  /** Address of the path. Like the others it is right until the next {@link pack}. */
  path = 0;
  /** Address of argv. */
  argv = 0;
  /** Address of the environment's array; 0 if none was given. */
  envp = 0;
  private bytes = Buffer.alloc(0);
  private words = new Uint32Array(0);
  private base = 0;
  private used = 0;
  /** Where the strings begin. What is behind `count` is of a start before. */
  private readonly offsets: number[] = [];
  private count = 0;

  constructor(private readonly driver: Pick<Driver, 'address'>) {
    this.allocate(usualSize);
  }

  /**
   * Lays out everything for one start.
   *
   * @throws UnsendableError
   */
  pack(path: PlanString, argv: readonly PlanString[], env: Entries | undefined): void {
    this.used = 0;
    this.count = 0;
    // What one long command needed is not kept for ever.
    if (this.bytes.length > 16 * usualSize) {
      this.allocate(usualSize);
      this.offsets.length = 0;
    }
    this.add(path);
    for (const text of argv) this.add(text);
    if (env !== undefined) for (const [name, value] of env) this.add(value, name + '=');
    // Addresses are known only now that the buffer has its size.
    this.reserve(8 * (this.count + 3));
    this.used = (this.used + 7) & ~7;
    this.path = this.base;
    this.argv = this.pointers(1, 1 + argv.length);
    this.envp = env === undefined ? 0 : this.pointers(1 + argv.length, this.count);
  }

  private allocate(size: number): void {
    const before = this.bytes;
    this.bytes = Buffer.allocUnsafeSlow(size);
    before.copy(this.bytes, 0, 0, this.used);
    this.words = new Uint32Array(this.bytes.buffer, 0, size / 4);
    this.base = this.driver.address(this.bytes);
  }

  private reserve(length: number): void {
    const needed = this.used + length;
    if (needed > largestSize) throw new UnsendableError('E2BIG');
    if (needed > this.bytes.length) this.allocate(2 ** Math.ceil(Math.log2(needed)));
  }

  private add(text: PlanString, prefix = ''): void {
    const offset = this.used;
    if (typeof text === 'string' && prefix === '' && this.addShort(text)) {
      // Nearly always.
    } else if (typeof text === 'string') {
      const whole = prefix === '' ? text : prefix + text;
      if (whole.includes('\0')) throw new UnsendableError('EINVAL');
      this.reserve(whole.length * 3 + 1);
      this.used += this.bytes.write(whole, offset, 'utf8');
    } else {
      const bytes = planBytes(text);
      if (bytes.includes(0) || prefix.includes('\0')) throw new UnsendableError('EINVAL');
      this.reserve(prefix.length * 3 + bytes.length + 1);
      this.used += this.bytes.write(prefix, offset, 'utf8');
      this.used += bytes.copy(this.bytes, this.used);
    }
    this.bytes[this.used++] = 0;
    this.offsets[this.count++] = offset;
  }

  /** Short text of ASCII is written without a call into C++; whether it was that. */
  private addShort(text: string): boolean {
    const { length } = text;
    if (length > 64) return false;
    this.reserve(length + 1);
    const { bytes, used } = this;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code === 0 || code > 0x7f) return false;
      bytes[used + index] = code;
    }
    this.used = used + length;
    return true;
  }

  /** Writes a NULL-terminated array of pointers to strings; the address of the array. */
  private pointers(first: number, end: number): number {
    const start = this.used;
    let word = start / 4;
    for (let index = first; index < end; index++) {
      const address = this.base + (this.offsets[index] ?? 0);
      this.words[word++] = address; // Modulo 2^32.
      this.words[word++] = address / 2 ** 32;
    }
    this.words[word++] = 0;
    this.words[word++] = 0;
    this.used = word * 4;
    return this.base + start;
  }
}
