/** A stand-in for a library that waits for any child: the next program's exit is taken, and Node is not told of it. */
import type { ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

interface NodesHandle {
  onexit: () => void;
  close(): void;
}

/** For the next start; `taken` is called when somebody else has reaped the program. */
export function stealNext(taken: () => void): void {
  const steal = (message: unknown): void => {
    unsubscribe('child_process', steal);
    const { process: child } = message as { readonly process: ChildProcess };
    const handle = Reflect.get(child, '_handle') as NodesHandle;
    // Node gives it its own when it starts the program, in this turn.
    queueMicrotask(() => {
      handle.onexit = () => {
        handle.close();
        taken();
      };
    });
  };
  subscribe('child_process', steal);
}
