/**
 * The driver over `ffi-napi` and `ref-napi`, which the application installs itself. It crashes the process in worker
 * threads, so it refuses there.
 *
 * Its own call path allocates two buffers and more for every call (15 µs). This one prepares a call once: the storage of
 * the arguments belongs to the function, which is safe because calls are synchronous, never nest (nothing calls back)
 * and happen on one thread only.
 */
import { exactAddress, type Driver, type NativeFunction, type Parameter, type Result } from './driver';
import { requireFromHere } from './packages';

/** What is used of `ref-napi` 3. */
interface Ref {
  address(buffer: Uint8Array): number;
  /** The memory that the pointer stored in `buffer` points to. */
  readPointer(buffer: Buffer, offset: number, length: number): Buffer;
  /** Stores the address of `target`; keeps nothing alive. */
  _writePointer(buffer: Buffer, offset: number, target: Uint8Array): void;
}
/** What is used of `ffi-napi` 4. */
interface Ffi {
  DynamicLibrary: new (path: null) => { get(symbol: string): Buffer };
  CIF(result: string, parameters: readonly string[]): Buffer;
}
interface Bindings {
  readonly ffi_call: (cif: Buffer, target: Buffer, result: Buffer, args: Buffer) => void;
}

const parameterTypes: Readonly<Record<Parameter, string>> = {
  int: 'int',
  long: 'long',
  buffer: 'size_t',
  address: 'size_t',
};
const resultTypes: Readonly<Record<Result, string>> = { int: 'int', address: 'size_t' };

/** A pointer is two halves of 32 bits on the little-endian machines that the prebuilt binaries exist for. */
const readAddress = (words: Uint32Array): number => exactAddress((words[0] ?? 0) + (words[1] ?? 0) * 2 ** 32);

/** Throws what loading the two packages throws, or why they cannot be used here. */
export function loadFfiNapi(): Driver {
  // Not imported: it would cost a launcher with another driver more than all the rest of its code.
  if (!process.getBuiltinModule('node:worker_threads').isMainThread) {
    throw new Error('ffi-napi crashes the process (SIGSEGV) when it is used in a worker thread; use koffi there');
  }
  const require = requireFromHere();
  const ref = require('ref-napi') as Ref;
  const ffi = require('ffi-napi') as Ffi;
  const { ffi_call: call } = require('ffi-napi/lib/bindings') as Bindings;
  const libc = new ffi.DynamicLibrary(null);

  const symbol = (name: string): Buffer | undefined => {
    try {
      return libc.get(name);
    } catch {
      return undefined;
    }
  };

  const bind = (name: string, result: Result, parameters: readonly Parameter[]): NativeFunction | undefined => {
    const target = symbol(name);
    if (target === undefined) return undefined;
    const cif = ffi.CIF(
      resultTypes[result],
      parameters.map((parameter) => parameterTypes[parameter]),
    );
    const storage = Buffer.alloc(8 * Math.max(parameters.length, 1));
    const slots = Buffer.alloc(8 * Math.max(parameters.length, 1));
    parameters.forEach((_, index) => {
      ref._writePointer(slots, 8 * index, storage.subarray(8 * index));
    });
    const values = new BigInt64Array(storage.buffer, storage.byteOffset, storage.length / 8);
    const halves = new Int32Array(storage.buffer, storage.byteOffset, storage.length / 4);
    const returned = Buffer.alloc(8);
    const returnedInt = new Int32Array(returned.buffer, returned.byteOffset, 2);
    const returnedWords = new Uint32Array(returned.buffer, returned.byteOffset, 2);
    return (...args) => {
      for (let index = 0; index < parameters.length; index++) {
        const value = args[index] ?? 0;
        if (typeof value !== 'number') ref._writePointer(storage, 8 * index, value);
        else if (value >= -0x80000000 && value <= 0x7fffffff) {
          halves[2 * index] = value;
          halves[2 * index + 1] = value < 0 ? -1 : 0;
        } else values[index] = BigInt(value);
      }
      call(cif, target, returned, slots);
      return result === 'int' ? (returnedInt[0] ?? 0) : readAddress(returnedWords);
    };
  };

  // errno of the main thread stays where it is: a look at memory cannot disturb it.
  const location = Buffer.alloc(8);
  const locate = symbol('__errno_location');
  if (locate === undefined) throw new Error('this libc has no __errno_location()');
  call(ffi.CIF('size_t', []), locate, location, Buffer.alloc(8));
  const live = ref.readPointer(location, 0, 4);
  const errno = new Int32Array(live.buffer, live.byteOffset, 1);

  return {
    name: 'ffi-napi',
    bind,
    errno: () => errno[0] ?? 0,
    symbol(name) {
      const found = symbol(name);
      return found === undefined ? undefined : exactAddress(ref.address(found));
    },
    address: (buffer) => exactAddress(ref.address(buffer)),
    view(address, length) {
      // ref-napi remembers array buffers by where they begin, and may take one whose memory is another's by now (one that
      // was transferred is empty). Those of JavaScript begin at multiples of 16, and so none begins here.
      const before = (address % 16) + 8;
      const pointer = Buffer.alloc(8);
      pointer.writeBigUInt64LE(BigInt(address - before));
      return ref.readPointer(pointer, 0, before + length).subarray(before);
    },
  };
}
