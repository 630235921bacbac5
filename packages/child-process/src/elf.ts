/** Whether the kernel takes a file for a binary: what `load_elf_binary()` looks at before it answers ENOEXEC. */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { endianness } from 'node:os';

type Bits = 32 | 64;

/** `e_machine` of what a kernel may be able to run. A Node of 32 bits does not know whether its kernel has more. */
type Machines = Readonly<Record<Bits, readonly number[]>>;

const I386 = 3;
const I486 = 6;
// Without x32, which no distribution's kernel runs by itself.
const x86: Machines = { 64: [62], 32: [I386, I486] };
const arm: Machines = { 64: [183], 32: [40] };
/** By Node's name of them; one that is not listed may run anything. */
const machines: Readonly<Record<string, Machines>> = { x64: x86, ia32: x86, arm64: arm, arm };

/** Where a header has what. */
const layouts = {
  32: { phoff: 28, phentsize: 42, phnum: 44, segmentSize: 32, offset: 4, filesz: 16 },
  64: { phoff: 32, phentsize: 54, phnum: 56, segmentSize: 56, offset: 8, filesz: 32 },
} as const;

const executables = [2, 3];
const PT_INTERP = 3;
const mostSegmentBytes = 65_536;
const longestPath = 4096;

/** Numbers of one byte order. */
class Numbers {
  constructor(
    private readonly bytes: Buffer,
    private readonly little: boolean,
  ) {}

  half(at: number): number {
    return this.little ? this.bytes.readUInt16LE(at) : this.bytes.readUInt16BE(at);
  }

  word(at: number): number {
    return this.little ? this.bytes.readUInt32LE(at) : this.bytes.readUInt32BE(at);
  }

  /** An offset or size. */
  long(at: number, bits: Bits): number {
    if (bits === 32) return this.word(at);
    return Number(this.little ? this.bytes.readBigUInt64LE(at) : this.bytes.readBigUInt64BE(at));
  }
}

/** `undefined`: the file ends before. */
function read(fd: number, length: number, position: number): Buffer | undefined {
  if (!Number.isSafeInteger(position)) return undefined;
  const bytes = Buffer.alloc(length);
  return readSync(fd, bytes, 0, length, position) === length ? bytes : undefined;
}

/** The loader's path must end. One that is cut off is another error. */
function hasPath(fd: number, offset: number, length: number): boolean {
  if (length < 2 || length > longestPath) return false;
  return (read(fd, 1, offset + length - 1)?.[0] ?? 0) === 0;
}

/** Whether all is there of which a missing part makes the kernel say ENOEXEC. */
function isWhole(file: Buffer, header: Numbers, bits: Bits, little: boolean): boolean {
  const layout = layouts[bits];
  const count = header.half(layout.phnum);
  const length = count * layout.segmentSize;
  if (header.half(layout.phentsize) !== layout.segmentSize || length === 0 || length > mostSegmentBytes) return false;
  try {
    const fd = openSync(file, 'r');
    try {
      const table = read(fd, length, header.long(layout.phoff, bits));
      return table !== undefined && segmentsEnd(fd, new Numbers(table, little), length, bits);
    } finally {
      closeSync(fd);
    }
  } catch {
    return true; // The start itself shall tell what is wrong.
  }
}

function segmentsEnd(fd: number, segments: Numbers, length: number, bits: Bits): boolean {
  const { segmentSize, offset, filesz } = layouts[bits];
  for (let at = 0; at < length; at += segmentSize) {
    if (segments.word(at) !== PT_INTERP) continue;
    return hasPath(fd, segments.long(at + offset, bits), segments.long(at + filesz, bits));
  }
  return true;
}

/** Whether a kernel of 64 bits runs i386; this can be set for what it runs. A /proc without settings does not tell. */
const runsI386 = (): boolean => existsSync('/proc/sys/abi/vsyscall32') || !existsSync('/proc/sys/kernel');

function runsHere(machine: number, bits: Bits): boolean {
  if (machines[process.arch]?.[bits].includes(machine) === false) return false;
  return process.arch !== 'x64' || (machine !== I386 && machine !== I486) || runsI386();
}

function isExecutable(header: Numbers, head: Buffer): boolean {
  return head.readUInt32BE(0) === 0x7f454c46 && executables.includes(header.half(16));
}

/** Whether this machine runs it. Its class is not looked at, nor its byte order: so does the kernel. */
export function isNativeBinary(file: Buffer, head: Buffer): boolean {
  const little = endianness() === 'LE';
  const header = new Numbers(head, little);
  if (!isExecutable(header, head)) return false;
  const machine = header.half(18);
  return ([64, 32] as const).some((bits) => runsHere(machine, bits) && isWhole(file, header, bits, little));
}

/** Whether any machine runs it, as what it says of itself. */
export function isBinary(file: Buffer, head: Buffer): boolean {
  const little = head[5] === 1;
  const header = new Numbers(head, little);
  return isExecutable(header, head) && isWhole(file, header, head[4] === 1 ? 32 : 64, little);
}
