/** Crowds in worker threads: several at once, and generation after generation, since threads come and go. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { CrowdOptions, Tally } from './crowd';

const atOnce = 2;
/** The time of a generation, in milliseconds. */
const generation = 5000;
/** How long a worker that has nothing to do any more may take to end. */
const patience = 20_000;
/** Apart, so that no two runs have one seed. */
const seedsEach = 100_000;

function worker(backend: string, options: CrowdOptions): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const execArgv = [...process.execArgv, '--require', 'ts-node/register/transpile-only'];
    const thread = new Worker(join(__dirname, 'worker.ts'), { workerData: { backend, options }, execArgv });
    let tally: Tally | undefined;
    let late: NodeJS.Timeout | undefined;
    thread.on('message', (message: Tally) => {
      tally = message;
      late = setTimeout(() => {
        reject(new Error(`--seed ${options.seed}: a worker thread that has nothing to do does not end`));
      }, patience);
    });
    thread.on('error', reject);
    thread.on('exit', (code) => {
      clearTimeout(late);
      if (tally === undefined) reject(new Error(`--seed ${options.seed}: a worker thread ended with ${code}`));
      else resolve(tally);
    });
  });
}

const sum = (tallies: readonly Tally[]): Tally => {
  const endings: Record<string, number> = {};
  for (const tally of tallies) {
    for (const [ending, count] of Object.entries(tally.endings)) endings[ending] = (endings[ending] ?? 0) + count;
  }
  return {
    runs: tallies.reduce((all, { runs }) => all + runs, 0),
    endings,
    problems: tallies.flatMap(({ problems }) => problems),
  };
};

/** As `crowd()`, in worker threads. */
export async function crowdsInWorkers(backend: string, options: CrowdOptions): Promise<Tally> {
  const tallies: Tally[] = [];
  const generations = Math.max(1, Math.round(options.milliseconds / generation));
  const own = {
    ...options,
    milliseconds: options.milliseconds / generations,
    mostRuns: Math.ceil(options.mostRuns / generations / atOnce),
    atOnce: Math.ceil(options.atOnce / atOnce),
  };
  for (let number = 0; number < generations; number++) {
    const seeds = Array.from({ length: atOnce }, (_, index) => (number * atOnce + index) * seedsEach);
    tallies.push(...(await Promise.all(seeds.map((seed) => worker(backend, { ...own, seed: options.seed + seed })))));
    if (tallies.some(({ problems }) => problems.length > 0)) break;
  }
  return sum(tallies);
}
