/** The default driver: koffi, with prebuilt binaries for glibc and musl. Works in worker threads. */
import { exactAddress, type Driver, type NativeFunction, type Parameter, type Result } from './driver';

const parameterTypes: Readonly<Record<Parameter, string>> = {
  int: 'int',
  long: 'long',
  buffer: 'void *',
  address: 'uintptr_t',
};
const resultTypes: Readonly<Record<Result, string>> = { int: 'int', address: 'uintptr_t' };

/** Throws what loading koffi throws. */
export function loadKoffi(): Driver {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded only when it is chosen
  const koffi = require('koffi') as typeof import('koffi');
  const libc = koffi.load(null);
  const symbol = (name: string): unknown => {
    try {
      return libc.symbol(name);
    } catch {
      return undefined;
    }
  };
  return {
    name: 'koffi',
    bind(name, result, parameters) {
      if (symbol(name) === undefined) return undefined;
      return libc.func(
        name,
        resultTypes[result],
        parameters.map((parameter) => parameterTypes[parameter]),
      ) as NativeFunction;
    },
    errno: koffi.errno,
    symbol(name) {
      const found = symbol(name);
      return found === undefined ? undefined : exactAddress(koffi.address(found));
    },
    address: (buffer) => exactAddress(koffi.address(buffer)),
    view: (address, length) => new Uint8Array(koffi.view(BigInt(address), length)),
  };
}
