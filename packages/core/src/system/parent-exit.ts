/**
 * The best-effort end of programs with this process, for backends that start programs on this machine: when it (or the
 * worker thread) exits normally, by `process.exit()` or by an uncaught error. A signal that ends it, and SIGKILL above all,
 * leaves no time for this. One listener for all of them.
 */

const ends = new Set<() => void>();

function endAll(): void {
  for (const end of ends) end();
}

/** Calls `end` if this process ends first; the returned function says that it need not any more. */
export function endWithParent(end: () => void): () => void {
  // The application may have removed all listeners.
  if (!process.listeners('exit').includes(endAll)) process.on('exit', endAll);
  ends.add(end);
  return () => {
    if (ends.delete(end) && ends.size === 0) process.off('exit', endAll);
  };
}
