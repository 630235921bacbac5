import { expect } from 'chai';
import { systemClock } from '@vircommand/core/backend';

describe('the real clock', () => {
  it('calls back once, not too early, and not what is cancelled', async () => {
    const begun = systemClock.now();
    let calls = 0;
    const cancel = systemClock.after(5, () => calls++);
    cancel();
    cancel();
    await new Promise<void>((resolve) => {
      systemClock.after(20, resolve);
    });
    expect(systemClock.now() - begun).to.be.at.least(19);
    expect(calls).to.equal(0);
  });

  it('a delay longer than a timer can wait is not one of a millisecond', async () => {
    let called = false;
    const cancel = systemClock.after(2 ** 33, () => (called = true));
    await new Promise<void>((resolve) => {
      systemClock.after(30, resolve);
    });
    cancel();
    expect(called).to.equal(false);
  });
});
