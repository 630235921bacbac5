import { expect } from 'chai';
import { explain, show } from '../src/explain';

describe('explanations', () => {
  it('the nearest three come first, another program last, many differences are cut', () => {
    const argument = (n: number, expected: string, actual: string) => ({ field: `argument ${n}`, expected, actual });
    const text = explain(
      [
        { title: 'other program', differences: [{ field: 'program', expected: 'a', actual: 'b' }] },
        { title: 'far', differences: [argument(1, 'xxxx', 'yyyy'), argument(2, 'x', 'y')] },
        { title: 'near', differences: [argument(1, 'xxxx', 'xxxy')] },
        { title: 'exact', differences: [], note: 'used up' },
        { title: 'many', differences: Array.from({ length: 12 }, (_, n) => argument(n, 'p', 'q')) },
      ],
      'call',
    );
    expect(text).to.match(
      /^Nearest calls \(of 5\):\n {2}1\. exact\n {5}used up\n {2}2\. near\n {5}argument 1: expected xxxx, got xxxy\n {2}3\. far/,
    );
    expect(text).to.not.contain('other program');
    const all = explain(
      [{ title: 'm', differences: Array.from({ length: 12 }, (_, n) => argument(n, 'p', 'q')) }],
      'call',
    );
    expect(all).to.contain('… and 4 more');
  });

  it('show() is one line, quoted and bounded', () => {
    expect(show('a\nb\\\t')).to.equal(String.raw`'a\nb\\\t'`);
    expect(show('x'.repeat(500)))
      .to.have.length.below(230)
      .and.to.contain('(500 characters)');
  });
});
