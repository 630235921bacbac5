/** What runs in a thread of ours: a spawner, or the gatekeeper of all spawners. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadDriver } from '../ffi';
import { loadKoffiAddon } from '../ffi/koffi';
import { libcOver } from '../libc';
import { become } from './become';
import { keepGate } from './gatekeeper';
import type { Setup } from './protocol';
import { serveOrders } from './spawner';

const { driver, addon, role } = workerData as Setup;
const libc = libcOver(addon === undefined ? loadDriver(driver) : loadKoffiAddon(addon));

if (role === 'gatekeeper') keepGate(libc);
else {
  const said = become(libc, role);
  if (said.type === 'ready') serveOrders(libc);
  parentPort?.postMessage(said);
}
