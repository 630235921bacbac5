/**
 * Interleaved rounds: A B C, C B A, A B C … so that what the machine does meanwhile hits all subjects alike, and each has
 * every other one as its neighbour on both sides. tinybench takes the times.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Bench } from 'tinybench';
import { NotHere, type Case, type Subject, type Teardown } from './case';
import { ascending, median } from './statistics';

/** What came out for one subject. */
export interface Measured {
  readonly subject: Subject;
  /** The median of each round. */
  readonly rounds: readonly number[];
  /** All runs, sorted. */
  readonly samples: readonly number[];
}
/** A subject that could not take part, and why. */
export interface Absent {
  readonly subject: Subject;
  readonly reason: string;
}
export interface Outcome {
  readonly case: Case;
  readonly measured: readonly Measured[];
  readonly absent: readonly Absent[];
}

/** Called after each round. */
export type Progress = (done: number, of: number) => void;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** The first round is thrown away: code is compiled, caches are filled. */
const warmUpRounds = 1;
const defaultRounds = 15;

export async function measure(
  given: Case,
  progress: Progress,
  rounds = given.rounds ?? defaultRounds,
): Promise<Outcome> {
  const teardowns: Teardown[] = [];
  const absent: Absent[] = [];
  const present: Subject[] = [];
  try {
    for (const subject of given.subjects) {
      try {
        const teardown = await subject.setup?.();
        if (teardown !== undefined) teardowns.push(teardown);
        await subject.run();
        present.push(subject);
      } catch (error) {
        absent.push({ subject, reason: reasonOf(error) });
      }
    }
    const collected = new Map(present.map((subject) => [subject, { rounds: [] as number[], samples: [] as number[] }]));
    for (let round = -warmUpRounds; round < rounds; round++) {
      const order = round % 2 === 0 ? present : present.toReversed();
      for (const [subject, figures] of await once(given, order)) {
        if (round < 0) continue;
        collected.get(subject)?.rounds.push(median(figures));
        collected.get(subject)?.samples.push(...figures);
      }
      progress(round + warmUpRounds + 1, rounds + warmUpRounds);
    }
    const measured = [...collected].map(([subject, figures]) => ({
      subject,
      rounds: figures.rounds,
      samples: ascending(figures.samples),
    }));
    return { case: given, measured, absent };
  } finally {
    for (const teardown of teardowns.reverse()) await teardown();
  }
}

/** One round: each subject's runs, one subject after the other. */
async function once(given: Case, order: readonly Subject[]): Promise<[Subject, number[]][]> {
  const { iterations, unit, operations = 1 } = given;
  const scale = (unit === 'µs' ? 1000 : 1) / operations;
  const bench = new Bench({ iterations, time: 0, warmup: false, retainSamples: true, throws: true });
  for (const subject of order) {
    // The garbage of the one before is not this one's work.
    bench.add(subject.name, () => subject.run(), { beforeAll: collectGarbage });
  }
  const tasks = await bench.run();
  return tasks.map(({ result, name }, index) => {
    const subject = order[index];
    if (subject === undefined || result.state !== 'completed' || result.latency.samples === undefined) {
      throw new Error(`${given.name}: ${name} has no times`);
    }
    return [subject, result.latency.samples.map((time) => time * scale)];
  });
}

function reasonOf(error: unknown): string {
  if (error instanceof NotHere) return error.message;
  if (!(error instanceof Error)) return String(error);
  return error.message.split('\n')[0] ?? error.name;
}
