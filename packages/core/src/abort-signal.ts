/** Who hears of the abort of a signal. Node warns of a leak where a signal has more than ten listeners: here it has one. */

interface Audience {
  readonly listeners: Set<() => void>;
  readonly listening: Disposable;
}

const audiences = new WeakMap<AbortSignal, Audience>();

/** Calls `listener` when `signal` is aborted, until the function is called that it returns. */
export function listenForAbort(signal: AbortSignal, listener: () => void): () => void {
  let audience = audiences.get(signal);
  if (audience === undefined) {
    const listeners = new Set<() => void>();
    const tell = (): void => {
      // Each listener is called once, even if other code dispatched the event to a signal that is not aborted.
      close(signal, listeners);
      for (const each of listeners) {
        try {
          each();
        } catch (error) {
          // If one throws, the others are still called, as with event listeners.
          process.nextTick(() => {
            throw error;
          });
        }
      }
    };
    // Not by the signal itself, where an earlier listener can keep the rest from hearing of it.
    const listening = process.getBuiltinModule('node:events').addAbortListener(signal, tell);
    audiences.set(signal, (audience = { listeners, listening }));
  }
  const { listeners, listening } = audience;
  listeners.add(listener);
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return;
    close(signal, listeners);
    stop(listening);
  };
}

/** Who listens from now on belongs to another audience. */
function close(signal: AbortSignal, listeners: Audience['listeners']): void {
  if (audiences.get(signal)?.listeners === listeners) audiences.delete(signal);
}

function stop(listening: Disposable): void {
  // By whatever symbol: that of Node's realm may be none of this one, in a test runner's for instance.
  for (const symbol of Object.getOwnPropertySymbols(listening)) {
    const dispose: unknown = Reflect.get(listening, symbol);
    try {
      if (typeof dispose === 'function') dispose.call(listening);
    } catch {
      // A signal that is not Node's failed to forget it. Nobody is told any more.
    }
  }
}
