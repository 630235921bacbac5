/**
 * Chaos: random programs, random deadlines, aborts, kills and disposals at random moments, many at once, on every backend,
 * in the main thread and in worker threads. Every promise must settle; no zombie, no orphan, no descriptor and no listener
 * may be left; memory must stay flat.
 *
 *     npm run soak -- --seconds 600 --seed 7 --backend posix --place worker
 *
 * The seconds are for all together. What goes wrong is told with the seed of the run, which repeats it alone:
 * `--seed 1000007 --runs 1`.
 */
import { parseArgs } from 'node:util';
import { phase, places, type Place } from './phase';
import { subjectNames } from './subjects';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    runs: { type: 'string', default: 'Infinity' },
    backend: { type: 'string', multiple: true, default: subjectNames },
    place: { type: 'string', multiple: true, default: Array.from(places) },
    atOnce: { type: 'string', default: '16' },
  },
});

async function main(): Promise<void> {
  const phases = values.backend.flatMap((backend) => values.place.map((place) => [place as Place, backend] as const));
  for (const [place, backend] of phases) {
    const { summary, problems } = await phase(place, backend, {
      seed: Number(values.seed),
      milliseconds: (Number(values.seconds) * 1000) / phases.length,
      mostRuns: Number(values.runs),
      atOnce: Number(values.atOnce),
    });
    console.log(summary);
    for (const problem of problems) console.log(`  ${problem}`);
    if (problems.length > 0) process.exitCode = 1;
  }
}

void main();
