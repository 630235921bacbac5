import { expect } from 'chai';
import { realTime } from '@vircommand/core/backend';
import { TurningTime } from '../src/turning-time';

describe('the time in which the event loop turns', () => {
  const longest = 100;
  const { after } = realTime;
  const uptime = process.uptime.bind(process);
  let now = 0;
  let timers: { readonly due: number; readonly callback: () => void }[] = [];
  let time: TurningTime;
  beforeEach(() => {
    [now, timers] = [0, []];
    process.uptime = () => now / 1000;
    realTime.after = (ms, callback) => {
      timers.push({ due: now + ms, callback });
      return () => undefined;
    };
    time = new TurningTime(longest);
  });
  afterEach(() => {
    realTime.after = after;
    process.uptime = uptime;
  });

  /** The loop turns so often, and is busy for so many milliseconds in each turn. Timers come before the next one. */
  const turns = async (count: number, ms: number): Promise<void> => {
    for (let turn = 0; turn < count; turn++) {
      now += ms;
      const turned = new Promise((resolve) => setImmediate(resolve));
      const due = timers.filter((timer) => timer.due <= now);
      timers = timers.filter((timer) => timer.due > now);
      for (const { callback } of due) callback();
      await turned;
    }
  };

  it('passes, also while nobody looks', async () => {
    const begin = time.now();
    await turns(200, 1);
    expect(time.now() - begin).to.be.above(longest);
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
