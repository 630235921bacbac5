import { expect } from 'chai';
import { TurningTime } from '../src/turning-time';

describe('the time in which the event loop turns', () => {
  const longest = 100;
  const time = new TurningTime(longest);

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
      for (let turn = 0; turn < 2; turn++) {
        const until = performance.now() + 60;
        while (performance.now() < until);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(time.now() - begin).to.be.below(longest);
    }
  });
});
