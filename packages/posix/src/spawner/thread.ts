/** One of our threads as the thread that makes it sees it: a worker that never keeps the process alive while it is idle. */
import { access } from 'node:fs';
import { Worker, type MessagePort } from 'node:worker_threads';
import { bundledFile } from '../bundled-file';
import { koffiAddon } from '../ffi/koffi';
import type { DriverName } from '../ffi';
import type { Said, Setup } from './protocol';

const file = bundledFile('spawner-thread.js');

/** It has little garbage, and no reason to keep it. */
const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 };

export interface ThreadListener {
  said(said: Extract<Said, { type: 'ready' | 'done' }>): void;
  /** It is gone, with everything that it did. `refused`: it never was ready, and another one would not be either. */
  gone(thread: Thread, why: string, refused: boolean): void;
}

export class Thread {
  private worker: Worker | undefined;
  private ended = false;
  private alive = false;
  private why: string | undefined;
  /** It takes messages. */
  ready = false;
  /** Why its directory and its umask are those of all threads, if they are. */
  shares: string | undefined;

  constructor(
    private readonly driver: DriverName,
    private readonly role: Setup['role'],
    private readonly listener: ThreadListener,
  ) {
    // The threads of libuv's pool have the directory and the umask of the thread that makes them: this one makes them.
    if (role !== 'gatekeeper') access('/', () => this.begin());
    else this.begin();
  }

  private begin(): void {
    if (this.ended) {
      this.listener.gone(this, 'it was ended before it began', false);
      return;
    }
    const { driver, role, listener } = this;
    const addon = driver === 'koffi' ? koffiAddon() : undefined;
    let worker: Worker;
    try {
      // Nothing of the application's is loaded there, whatever it was started with.
      worker = new Worker(file, {
        env: {},
        execArgv: ['--no-warnings'],
        workerData: { driver, addon, role } satisfies Setup,
        resourceLimits,
        name: 'vircommand',
      });
    } catch (error) {
      // The permission model, for instance.
      setImmediate(() => listener.gone(this, messageOf(error), true));
      return;
    }
    this.worker = worker;
    worker.on('message', (said: Said) => {
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
      this.why ??= messageOf(error);
    });
    // Nothing runs in it any more: what it had begun is done, or never will be.
    worker.on('exit', (code) => {
      const refused = !this.ready && !this.ended;
      this.ready = false;
      listener.gone(this, this.why ?? `it ended with exit code ${code}`, refused);
    });
    this.keepAlive(this.alive);
  }

  post(message: unknown, transfer: readonly MessagePort[] = []): void {
    this.worker?.postMessage(message, transfer);
  }

  /** Whether the process is to stay alive for it. */
  keepAlive(alive: boolean): void {
    this.alive = alive;
    if (alive) this.worker?.ref();
    else this.worker?.unref();
  }

  /** Ends it, after the call of libc that it is in. */
  async terminate(): Promise<void> {
    this.ended = true;
    await this.worker?.terminate();
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
