/** What a process has used, as the kernel writes it down: a `struct rusage`. */
import type { ResourceUsage } from '@vircommand/core/backend';
import { RUSAGE, SIZE } from './struct';

/** Milliseconds, KiB and counts. */
export type Used = { readonly [K in keyof ResourceUsage]: number };

export class Rusage {
  /** Where the kernel writes. */
  readonly buffer = Buffer.alloc(SIZE.rusage);
  private readonly words = new Uint32Array(this.buffer.buffer, this.buffer.byteOffset, SIZE.rusage / 4);

  get maxRssKiB(): number {
    return this.word(RUSAGE.maxRss);
  }

  used(): Used {
    return {
      userMs: this.word(RUSAGE.userSeconds) * 1000 + this.word(RUSAGE.userMicroseconds) / 1000,
      systemMs: this.word(RUSAGE.systemSeconds) * 1000 + this.word(RUSAGE.systemMicroseconds) / 1000,
      maxRssKiB: this.maxRssKiB,
      voluntaryContextSwitches: this.word(RUSAGE.voluntaryContextSwitches),
      involuntaryContextSwitches: this.word(RUSAGE.involuntaryContextSwitches),
    };
  }

  /** The lower half of a `long`: what is counted here stays below 2^32. */
  private word(offset: number): number {
    return this.words[offset / 4] ?? 0;
  }
}
