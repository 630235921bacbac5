/** Timers that were set after a moment and keep this process alive: what the code under test still has before it. */
import { createHook, type HookCallbacks } from 'node:async_hooks';

/** By their numbers, which rise. */
const timers = new Map<number, NodeJS.Timeout>();
let newest = 0;
let watches = 0;

const callbacks: HookCallbacks & { readonly trackPromises: boolean } = {
  // Promises are most async resources, and never timers.
  trackPromises: false,
  init: (id, type, _trigger, resource) => {
    if (type === 'Timeout' && isTimer(resource)) timers.set((newest = id), resource);
  },
  destroy: (id) => {
    timers.delete(id);
  },
};
const hook = createHook(callbacks);

const isTimer = (resource: object): resource is NodeJS.Timeout => 'hasRef' in resource;

/** Watches timers from its making on. To count them would not do: one that was there before may end meanwhile. */
export class NewTimers {
  private readonly after: number;
  private stopped = false;

  constructor() {
    if (watches++ === 0) hook.enable();
    this.after = newest;
  }

  some(): boolean {
    return Array.from(timers).some(([id, timer]) => id > this.after && timer.hasRef());
  }

  /** All that runs in this process pays for the watch: it must be stopped. */
  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    if (--watches > 0) return;
    hook.disable();
    timers.clear();
  }
}
