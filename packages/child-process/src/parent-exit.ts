/** The best-effort end of programs with this process: when it exits normally, by `process.exit()` or an uncaught error. */

const kills = new Set<() => void>();

function killAll(): void {
  for (const kill of kills) kill();
}

/** Calls `kill` if this process ends first; the returned function says that it need not any more. */
export function killWithParent(kill: () => void): () => void {
  if (kills.size === 0) process.on('exit', killAll);
  kills.add(kill);
  return () => {
    if (kills.delete(kill) && kills.size === 0) process.off('exit', killAll);
  };
}
