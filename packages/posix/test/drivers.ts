/** libc through each driver that this Node can have. */
import { DRIVER_NAMES, type DriverName } from '../src/ffi';
import { libcThrough, type Libc } from '../src/libc';

const [major = 0] = process.versions.node.split('.').map(Number);

export const usableDrivers: readonly DriverName[] = DRIVER_NAMES.filter((name) => name !== 'node' || major >= 26);

/** Runs the same tests on each driver. */
export function onEachDriver(define: (libc: Libc, name: DriverName) => void): void {
  for (const name of usableDrivers) {
    describe(`with the driver ${name}`, () => {
      define(libcThrough(name), name);
    });
  }
}
