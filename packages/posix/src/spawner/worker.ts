/** What runs in a thread of ours: a spawner, or the gatekeeper of all spawners. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadDriver } from '../ffi';
import { loadKoffiAddon } from '../ffi/koffi';
import { libcOver, type Libc } from '../libc';
import { keepGate } from './gatekeeper';
import type { Setup } from './protocol';
import { serveOrders } from './spawner';
import { become } from './thread-class';

const { driver, addon, loaded, role } = workerData as Setup;

function load(): Libc {
  try {
    return libcOver(addon === undefined ? loadDriver(driver) : loadKoffiAddon(addon));
  } finally {
    Atomics.store(loaded, 0, 1);
    Atomics.notify(loaded, 0);
  }
}

const libc = load();

if (role === 'gatekeeper') keepGate(libc);
else {
  const said = become(libc, role);
  if (said.type === 'ready') serveOrders(libc);
  parentPort?.postMessage(said);
}
