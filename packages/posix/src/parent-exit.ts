/** Programs that are not to outlive this process, as far as it ends normally: one listener for all of them. */

/** What can be ended. */
interface Endable {
  dispose(): void;
}

const running = new Set<Endable>();

function endAll(): void {
  for (const program of running) program.dispose();
}

/** Kills this one when the process (or the worker thread) exits. */
export function endWithParent(program: Endable): void {
  if (running.size === 0) process.on('exit', endAll);
  running.add(program);
}

/** It is over before the process. */
export function outlived(program: Endable): void {
  running.delete(program);
  if (running.size === 0) process.removeListener('exit', endAll);
}
