import { mock } from 'node:test';
import * as timers from 'node:timers';
import { expect } from 'chai';
import { realTime } from '../src/real-time';
import { afterTwoTurns, nextTurn } from '../src/turns';

describe('real time', () => {
  const { hrtime } = process;
  beforeEach(() => {
    mock.timers.enable({ apis: ['setImmediate', 'setTimeout', 'setInterval'] });
    process.hrtime = Object.assign(() => [0, 0] as [number, number], { bigint: () => 0n });
  });
  afterEach(() => {
    mock.timers.reset();
    process.hrtime = hrtime;
  });

  it('goes on while it is faked', async () => {
    expect(timers.setTimeout).not.to.equal(realTime.setTimeout);
    const before = realTime.now();
    await new Promise<void>((resolve) => {
      const interval = realTime.setInterval(() => {
        realTime.clearInterval(interval);
        resolve();
      }, 1);
    });
    await new Promise((resolve) => realTime.setTimeout(resolve, 1));
    expect(realTime.now()).to.be.above(before);
  });

  it('has turns of the event loop', async () => {
    await nextTurn();
    await new Promise<void>((resolve) => {
      afterTwoTurns(resolve);
    });
  });
});
