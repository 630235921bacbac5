/**
 * A spawner thread: it does nothing but start programs, so that the event loop of the thread that ordered them stays free.
 *
 * It never changes ids or capabilities: a thread with another user's id could be signalled by that user, and with it the
 * whole process.
 */
import { parentPort, receiveMessageOnPort } from 'node:worker_threads';
import { realTime } from '@vircommand/core/backend';
import { spawnPatiently } from '../busy';
import type { Libc } from '../libc';
import { LINUX } from '../linux';
import { SIGKILL } from '../signal-numbers';
import { SIZE } from '../struct';
import { enter, HOLD, waitWhile, type GateLink } from './hold';
import type { HeldAttributes, HoldRequest, Order, Result, Said, ToSpawner, Verdict } from './protocol';

/** For an answer, in milliseconds, while there is more to do. */
const longestWait = 1;

/** Of the kernel, which is not that of libc. */
const signalSetSize = 8;
const anotherUser = { result: 0, stopped: { type: 'impossible', why: 'this process acts as another user' } } as const;

/** What such a thread does. */
export class SpawnerLoop {
  private link: GateLink | undefined;
  /** Memory of the process, by its address. Orders use the same few again and again. */
  private readonly views = new Map<number, Uint8Array>();
  private readonly tid: number;
  /** A set of all signals, and what this thread blocks otherwise. */
  private readonly masks = Buffer.allocUnsafeSlow(2 * signalSetSize).fill(0xff);
  private readonly allSignals: number;
  private readonly usualSignals: number;

  constructor(private readonly libc: Libc) {
    this.tid = libc.syscall(LINUX.SYS_gettid, 0, 0, 0, 0, 0);
    this.allSignals = libc.driver.address(this.masks);
    this.usualSignals = this.allSignals + signalSetSize;
    this.setMask(LINUX.SIG_BLOCK, 0, this.usualSignals);
  }

  take(message: ToSpawner): void {
    if (message.type === 'gate') this.link = message;
    else this.serve(message.orders);
  }

  private serve(orders: readonly Order[]): void {
    let results: Result[] = [];
    let begun = realTime.now();
    for (const order of orders) {
      results.push({ id: order.id, ...this.start(order) });
      const now = realTime.now();
      // Each answer wakes the other thread.
      if (now - begun < longestWait && order !== orders.at(-1)) continue;
      parentPort?.postMessage({ type: 'done', results } satisfies Said);
      results = [];
      begun = now;
    }
  }

  private start(order: Order): Omit<Result, 'id'> {
    if (order.umask !== undefined) this.libc.umask(order.umask);
    let stopped: Result['stopped'];
    const result = spawnPatiently(this.libc, () => {
      // Each try has a gate of its own: it stays open after a program that went through and could not be executed.
      const tried = order.hold === undefined ? this.spawn(order) : this.startHeld(order, order.hold);
      stopped = tried.stopped;
      return tried.result;
    });
    return { result, stopped };
  }

  /**
   * As who we were when it was asked for. libc changes the ids of all threads by a signal to each, at any moment: while that
   * is blocked here, a thread that changes them waits, so that there is nothing between the look and the start. The program gets
   * another mask from `posix_spawn`.
   */
  private spawn({ euid, egid, pid, path, actions, attributes, argv, envp }: Order): Omit<Result, 'id'> {
    const { libc } = this;
    const written = this.memory(pid, 4);
    const file = this.memory(actions, SIZE.posixSpawnFileActions);
    const attribute = this.memory(attributes, SIZE.posixSpawnattr);
    // libc's own function leaves out just that signal.
    this.setMask(LINUX.SIG_SETMASK, this.allSignals, 0);
    try {
      if (libc.geteuid() >>> 0 !== euid || libc.getegid() >>> 0 !== egid) return anotherUser;
      return { result: libc.posix_spawn(written, path, file, attribute, argv, envp), stopped: undefined };
    } finally {
      this.setMask(LINUX.SIG_SETMASK, this.usualSignals, 0);
    }
  }

  private setMask(how: number, set: number, old: number): void {
    this.libc.syscall(LINUX.SYS_rt_sigprocmask, how, set, old, signalSetSize, 0);
  }

  private startHeld(order: Order, attributes: HeldAttributes): Omit<Result, 'id'> {
    const { link } = this;
    if (link === undefined) return { result: 0, stopped: { type: 'impossible', why: 'there is no gatekeeper' } };
    const { port, words } = link;
    enter(words, HOLD.asked);
    port.postMessage({ tid: this.tid, attributes } satisfies HoldRequest);
    let spawned: Omit<Result, 'id'> = { result: 0, stopped: undefined };
    if (waitWhile(words, HOLD.asked) === HOLD.closed) {
      spawned = this.spawn(order);
      enter(words, HOLD.returned);
      waitWhile(words, HOLD.returned);
    }
    const verdict = receiveMessageOnPort(port)?.message as Verdict | undefined;
    if (verdict?.type === 'gone') return spawned;
    this.bury(order.pid);
    const { result, stopped = verdict ?? { type: 'impossible', why: 'the gatekeeper is gone' } } = spawned;
    return { result, stopped };
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
