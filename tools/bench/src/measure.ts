/**
 * Interleaved rounds: A B C, C B A, A B C … so that what the machine does meanwhile hits all subjects alike, and each has
 * every other one as its neighbour on both sides. tinybench takes the times.
 */
import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Bench } from 'tinybench';
import type { Case, Figure, Question, Subject, Teardown } from './case';
import { presence, type Absent } from './presence';
import { ascending, median } from './statistics';
import { touchMemory } from './touch-memory';

/** What came out for one subject. */
export interface Measured {
  readonly subject: Subject;
  /** The median of each round. */
  readonly rounds: readonly number[];
  /** All runs, sorted. */
  readonly samples: readonly number[];
}
export interface Outcome {
  readonly question: Question;
  readonly measured: readonly Measured[];
  readonly absent: readonly Absent[];
}

/** Called after each round. */
export type Progress = (done: number, of: number) => void;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const defaultRounds = 15;
/** What a conclusion needs. More rounds make its interval narrower, as long as there is time: so many milliseconds for a case. */
const enoughRounds = 6;
const budget = 20_000;
/** In the table of the case itself. */
const time = 'time';

/** Runs of one subject in one round, by the name of the figure. */
type Samples = Map<string, number[]>;

/** The outcome of the case, and one for each other figure that it has. */
export async function measure(given: Case, progress: Progress, exactly?: number): Promise<Outcome[]> {
  const rounds = exactly ?? given.rounds ?? defaultRounds;
  const teardowns: Teardown[] = [];
  try {
    const { present, absent } = await presence(given, teardowns);
    const collected = new Map(present.map((subject) => [subject, [] as Samples[]]));
    if (given.fills !== undefined) touchMemory(given.fills);
    // Whether a subject is here was found by a run of it, which is warm-up enough where a run is long.
    const warmUpRounds = given.iterations > 1 ? 1 : 0;
    const begun = performance.now();
    for (let round = -warmUpRounds; round < rounds; round++) {
      const order = round % 2 === 0 ? present : present.toReversed();
      for (const [subject, samples] of await once(given, order)) {
        if (round >= 0) collected.get(subject)?.push(samples);
      }
      progress(round + warmUpRounds + 1, rounds + warmUpRounds);
      if (exactly === undefined && round + 1 >= enoughRounds && performance.now() - begun > budget) break;
    }
    return [{ ...given, figure: time }, ...(given.also ?? [])].map((question) =>
      outcomeOf(question, question.figure, collected, absent),
    );
  } finally {
    for (const teardown of teardowns.reverse()) await teardown();
  }
}

function outcomeOf(
  question: Question,
  name: string,
  collected: ReadonlyMap<Subject, readonly Samples[]>,
  absent: readonly Absent[],
): Outcome {
  const scale = (question.unit === 'µs' ? 1000 : question.unit === '%' ? 100 : 1) / (question.operations ?? 1);
  const measured: Measured[] = [];
  const silent: Absent[] = [];
  for (const [subject, all] of collected) {
    const rounds = all.map((samples) => (samples.get(name) ?? []).map((value) => value * scale));
    if (rounds.some((figures) => figures.length === 0)) silent.push({ subject, reason: 'it does not tell this' });
    else measured.push({ subject, rounds: rounds.map(median), samples: ascending(rounds.flat()) });
  }
  return { question, measured, absent: [...absent, ...silent] };
}

/** One round: each subject's runs, one subject after the other. */
async function once(given: Case, order: readonly Subject[]): Promise<[Subject, Samples][]> {
  const { iterations } = given;
  const bench = new Bench({ iterations, time: 0, warmup: false, retainSamples: true, throws: true });
  const others = new Map(order.map((subject): [Subject, Samples] => [subject, new Map<string, number[]>()]));
  for (const subject of order) {
    const run = async (): Promise<Figure | undefined> => {
      const found = await subject.run();
      if (!isFigure(found)) return undefined;
      const samples = others.get(subject);
      for (const [name, value] of Object.entries(found.figures)) {
        samples?.set(name, [...(samples.get(name) ?? []), value]);
      }
      return found;
    };
    // The garbage of the one before is not this one's work. Finding out whether it is asynchronous would take a run more.
    bench.add(subject.name, run, { beforeAll: collectGarbage, async: true });
  }
  const tasks = await bench.run();
  return tasks.map(({ result, name }, index) => {
    const subject = order[index];
    if (subject === undefined || result.state !== 'completed' || result.latency.samples === undefined) {
      throw new Error(`${given.name}: ${name} has no times`);
    }
    const samples: Samples = others.get(subject) ?? new Map<string, number[]>();
    return [subject, samples.set(time, [...result.latency.samples])];
  });
}

const isFigure = (found: unknown): found is Figure =>
  typeof found === 'object' && found !== null && 'overriddenDuration' in found && 'figures' in found;
