import { expect } from 'chai';
import fc from 'fast-check';
import { TimerQueue } from '../src/timers';

describe('the queue of timers', () => {
  it('gives what was added and not cancelled, by due time and then by order, as a sorted list would', () => {
    const action = fc.oneof(
      fc.record({ add: fc.integer({ min: 0, max: 20 }) }),
      fc.record({ cancel: fc.nat(200) }),
      fc.constant('take' as const),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 400 }), (actions) => {
        const queue = new TimerQueue();
        const cancels: (() => void)[] = [];
        let model: { due: number; order: number }[] = [];
        const take = (): void => {
          model.sort((a, b) => a.due - b.due || a.order - b.order);
          const taken: number[] = [];
          expect(queue.take()?.due).to.equal(model.shift()?.due);
          expect(taken).to.deep.equal([]);
        };
        for (const one of actions) {
          if (one === 'take') take();
          else if ('add' in one) {
            const order = cancels.length;
            cancels.push(queue.add(one.add, () => undefined));
            model.push({ due: one.add, order });
          } else {
            cancels[one.cancel]?.();
            model = model.filter(({ order }) => order !== one.cancel);
          }
          expect(queue.size).to.equal(model.length);
        }
        while (model.length > 0) take();
        expect(queue.take()).to.equal(undefined);
      }),
    );
  });

  it('lets go of cancelled timers', () => {
    const queue = new TimerQueue();
    queue.add(1, () => undefined);
    for (let i = 0; i < 10_000; i++) queue.add(100 + i, () => undefined)();
    expect(queue.size).to.equal(1);
    expect((queue as unknown as { heap: unknown[] }).heap.length).to.be.below(200);
  });
});
