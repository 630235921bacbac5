import { expect } from 'chai';
import { compare, droppable, estimate, median, quantile, ratio } from '../src/statistics';

describe('statistics', () => {
  it('interpolate quantiles of sorted values', () => {
    expect(quantile([1, 2, 3, 4], 0.5)).to.equal(2.5);
    expect(quantile([1, 2, 3, 4], 0)).to.equal(1);
    expect(quantile([1, 2, 3, 4], 1)).to.equal(4);
    expect(median([9, 1, 5])).to.equal(5);
  });

  it('know how many values an interval of 95 % needs', () => {
    // The sign test: with 5 values the whole range holds the median with 1 - 2 / 2^5 = 93.75 % only.
    expect(droppable(5)).to.equal(undefined);
    expect(droppable(6)).to.equal(0);
    expect(droppable(15)).to.equal(3);
    expect(estimate([3, 1, 2])).to.deep.equal({ value: 2, low: 0, high: Infinity });
    expect(estimate([6, 5, 4, 3, 2, 1])).to.deep.equal({ value: 3.5, low: 1, high: 6 });
  });

  it('compare neighbours in time, so that what the machine does meanwhile cancels out', () => {
    const machine = [1, 5, 2, 9, 3, 1];
    const { value, low, high } = ratio(
      machine.map((load) => 2 * load),
      machine,
    );
    expect([value, low, high]).to.deep.equal([2, 2, 2]);
  });

  it('refuse to conclude while the interval holds both sides', () => {
    expect(compare({ value: 0.9, low: 0.8, high: 1.1 })).to.equal('undecided');
    expect(compare({ value: 0.9, low: 0.8, high: 0.95 })).to.equal('below');
    expect(compare({ value: 1.2, low: 1.1, high: 1.3 })).to.equal('above');
    expect(compare({ value: 1, low: 0, high: Infinity })).to.equal('undecided');
  });
});
