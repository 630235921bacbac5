/**
 * A spawner thread: it does nothing but start programs, so that the event loop of who ordered them stays free.
 *
 * It never changes ids or capabilities: a thread with another user's id could be signalled by that user, and with it the
 * whole process.
 */
import { performance } from 'node:perf_hooks';
import { parentPort, receiveMessageOnPort } from 'node:worker_threads';
import { spawnPatiently } from '../busy';
import type { Libc } from '../libc';
import { LINUX, SIZE } from '../struct';
import { enter, HOLD, waitWhile, type GateLink } from './hold';
import type { HeldAttributes, HoldRequest, Order, Result, Said, ToSpawner, Verdict } from './protocol';

/** For an answer, in milliseconds, while there is more to do. */
const longestWait = 1;
const SIGKILL = 9;

class SpawnerLoop {
  private link: GateLink | undefined;
  /** Memory of the process, by its address. Orders use the same few again and again. */
  private readonly views = new Map<number, Uint8Array>();
  private readonly tid: number;

  constructor(private readonly libc: Libc) {
    this.tid = libc.syscall(LINUX.SYS_gettid, 0, 0, 0, 0, 0);
  }

  take(message: ToSpawner): void {
    if (message.type === 'gate') this.link = message;
    else this.serve(message.orders);
  }

  private serve(orders: readonly Order[]): void {
    let results: Result[] = [];
    let begun = performance.now();
    for (const order of orders) {
      results.push({ id: order.id, ...this.start(order) });
      const now = performance.now();
      // Each answer wakes the other thread.
      if (now - begun < longestWait && order !== orders.at(-1)) continue;
      parentPort?.postMessage({ type: 'done', results } satisfies Said);
      results = [];
      begun = now;
    }
  }

  private start(order: Order): Omit<Result, 'id'> {
    if (!this.actsAs(order))
      return { result: 0, stopped: { type: 'impossible', why: 'this process acts as another user' } };
    if (order.umask !== undefined) this.libc.umask(order.umask);
    let stopped: Result['stopped'];
    const result = spawnPatiently(this.libc, () => {
      if (order.hold === undefined) return this.spawn(order);
      // Each try has a gate of its own: it stays open after a program that went through and could not be executed.
      const held = this.startHeld(order, order.hold);
      stopped = held.stopped;
      return held.result;
    });
    return { result, stopped };
  }

  /** libc changes the ids of all threads at once, at any moment. */
  private actsAs({ euid, egid }: Order): boolean {
    return this.libc.geteuid() >>> 0 === euid && this.libc.getegid() >>> 0 === egid;
  }

  private spawn({ pid, path, actions, attributes, argv, envp }: Order): number {
    const written = this.memory(pid, 4);
    const file = this.memory(actions, SIZE.posixSpawnFileActions);
    const attribute = this.memory(attributes, SIZE.posixSpawnattr);
    return this.libc.posix_spawn(written, path, file, attribute, argv, envp);
  }

  private startHeld(order: Order, attributes: HeldAttributes): Omit<Result, 'id'> {
    const { link } = this;
    if (link === undefined) return { result: 0, stopped: { type: 'impossible', why: 'there is no gatekeeper' } };
    const { port, words } = link;
    enter(words, HOLD.asked);
    port.postMessage({ tid: this.tid, attributes } satisfies HoldRequest);
    let result = 0;
    if (waitWhile(words, HOLD.asked) === HOLD.closed) {
      result = this.spawn(order);
      enter(words, HOLD.returned);
      waitWhile(words, HOLD.returned);
    }
    const verdict = receiveMessageOnPort(port)?.message as Verdict | undefined;
    if (verdict?.type === 'gone') return { result, stopped: undefined };
    this.bury(order.pid);
    return { result, stopped: verdict ?? { type: 'impossible', why: 'the gatekeeper is gone' } };
  }

  /** Somebody killed it at the gate: so it was not executed, but `posix_spawn` does not know. */
  private bury(address: number): void {
    const { libc } = this;
    const bytes = this.memory(address, 4);
    const pid = new DataView(bytes.buffer, bytes.byteOffset, 4);
    const number = pid.getInt32(0, true);
    if (number === 0) return;
    libc.kill(number, SIGKILL);
    libc.wait4(number, null, 0, null);
    pid.setInt32(0, 0, true);
  }

  private memory(address: number, length: number): Uint8Array {
    let view = this.views.get(address);
    if (view === undefined) this.views.set(address, (view = this.libc.driver.view(address, length)));
    return view;
  }
}

export function serveOrders(libc: Libc): void {
  const loop = new SpawnerLoop(libc);
  parentPort?.on('message', (message: ToSpawner) => {
    loop.take(message);
  });
}
