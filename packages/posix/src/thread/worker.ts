/**
 * A spawner thread: it does nothing but start programs, so that the event loop of who ordered them stays free.
 *
 * It never changes ids or capabilities: a thread with another user's id could be signalled by that user, and with it the
 * whole process.
 */
import { performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { spawnPatiently } from '../busy';
import { loadDriver } from '../ffi';
import { loadKoffiAddon } from '../ffi/koffi';
import { libcOver } from '../libc';
import { SIZE } from '../struct';
import { become } from './become';
import type { Order, Result, Said, Setup } from './protocol';

/** For an answer, in milliseconds, while there is more to do. */
const longestWait = 1;

const setup = workerData as Setup;
const libc = libcOver(setup.addon === undefined ? loadDriver(setup.driver) : loadKoffiAddon(setup.addon));

const say = (said: Said): void => parentPort?.postMessage(said);

/** Memory of the process, by its address. Orders use the same few again and again. */
const views = new Map<number, Uint8Array>();

function memory(address: number, length: number): Uint8Array {
  let view = views.get(address);
  if (view === undefined) views.set(address, (view = libc.driver.view(address, length)));
  return view;
}

function start({ pid, path, actions, attributes, argv, envp, umask }: Order): number {
  if (umask !== undefined) libc.umask(umask);
  const written = memory(pid, 4);
  const file = memory(actions, SIZE.posixSpawnFileActions);
  const attribute = memory(attributes, SIZE.posixSpawnattr);
  return spawnPatiently(libc, () => libc.posix_spawn(written, path, file, attribute, argv, envp));
}

const refusal = become(libc, setup);
if (refusal === undefined) {
  parentPort?.on('message', (orders: readonly Order[]) => {
    let results: Result[] = [];
    let begun = performance.now();
    for (const order of orders) {
      results.push({ id: order.id, result: start(order) });
      const now = performance.now();
      // Each answer wakes the other thread.
      if (now - begun < longestWait && order !== orders.at(-1)) continue;
      say({ type: 'done', results });
      results = [];
      begun = now;
    }
  });
  say({ type: 'ready' });
} else say({ type: 'refused', why: refusal });
