import { expect } from 'chai';
import * as fc from 'fast-check';
import { CommandUsageError, secret } from '@vircommand/core';
import { thrown } from './caught';
import { fake } from './fake-backend';

const { Command } = fake();
const formatted = (format: string, ...values: never[]) =>
  new Command('x').addArgFormat(format, ...values).getArgList()[0];

describe('addArgFormat()', () => {
  const literal = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0') && text.isWellFormed());
  const value = fc.oneof(
    literal.map((text) => ({ as: '%s', value: text, text })),
    fc.maxSafeInteger().map((number) => ({ as: '%d', value: number, text: String(number) })),
    fc.bigInt({ min: 0n }).map((big) => ({ as: '%x', value: big, text: big.toString(16) })),
    fc.maxSafeNat().map((number) => ({ as: '%s', value: number, text: String(number) })),
    fc.constant({ as: '%%', value: undefined, text: '%' }),
  );

  it('puts every value where its conversion stands', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(literal, value), { maxLength: 6 }), literal, (pieces, end) => {
        const escape = (text: string): string => text.replaceAll('%', '%%');
        const format = pieces.map(([text, { as }]) => escape(text) + as).join('') + escape(end);
        const values = pieces.flatMap(([, one]) => (one.as === '%%' ? [] : [one.value]));
        const whole = pieces.map(([text, one]) => text + one.text).join('') + end;
        expect(formatted(format, ...(values as never[]))).to.equal(whole);
      }),
      { numRuns: 1000 },
    );
  });

  it('bytes and secrets keep what they are', () => {
    const made = fake();
    const command = new made.Command('x')
      .addArgFormat('a%sb', new Uint8Array([0xff]))
      .addArgFormat('k=%s!', secret('s'));
    command.runSync();
    expect(made.plan.argv).to.deep.equal(['x', { base64: Buffer.from('a\xffb', 'latin1').toString('base64') }, 'k=s!']);
    expect(command.getArgList()[1]).to.equal('k=***!');
  });

  for (const [format, ...values] of [
    ['%q', 1],
    ['%', 1],
    ['100%'],
    ['%s'],
    ['%s', 'a', 'b'],
    ['%d', 1.5],
    ['%d', 2 ** 53],
    ['%d', '1'],
    ['%x', -1],
    ['%s', {}],
    ['a\0'],
    ['%s', 'a\0'],
    [5],
  ] as const) {
    it(`${JSON.stringify([format, ...values])} is a usage error`, () => {
      expect(thrown(() => formatted(format as string, ...(values as never[])), CommandUsageError).call).to.equal(
        'addArgFormat()',
      );
    });
  }
});
