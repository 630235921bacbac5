/**
 * The driver over `node:ffi`, built into Node 26 and later. Experimental there: Node prints a warning when it is loaded.
 * Works in worker threads.
 */
import { exactAddress, type Argument, type Driver, type NativeFunction, type Parameter, type Result } from './driver';
import { requireFromHere } from './packages';

type NativeArgument = number | bigint | Uint8Array | null;

/** What is used of `node:ffi`; the types of the oldest supported Node do not have it. */
interface NodeFfi {
  DynamicLibrary: new (path: null) => {
    getSymbol(name: string): bigint;
    getFunction(
      name: string,
      signature: { readonly return: string; readonly arguments: readonly string[] },
    ): (...args: NativeArgument[]) => number | bigint;
  };
  getRawPointer(buffer: Uint8Array): bigint;
  toArrayBuffer(pointer: bigint, length: number, copy: boolean): ArrayBuffer;
}

const parameterTypes: Readonly<Record<Parameter, string>> = {
  int: 'int32',
  long: 'int64',
  buffer: 'pointer',
  address: 'uint64',
};
const resultTypes: Readonly<Record<Result, string>> = { int: 'int32', address: 'uint64' };

/** Its 64-bit parameters take nothing but BigInts. */
function converter(parameters: readonly Parameter[]): (args: Argument[]) => NativeArgument[] {
  const wide = parameters.flatMap((parameter, index) =>
    parameter === 'long' || parameter === 'address' ? [index] : [],
  );
  return (args: NativeArgument[]) => {
    for (const index of wide) args[index] = BigInt(args[index] as number);
    return args;
  };
}

/** Throws what loading `node:ffi` throws: it is absent before Node 26 and with `--no-experimental-ffi`. */
export function loadNodeFfi(): Driver {
  const ffi = requireFromHere()('node:ffi') as NodeFfi;
  const libc = new ffi.DynamicLibrary(null);
  const symbol = (name: string): bigint | undefined => {
    try {
      return libc.getSymbol(name);
    } catch {
      return undefined;
    }
  };
  const bind = (name: string, result: Result, parameters: readonly Parameter[]): NativeFunction | undefined => {
    if (symbol(name) === undefined) return undefined;
    const types = parameters.map((parameter) => parameterTypes[parameter]);
    const native = libc.getFunction(name, { return: resultTypes[result], arguments: types });
    if (result === 'address') {
      const convert = converter(parameters);
      return (...args) => exactAddress(native(...convert(args)));
    }
    if (!types.includes('int64') && !types.includes('uint64')) return native as NativeFunction;
    const convert = converter(parameters);
    return (...args) => native(...convert(args)) as number;
  };
  const locate = libc.getFunction('__errno_location', { return: 'uint64', arguments: [] });
  // errno of this thread stays where it is for as long as the thread lives: a look at memory cannot disturb it.
  const errno = new Int32Array(ffi.toArrayBuffer(BigInt(locate()), 4, false));
  return {
    name: 'node',
    bind,
    errno: () => errno[0] ?? 0,
    symbol(name) {
      const found = symbol(name);
      return found === undefined ? undefined : exactAddress(found);
    },
    address: (buffer) => exactAddress(ffi.getRawPointer(buffer)),
    view: (address, length) => new Uint8Array(ffi.toArrayBuffer(BigInt(address), length, false)),
  };
}
