/** What runs in a thread of ours: a spawner, or the gatekeeper of all spawners. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadDriver } from '../ffi';
import { loadKoffiAddon } from '../ffi/koffi';
import { libcOver } from '../libc';
import { become } from './become';
import { keepGate } from './gatekeeper';
import type { Said, Setup } from './protocol';
import { serveOrders } from './spawner';

const { driver, addon, role } = workerData as Setup;
const libc = libcOver(addon === undefined ? loadDriver(driver) : loadKoffiAddon(addon));

if (role === 'gatekeeper') keepGate(libc);
else {
  const refusal = become(libc, role);
  if (refusal === undefined) serveOrders(libc);
  const said: Said = refusal === undefined ? { type: 'ready' } : { type: 'refused', why: refusal };
  parentPort?.postMessage(said);
}
