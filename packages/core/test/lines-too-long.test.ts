import { expect } from 'chai';
import { PassThrough } from 'node:stream';
import { LineReader } from '../src/lines';

describe('lines', () => {
  it('that came in the same chunk before one that is too long are not lost', async () => {
    const stream = new PassThrough();
    const limits: number[] = [];
    const reader = new LineReader(
      stream,
      { encoding: 'utf8', maxLength: 5 },
      { tooLong: (limit) => limits.push(limit), resumed: () => undefined },
    );
    stream.end('a\nbc\n123456789\nd\n');
    await reader.more();
    expect([reader.shift(), reader.shift(), reader.shift()]).to.deep.equal(['a', 'bc', undefined]);
    expect(await reader.more()).to.equal(false);
    expect(limits).to.deep.equal([5]);
  });
});
