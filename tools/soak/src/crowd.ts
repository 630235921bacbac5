/** Many random runs at once, in one thread. */
import { oneRun, type Subject } from './one-run';
import { Random } from './random';

/** What a crowd is told; plain data, since it may be in another thread. */
export interface CrowdOptions {
  readonly seed: number;
  /** What is started carries it, with the seed of its run. */
  readonly mark: string;
  readonly milliseconds: number;
  /** The end comes earlier after so many. */
  readonly mostRuns: number;
  readonly atOnce: number;
}

/** What became of it. */
export interface Tally {
  readonly runs: number;
  readonly endings: Readonly<Record<string, number>>;
  /** What may not be: a run that did not settle, or threw something else than its errors. */
  readonly problems: readonly string[];
}

/** All that a run waits for is bounded by milliseconds; the rest is for a machine that does other work. */
const patience = 30_000;

/** A run's seed is the crowd's and its number, so that each can be repeated alone. */
export const repeat = (seed: number | string): string => `--seed ${seed} --runs 1`;

/** Runs until the time is over, or something is wrong. */
export async function crowd(subject: Subject, options: CrowdOptions): Promise<Tally> {
  const { seed, mark, milliseconds, mostRuns, atOnce } = options;
  const end = Date.now() + milliseconds;
  const endings: Record<string, number> = {};
  const problems: string[] = [];
  const inFlight = new Map<number, number>();
  let runs = 0;
  const one = async (): Promise<void> => {
    while (Date.now() < end && runs < mostRuns && problems.length === 0) {
      const own = seed + runs++;
      inFlight.set(own, Date.now());
      try {
        const ending = await oneRun(subject, new Random(own), `${mark} ${own}`);
        endings[ending] = (endings[ending] ?? 0) + 1;
      } catch (error) {
        problems.push(`${repeat(own)}: ${String((error as Error).stack ?? error)}`);
      }
      inFlight.delete(own);
    }
  };
  let stuck = (): void => undefined;
  const gaveUp = new Promise<void>((resolve) => {
    stuck = resolve;
  });
  const watchdog = setInterval(() => {
    for (const [own, begun] of inFlight) {
      if (Date.now() - begun > patience) problems.push(`${repeat(own)}: not settled after ${patience} ms`);
    }
    if (problems.length > 0) stuck();
  }, 1000);
  await Promise.race([Promise.all(Array.from({ length: atOnce }, one)), gaveUp]);
  clearInterval(watchdog);
  return { runs, endings, problems };
}
