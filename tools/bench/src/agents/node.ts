/**
 * A library in a Node process of its own: `node.js LIBRARY WAY AMOUNT MEBIBYTES PROGRAM ARGUMENTS`. It fills so much memory
 * first. For each line on stdin the work is done once; the answer is JSON: `taken`, in milliseconds, `bytes`, and what else the
 * work tells.
 */
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import type { Figures } from '../case';
import { load, type Conversation, type Ways } from '../peers';
import { blocked, Meter } from './meter';

const [, , library = '', way = '', amountText, mebibytes, program = '', ...args] = process.argv;
const amount = Number(amountText);

/**
 * Memory, kept, in pieces as a server has them. Not on V8's own heap, which a fork does not copy (`MADV_DONTFORK`). Exported, or
 * nobody would need it and it would be collected.
 */
export const filled = Array.from({ length: Number(mebibytes) }, () => Buffer.alloc(1 << 20, 1));

const input = way === 'feed' ? Buffer.alloc(amount, 'x') : Buffer.alloc(0);
const message = Buffer.alloc(64, 'x');
/** From here on the garbage of a run is collected before the answer: it is not for the next run's time, or memory. */
const large = 1 << 20;

async function trips({ stdin, stdout }: Conversation, count: number): Promise<void> {
  let missing = 0;
  let complete = (): void => undefined;
  const heard = (chunk: Buffer): void => {
    missing -= chunk.length;
    if (missing === 0) complete();
  };
  stdout.on('data', heard);
  for (let trip = 0; trip < count; trip++) {
    missing = message.length;
    const back = new Promise<void>((resolve) => (complete = resolve));
    stdin.write(message);
    await back;
  }
  stdout.off('data', heard);
}

async function talk(conversation: Conversation): Promise<Figures> {
  await trips(conversation, 1);
  const begun = performance.now();
  await trips(conversation, amount);
  const taken = performance.now() - begun;
  conversation.stdin.end();
  conversation.stdout.resume();
  await conversation.ended;
  return { taken };
}

/** What resident memory grew by at its highest, in MiB. Only the first run of a process can tell. */
async function peak(capture: Promise<number>): Promise<Figures> {
  const before = process.memoryUsage.rss();
  const bytes = await capture;
  return { bytes, peak: (process.resourceUsage().maxRSS * 1024 - before) / large };
}

async function crowd(start: () => PromiseLike<unknown>): Promise<Figures> {
  const meter = new Meter();
  const begun = performance.now();
  await Promise.all(Array.from({ length: amount }, start));
  const taken = performance.now() - begun;
  return { taken, ...meter.stop() };
}

async function first(start: () => PromiseLike<unknown>, loading: number): Promise<Figures> {
  const begun = performance.now();
  await start();
  return { taken: loading + performance.now() - begun };
}

/** Each gives the bytes, or figures, or nothing that counts; `loading` is how long the library took until it was there. */
const works: Readonly<Record<string, (ways: Ways, loading: number) => unknown>> = {
  start: (ways) => ways.start(program, args),
  startUmask: (ways) => ways.startUmask?.(program, args),
  startLimited: (ways) => ways.startLimited?.(program, args),
  startSync: (ways) => ways.startSync?.(program, args),
  capture: (ways) => ways.capture(program, args),
  captureSync: (ways) => ways.captureSync?.(program, args),
  stream: (ways) => ways.stream?.(program, args),
  lines: (ways) => ways.lines?.(program, args),
  feed: (ways) => ways.feed?.(program, args, input),
  talk: async (ways) => ways.talk && talk(await ways.talk(program, args)),
  peak: (ways) => peak(ways.capture(program, args)),
  crowd: (ways) => crowd(() => ways.start(program, args)),
  block: (ways) => blocked(() => ways.start(program, args)),
  first: (ways, loading) => first(() => ways.start(program, args), loading),
};

async function main(): Promise<void> {
  const work = works[way];
  if (work === undefined) throw new Error(process.argv.join(' '));
  const loadBegun = performance.now();
  const ways = await load(library);
  const loading = performance.now() - loadBegun;
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === '') continue;
    const begun = performance.now();
    const found = await work(ways, loading);
    const taken = performance.now() - begun;
    const figures = typeof found === 'object' && !way.startsWith('start') ? found : {};
    const bytes = typeof found === 'number' ? found : 0;
    if (bytes >= large) globalThis.gc?.();
    process.stdout.write(`${JSON.stringify({ taken, bytes, ...figures })}\n`);
  }
}

void main();
