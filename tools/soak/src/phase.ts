/** One backend in one place, the main thread or worker threads, for some time; and what is left of it. */
import { crowd, type CrowdOptions, type Tally } from './crowd';
import { descriptors, listeners, processesLeft, settledTo } from './left';
import { held, Resident } from './memory';
import { subjectOf } from './subjects';
import { crowdsInWorkers } from './workers';

export const places = ['main', 'worker'] as const;
export type Place = (typeof places)[number];

/** In MiB: what caches, compiled code and a fragmented heap may come to. A leak of a thousand runs is more. */
const flat = { held: 16, resident: 64 };
/** Before that, in milliseconds, resident memory says how the heap of a young process grows. */
const settled = 60_000;

const warmUp = { mostRuns: 64, milliseconds: 2000 };

export interface Outcome {
  readonly summary: string;
  /** Empty if all is well. */
  readonly problems: readonly string[];
}

const runIn = (place: Place, backend: string, options: CrowdOptions): Promise<Tally> =>
  place === 'main' ? crowd(subjectOf(backend), options) : crowdsInWorkers(backend, options);

/** Runs it. */
export async function phase(place: Place, backend: string, given: Omit<CrowdOptions, 'mark'>): Promise<Outcome> {
  const mark = `${process.pid}-${backend}-${place}`;
  const options = { ...given, mark };
  const idle = listeners();
  // What the first runs load stays: threads of libuv's pool, compiled code, signal handlers.
  await runIn(place, backend, { ...options, ...warmUp, seed: options.seed + 900_000_000 });
  await settledTo(
    () => processesLeft(mark).length,
    (count) => count === 0,
  );
  await settledTo(listeners, (count) => count <= idle);
  const before = { descriptors: descriptors(), listeners: idle, held: held() };
  const resident = new Resident(options.milliseconds);
  const tally = await runIn(place, backend, options);
  const { slope, last, growth } = resident.stop();
  const processes = await settledTo(
    () => processesLeft(mark),
    (list) => list.length === 0,
  );
  const after = {
    descriptors: await settledTo(descriptors, (count) => count <= before.descriptors),
    listeners: await settledTo(listeners, (count) => count <= before.listeners),
    held: await settledTo(held, (mebibytes) => mebibytes <= before.held + flat.held),
  };
  const endings = Object.entries(tally.endings).map(([ending, count]) => `${ending} ${count}`);
  const summary =
    `${backend} in ${place}: seed ${options.seed}, ${tally.runs} runs (${endings.sort().join(', ')}); ` +
    `left: ${processes.length} processes, descriptors ${before.descriptors} → ${after.descriptors}, ` +
    `listeners ${before.listeners} → ${after.listeners}, held ${before.held.toFixed(1)} → ${after.held.toFixed(1)} MiB, ` +
    `resident ${last.toFixed(0)} MiB, ${slope.toFixed(2)} MiB/min`;
  const problems = [
    ...tally.problems,
    ...processes,
    ...(after.descriptors > before.descriptors ? ['descriptors left'] : []),
    ...(after.listeners > before.listeners ? ['listeners left'] : []),
    ...(after.held > before.held + flat.held ? ['memory held'] : []),
    ...(options.milliseconds >= settled && growth > flat.resident
      ? [`resident memory grew by ${growth.toFixed(0)} MiB in the second half`]
      : []),
  ];
  return { summary, problems };
}
