/** The choice of a driver, and the sentences that say why one cannot be had. */
import { ownVariable } from '../own-variable';
import { shortageIn } from '../shortage';
import { DRIVER_NAMES, type Driver, type DriverName } from './driver';
import { loadFfiNapi } from './ffi-napi';
import { loadKoffi } from './koffi';
import { loadNodeFfi } from './node';

export { DRIVER_NAMES, type Driver, type DriverName } from './driver';

interface Entry {
  readonly load: () => Driver;
  /** What to do when it cannot be loaded. */
  readonly advice: string;
}

const drivers: Readonly<Record<DriverName, Entry>> = {
  koffi: {
    load: loadKoffi,
    advice: 'its prebuilt binary, for x64 and arm64, is an optional dependency: install without --omit=optional',
  },
  'ffi-napi': { load: loadFfiNapi, advice: 'install it with: npm install --ignore-scripts ffi-napi@4 ref-napi@3' },
  node: { load: loadNodeFfi, advice: 'node:ffi needs Node 26 or later, without --no-experimental-ffi' },
};

/** Of this thread: a driver is loaded once. */
const loaded = new Map<DriverName, Driver>();

/** The driver that was asked for, by option or by `VIRCOMMAND_FFI`; otherwise koffi. */
export function chosenDriver(option: DriverName | undefined): DriverName {
  if (option !== undefined) return option;
  const name = ownVariable('VIRCOMMAND_FFI') ?? '';
  if (name === '') return 'koffi';
  const known = DRIVER_NAMES.find((candidate) => candidate === name);
  if (known === undefined) {
    throw new Error(`VIRCOMMAND_FFI names no FFI driver: '${name}'; there are ${DRIVER_NAMES.join(', ')}`);
  }
  return known;
}

/**
 * Loads a driver.
 *
 * @throws Error that says why it cannot be had and what to do; the cause is what its loading threw. It has a code if another try
 *   can succeed: see {@link shortageIn}.
 */
export function loadDriver(name: DriverName): Driver {
  const present = loaded.get(name);
  if (present !== undefined) return present;
  const { load, advice } = drivers[name];
  let driver;
  try {
    driver = load();
  } catch (error) {
    const why = reason(error);
    const code = shortageIn(String(error));
    if (code !== undefined) {
      throw Object.assign(new Error(`The FFI driver ${name} cannot be loaded now: ${why}`, { cause: error }), { code });
    }
    throw new Error(`The FFI driver ${name} cannot be used: ${why} (${advice})`, { cause: error });
  }
  loaded.set(name, driver);
  return driver;
}

/** The first line is the reason; Node's resolver adds its whole stack of modules below it. */
function reason(error: unknown): string {
  const message: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'message') : undefined;
  return typeof message === 'string' ? (message.split('\n', 1)[0] ?? '') : String(error);
}
