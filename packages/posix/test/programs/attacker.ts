/**
 * Asks, as fast as it can and as whoever it is, whether it may signal any thread of a process, until its standard input ends.
 * Argument: the process. Says how often it asked, and which threads it might have signalled.
 */
import { readdirSync } from 'node:fs';

const target = process.argv[2] ?? '';
const reached = new Set<number>();
let tries = 0;

function attack(): void {
  for (let pass = 0; pass < 50; pass++) {
    for (const name of readdirSync(`/proc/${target}/task`)) {
      tries++;
      try {
        // Signal 0 only asks. A number of a thread works too, and the kernel looks at that thread's ids.
        process.kill(Number(name), 0);
        reached.add(Number(name));
      } catch {
        // As it should be.
      }
    }
  }
  timer = setImmediate(attack);
}

let timer = setImmediate(attack);
process.stdout.write('ready\n');
process.stdin.resume().once('end', () => {
  clearImmediate(timer);
  process.stdout.write(JSON.stringify({ tries, reached: Array.from(reached) }));
});
