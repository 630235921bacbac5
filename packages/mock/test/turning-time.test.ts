import { expect } from 'chai';
import { TurningTime } from '../src/turning-time';

describe('the time in which the event loop turns', () => {
  const longest = 100;
  const time = new TurningTime(longest);

  const turns = async (count: number, ms: number): Promise<void> => {
    for (let turn = 0; turn < count; turn++) {
      const until = performance.now() + ms;
      while (performance.now() < until);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  it('passes, also while nobody looks', async () => {
    let begin: number;
    do {
      begin = time.now();
      await new Promise((resolve) => setTimeout(resolve, 200));
    } while (time.now() - begin <= longest);
  });

  it('is short between two things that are told of within two turns, however long those take', async () => {
    for (let round = 0; round < 4; round++) {
      const begin = time.now();
      await turns(2, 60);
      expect(time.now() - begin).to.be.below(longest);
    }
  });

  it('passes in a process that is busy all the time, in long turns and in short ones', async () => {
    for (const [count, ms] of [
      [4, 60],
      [5, 40],
      [20, 15],
      [60, 5],
    ] as const) {
      const begin = time.now();
      await turns(count, ms);
      expect(time.now() - begin, `${count} turns of ${ms} ms`).to.be.above(longest);
    }
  });
});
