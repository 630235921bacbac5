/**
 * The default driver: koffi, by its prebuilt binaries for glibc and musl. Works in worker threads. The package `koffi`
 * itself would bring a script to run at the installation, which package managers warn of or refuse; types come from it.
 */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { exactAddress, type Driver, type NativeFunction, type Parameter, type Result } from './driver';
import { requireFromHere } from './packages';

const parameterTypes: Readonly<Record<Parameter, string>> = {
  int: 'int',
  long: 'long',
  buffer: 'void *',
  address: 'uintptr_t',
};
const resultTypes: Readonly<Record<Result, string>> = { int: 'int', address: 'uintptr_t' };

type Koffi = Pick<typeof import('koffi'), 'load' | 'address' | 'errno' | 'view'>;

/** Throws what loading koffi throws. */
export function loadKoffi(): Driver {
  const driver = loadKoffiPackage();
  surviveClosedStdio(driver);
  return driver;
}

function loadKoffiPackage(): Driver {
  const packageOfBinaries = `@koromix/koffi-linux-${process.arch}`;
  const require = requireFromHere();
  try {
    return loadKoffiAddon(join(dirname(require.resolve(packageOfBinaries)), addonForLibc()));
  } catch {
    // It is laid out in another way: the package finds out itself, or says what is wrong.
    return driverOver(require(packageOfBinaries) as Koffi);
  }
}

/**
 * When the process exits, koffi flushes descriptors 1 and 2. Where 1 is closed it complains, and where 2 is closed it waits for
 * itself, for ever. Functions that were registered later run before: one for each number that may be free, which it fills. As they
 * are libc's own, no listener is needed that somebody may remove, and no thread. The launcher and a spawner thread need none: the
 * one never exits, and the other is not the first that loads koffi.
 */
function surviveClosedStdio(driver: Driver): void {
  const atExit = driver.bind('__cxa_atexit', 'int', ['address', 'address', 'address']);
  // It takes no path, nor anything else that can be denied: Node has its own by the same call.
  const fill = driver.symbol('epoll_create1');
  if (atExit === undefined || fill === undefined) return;
  for (let number = 0; number < 3; number++) atExit(fill, 0, 0);
}

/** What the package looks up in the headers of Node's executable, which takes it longer than to load the addon. */
function addonForLibc(): string {
  const libc = readFileSync('/proc/self/maps', 'latin1').includes('/ld-musl-') ? 'musl' : 'linux';
  return `${libc}_${process.arch}/koffi.node`;
}

/**
 * Through the addon alone, which takes a launcher much less time than the package around it.
 *
 * @param file of the addon, as {@link koffiAddon} finds it
 */
export function loadKoffiAddon(file: string): Driver {
  const module = { exports: {} };
  process.dlopen(module, file, constants.dlopen.RTLD_LAZY | RTLD_NODELETE);
  loadedFile = file;
  return driverOver(module.exports as Koffi);
}

/** Otherwise the end of the only worker thread that has it unloads it, and that flushes as an exit does. */
const RTLD_NODELETE = 0x1000;

let loadedFile: string | undefined;

/** The file of the addon that this loaded; `undefined` if the package found it itself. */
export const koffiAddon = (): string | undefined => loadedFile;

function driverOver(koffi: Koffi): Driver {
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
