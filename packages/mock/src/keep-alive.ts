import { longestTimer, realTime } from '@vircommand/core/backend';

let held = 0;
let letGo: (() => void) | undefined;

function hold(): void {
  letGo = realTime.after(longestTimer, hold);
}

/** The event loop goes on until the returned function is called: a running program keeps its parent's. */
export function keepAlive(): () => void {
  if (held++ === 0) hold();
  let over = false;
  return () => {
    if (over) return;
    over = true;
    if (--held === 0) letGo?.();
  };
}
