import { expect } from 'chai';
import { aligned } from '../src/table';
import { digits, rowsOf, times } from '../src/words';

describe('words', () => {
  it('give three digits that count', () => {
    expect([0.01234, 1.234, 12.34, 123.4, 1234, Infinity].map(digits)).to.deep.equal([
      '0.012',
      '1.23',
      '12.3',
      '123',
      '1,234',
      '–',
    ]);
  });

  it('give a ratio with its interval, and say where there is none', () => {
    expect(times({ value: 1.5, low: 1.25, high: 1.75 })).to.equal('1.50 × [1.25–1.75]');
    expect(times({ value: 1.5, low: 0, high: Infinity })).to.equal('1.50 × [?]');
    expect(times({ value: 1.5, low: 1.5, high: 1.5 })).to.equal('1.50 ×');
  });

  it('make a table from the quickest to the slowest, without columns that nobody fills', () => {
    const row = { quartiles: [1, 2], p99: 3, runs: 6 } as const;
    const table = rowsOf(
      [
        { ...row, name: 'slow', role: 'peer', median: 2 },
        { ...row, name: 'quick', role: 'ours', median: 1, toBestPeer: { value: 0.5, low: 0.4, high: 0.6 } },
      ],
      'ms',
    );
    expect(aligned(table)).to.deep.equal([
      '           ms  middle half   p99        to best peer',
      '● quick  1.00    1.00–2.00  3.00  0.50 × [0.40–0.60]',
      '○ slow   2.00    1.00–2.00  3.00',
    ]);
  });
});
