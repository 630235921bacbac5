/**
 * A library in a Node process of its own: `node.js LIBRARY WAY MEBIBYTES PROGRAM ARGUMENTS`. It fills so much memory first. For
 * each line on stdin the work is done once; the answer is the nanoseconds, the bytes that the program wrote, and the longest
 * turn of the event loop in nanoseconds.
 */
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { libraries, type Ways } from '../peers';

const [, , name, way, mebibytes, program, ...args] = process.argv;

/** Memory, kept. Not on V8's own heap, which a fork does not copy (`MADV_DONTFORK`). */
const filled: Buffer[] = [];
for (let left = Number(mebibytes); left > 0; left -= 64) filled.push(Buffer.alloc(64 << 20, 1));

/** So many at once. */
const crowd = 1000;

/** Turns of the event loop, one after the other: the longest time between two. */
class LongestTurn {
  longest = 0;
  private last = performance.now();
  private stopped = false;
  private readonly turn = (): void => {
    const now = performance.now();
    this.longest = Math.max(this.longest, now - this.last);
    this.last = now;
    // A timer and not setImmediate(), which would keep a processor busy.
    if (!this.stopped) setTimeout(this.turn, 1);
  };

  constructor() {
    setTimeout(this.turn, 1);
  }

  stop(): number {
    this.turn();
    this.stopped = true;
    return this.longest;
  }
}

type Work = (ways: Ways, program: string, args: readonly string[]) => unknown;

const works: Readonly<Record<string, Work>> = {
  start: (ways, ...command) => ways.start(...command),
  startSync: (ways, ...command) => ways.startSync?.(...command),
  capture: (ways, ...command) => ways.capture(...command),
  captureSync: (ways, ...command) => ways.captureSync?.(...command),
  crowd: (ways, ...command) => Promise.all(Array.from({ length: crowd }, () => ways.start(...command))),
};

async function main(): Promise<void> {
  const library = libraries.find((candidate) => candidate.name === name);
  const work = works[way ?? ''];
  if (library === undefined || work === undefined || program === undefined) throw new Error(process.argv.join(' '));
  const ways = await library.load();
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === '') continue;
    const turns = way === 'crowd' ? new LongestTurn() : undefined;
    const begun = performance.now();
    const bytes = await work(ways, program, args);
    const taken = performance.now() - begun;
    const written = typeof bytes === 'number' ? bytes : 0;
    console.log([taken * 1e6, written, (turns?.stop() ?? 0) * 1e6].map(Math.round).join(' '));
  }
}

void main();
