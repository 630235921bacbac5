/** libc through each driver that this Node can have. */
import { DRIVER_NAMES, type DriverName } from '../src/ffi';
import { libcThrough, type Libc } from '../src/libc';

const loaded = new Map<DriverName, Libc | string>();
for (const name of DRIVER_NAMES) {
  try {
    loaded.set(name, libcThrough(name));
  } catch (error) {
    loaded.set(name, error instanceof Error ? error.message : String(error));
  }
}

export const usableDrivers = DRIVER_NAMES.filter((name) => typeof loaded.get(name) === 'object');

/** Runs the same tests on each driver, and says which cannot be had here. */
export function onEachDriver(define: (libc: Libc, name: DriverName) => void): void {
  for (const [name, libc] of loaded) {
    describe(`with the driver ${name}`, () => {
      if (typeof libc === 'object') define(libc, name);
      else it.skip(libc);
    });
  }
}
