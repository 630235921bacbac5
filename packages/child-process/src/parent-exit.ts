/**
 * The best-effort end of programs with this process: when it exits normally, by `process.exit()` or by an uncaught error.
 * A signal that ends it, and SIGKILL above all, leaves no time for this.
 */

const kills = new Set<() => void>();

function killAll(): void {
  for (const kill of kills) kill();
}

/** Calls `kill` if this process ends first; the returned function says that it need not any more. */
export function killWithParent(kill: () => void): () => void {
  // The application may have removed all listeners.
  if (!process.listeners('exit').includes(killAll)) process.on('exit', killAll);
  kills.add(kill);
  return () => {
    if (kills.delete(kill) && kills.size === 0) process.off('exit', killAll);
  };
}
