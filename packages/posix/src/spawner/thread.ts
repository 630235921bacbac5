/** One of our threads as the thread that makes it sees it: a worker that never keeps the process alive while it is idle. */
import { Worker, type MessagePort } from 'node:worker_threads';
import { realTime, withoutPrototype } from '@vircommand/core/backend';
import { errno, systemError } from '../errno';
import type { DriverName } from '../ffi';
import { koffiAddon } from '../ffi/koffi';
import { ownProgram } from '../own-program';
import type { Said, Setup } from './protocol';
import { lackOfRoom } from './room';

/** It has little garbage, and no reason to keep it. */
const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 };

/** A process that ends waits so long for a driver that is being loaded, in milliseconds. */
const longestLoad = 2000;

/** Of this process's: made, and not heard of yet. */
let coming = 0;

/** What passes. */
const shortages = new Set([
  'ERR_WORKER_INIT_FAILED',
  'ERR_WORKER_OUT_OF_MEMORY',
  'EAGAIN',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
]);

/** Whether there can be such a thread: there was one; not while something is short; never. */
export type Refusal = 'no' | 'for now' | 'for good';

export interface ThreadListener {
  said(said: Extract<Said, { type: 'ready' | 'done' }>): void;
  /** It is gone, with everything that it did. */
  gone(thread: Thread, why: string, refused: Refusal): void;
}

export class Thread {
  private worker: Worker | undefined;
  private ended = false;
  private alive = false;
  private why: string | undefined;
  private refusal: Refusal = 'for good';
  /** It takes messages. */
  ready = false;
  /** Why its directory and its umask are those of all threads, if they are. */
  shares: string | undefined;
  private readonly loaded = new Int32Array(new SharedArrayBuffer(4));
  /** It said something, or is gone: from here on it may be ended. */
  private readonly begun: Promise<void>;
  private hasBegun = false;
  private begin!: () => void;

  constructor(driver: DriverName, role: Setup['role'], listener: ThreadListener) {
    const addon = driver === 'koffi' ? koffiAddon() : undefined;
    this.begun = new Promise((resolve) => {
      this.begin = () => {
        this.hasBegun = true;
        if (this.worker !== undefined) coming--;
        process.removeListener('exit', this.waitForLoad);
        this.keepAlive(this.alive);
        resolve();
      };
    });
    let worker: Worker;
    try {
      const lack = lackOfRoom(coming);
      if (lack !== undefined) throw systemError(errno.ENOMEM, 'mmap', undefined, lack);
      // Nothing of the application's is loaded there, whatever it was started with.
      const options = {
        env: {},
        execArgv: ['--no-warnings'],
        workerData: { driver, addon, loaded: this.loaded, role } satisfies Setup,
        resourceLimits,
        // Otherwise Node takes this process's own streams for it, and so makes them nonblocking: programs share them.
        stdout: true,
        stderr: true,
        name: 'vircommand',
      };
      worker = new Worker(ownProgram('spawner-thread'), withoutPrototype(options));
    } catch (error) {
      // The permission model, for instance, or that its file is not there.
      this.fail(error);
      realTime.nextTurn(() => {
        this.begin();
        listener.gone(this, this.why ?? '', this.refusal);
      });
      return;
    }
    this.worker = worker;
    coming++;
    process.once('exit', this.waitForLoad);
    worker.on('message', (said: Said) => {
      if (!this.hasBegun) this.begin();
      if (said.type === 'refused') {
        this.why = said.why;
        return;
      }
      if (said.type === 'ready') {
        this.ready = true;
        this.shares = said.shares;
      }
      listener.said(said);
    });
    worker.on('error', (error) => {
      this.fail(error);
    });
    // Nothing runs in it any more: what it had begun is done, or never will be.
    worker.on('exit', (code) => {
      const refused = !this.ready && !this.ended;
      this.ready = false;
      if (!this.hasBegun) this.begin();
      listener.gone(this, this.why ?? `it ended with exit code ${code}`, refused ? this.refusal : 'no');
    });
  }

  private fail(error: unknown): void {
    this.why ??= error instanceof Error ? error.message : String(error);
    if (error instanceof Error && 'code' in error && shortages.has(String(error.code))) this.refusal = 'for now';
  }

  /** The end of the process ends its threads, wherever they are. */
  private readonly waitForLoad = (): void => {
    Atomics.wait(this.loaded, 0, 0, longestLoad);
  };

  post(message: unknown, transfer: readonly MessagePort[] = []): void {
    this.worker?.postMessage(message, transfer);
  }

  /** Whether the process is to stay alive for it. Until it has begun it does. */
  keepAlive(alive: boolean): void {
    this.alive = alive;
    if (alive || !this.hasBegun) this.worker?.ref();
    else this.worker?.unref();
  }

  /** Ends it, after the call of libc that it is in. */
  async terminate(): Promise<void> {
    this.ended = true;
    await this.begun;
    await this.worker?.terminate();
  }
}
