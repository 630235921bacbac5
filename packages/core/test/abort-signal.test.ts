import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { listenForAbort } from '../src/abort-signal';

describe('the abort of a signal', () => {
  it('is heard of by all, also where one of them throws', () => {
    const controller = new AbortController();
    const heard: string[] = [];
    const error = new Error('of one');
    listenForAbort(controller.signal, () => {
      throw error;
    });
    listenForAbort(controller.signal, () => {
      heard.push('the other');
    });
    const nextTick = Object.getOwnPropertyDescriptor(process, 'nextTick') ?? {};
    const later: (() => void)[] = [];
    Object.defineProperty(process, 'nextTick', { ...nextTick, value: (callback: () => void) => later.push(callback) });
    try {
      controller.abort();
    } finally {
      Object.defineProperty(process, 'nextTick', nextTick);
    }
    expect(heard).to.deep.equal(['the other']);
    // It is not swallowed: it is an uncaught exception, as that of any listener.
    expect(later).to.have.length(1);
    expect(later[0]).to.throw(error);
  });

  it('is not waited for any longer when nobody listens, and is again', () => {
    const controller = new AbortController();
    const { signal } = controller;
    const count = (): number => getEventListeners(signal, 'abort').length;
    let heard = 0;
    const hear = (): void => {
      heard++;
    };
    const stops = [listenForAbort(signal, () => expect.fail('it has stopped')), listenForAbort(signal, hear)];
    expect(count()).to.equal(1);
    stops[0]?.();
    stops[0]?.();
    expect(count()).to.equal(1);
    stops[1]?.();
    expect(count()).to.equal(0);
    listenForAbort(signal, hear);
    controller.abort();
    expect([heard, count()]).to.deep.equal([1, 0]);
  });

  it('is heard of by who listens after an event that was none, also when the others have stopped', () => {
    const controller = new AbortController();
    const { signal } = controller;
    const heard: string[] = [];
    const stop = listenForAbort(signal, () => heard.push('first'));
    signal.dispatchEvent(new Event('abort'));
    listenForAbort(signal, () => heard.push('second'));
    stop();
    listenForAbort(signal, () => heard.push('third'));
    expect(getEventListeners(signal, 'abort')).to.have.length(1);
    controller.abort();
    expect(heard).to.deep.equal(['first', 'second', 'third']);
  });
});
