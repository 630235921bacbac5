/** Whether memory stays flat: what JavaScript holds after a collection, and how the whole process grows. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const mebi = 2 ** 20;

/** What JavaScript holds, in MiB, after everything that it does not hold was collected. */
export function held(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // Twice: what finalizers let go of is collected the second time.
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / mebi;
}

/** Resident memory over time. */
export class Resident {
  private readonly samples: { readonly minutes: number; readonly mebibytes: number }[] = [];
  private readonly begun = Date.now();
  private readonly timer: NodeJS.Timeout;

  constructor(milliseconds: number) {
    this.timer = setInterval(this.take, Math.max(100, milliseconds / 200));
    this.timer.unref();
  }

  private readonly take = (): void => {
    this.samples.push({ minutes: (Date.now() - this.begun) / 60_000, mebibytes: process.memoryUsage.rss() / mebi });
  };

  /** Its slope in the second half, in MiB for each minute (least squares), and where it ended. */
  stop(): { readonly slope: number; readonly last: number; readonly growth: number } {
    clearInterval(this.timer);
    this.take();
    const half = this.samples.slice(Math.floor(this.samples.length / 2));
    const mean = (of: (sample: (typeof half)[number]) => number): number =>
      half.reduce((sum, sample) => sum + of(sample), 0) / half.length;
    const [atMean, sizeMean] = [mean(({ minutes }) => minutes), mean(({ mebibytes }) => mebibytes)];
    const above = half.reduce((sum, { minutes, mebibytes }) => sum + (minutes - atMean) * (mebibytes - sizeMean), 0);
    const below = half.reduce((sum, { minutes }) => sum + (minutes - atMean) ** 2, 0);
    const slope = below === 0 ? 0 : above / below;
    const length = (half.at(-1)?.minutes ?? 0) - (half[0]?.minutes ?? 0);
    return { slope, last: half.at(-1)?.mebibytes ?? 0, growth: slope * length };
  }
}
