import { expect } from 'chai';
import * as fc from 'fast-check';
import type * as CaptureModule from '../src/capture';
import { internal } from './subject';

const { Capture, Tail, decodeText, tailText } = internal('capture') as typeof CaptureModule;

const chunks = fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 12 });
const limit = fc.oneof(fc.integer({ min: 0, max: 120 }), fc.constant(Infinity));

describe('capture', () => {
  it('keeps exactly what two limits allow, and says once which one it was', () => {
    fc.assert(
      fc.property(chunks, limit, limit, fc.boolean(), (given, own, total, reused) => {
        const exceeded: string[] = [];
        const budget = { left: total };
        const capture = new Capture(own, budget, (which) => exceeded.push(which));
        for (const chunk of given) {
          const lent = Uint8Array.from(chunk);
          capture.take(lent, reused);
          // A view that is valid during the call only.
          if (reused) lent.fill(0);
        }
        const all = Buffer.concat(given);
        const most = Math.min(own, total);
        expect(capture.bytes()).to.deep.equal(all.subarray(0, Math.min(most, all.length)));
        expect(capture.bytes()).to.deep.equal(all.subarray(0, Math.min(most, all.length)));
        expect(exceeded).to.deep.equal(all.length > most ? [own <= total ? 'own' : 'total'] : []);
        expect(budget.left).to.equal(total - Math.min(most, all.length));
      }),
      { numRuns: 500 },
    );
  });

  it('the common limit is shared in the order of what comes', () => {
    const budget = { left: 5 };
    const exceeded: string[] = [];
    const [out, err] = ['out', 'err'].map(
      (name) => new Capture(Infinity, budget, (which) => exceeded.push(`${name} ${which}`)),
    );
    out!.take(Buffer.from('abc'));
    err!.take(Buffer.from('defg'));
    out!.take(Buffer.from('h'));
    expect([String(out!.bytes()), String(err!.bytes()), exceeded]).to.deep.equal([
      'abc',
      'de',
      ['err total', 'out total'],
    ]);
  });

  // Memory that is read into again moves to memory that grows from 1 MiB on, chunks of their own from 32 MiB on.
  for (const [what, reused, limit] of [
    ['memory that is read into again', true, (5 << 20) + 3],
    ['chunks', false, (5 << 20) + 3],
    ['many chunks', false, (40 << 20) + 3],
  ] as const) {
    it(`is whole where it is large, and a Buffer like any other: ${what}`, () => {
      const chunk = Buffer.alloc(1 << 18, 'abcdefg');
      const count = Math.ceil(limit / chunk.length) + 3;
      const capture = new Capture(limit, { left: Infinity }, () => undefined);
      for (let turn = 0; turn < count; turn++) {
        const given = reused ? Buffer.from(chunk) : chunk;
        capture.take(given, reused);
        if (reused) given.fill(0);
      }
      const whole = Buffer.concat(Array.from({ length: count }, () => chunk)).subarray(0, limit);
      const bytes = capture.bytes();
      expect(bytes.equals(whole)).to.equal(true);
      expect(Reflect.get(bytes.buffer, 'resizable')).to.not.equal(true);
    });
  }

  it('a tail is the end, whatever the chunks', () => {
    fc.assert(
      fc.property(chunks, fc.integer({ min: 1, max: 40 }), (given, size) => {
        const tail = new Tail(size);
        for (const chunk of given) tail.take(chunk);
        expect(tail.bytes()).to.deep.equal(Buffer.concat(given).subarray(-size));
      }),
    );
  });

  it('cut text ends with a whole character', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((value) => value.isWellFormed());
    for (const encoding of ['utf8', 'utf16le', 'latin1'] as const) {
      fc.assert(
        fc.property(text, fc.nat(40), (value, at) => {
          const bytes = Buffer.from(value, encoding).subarray(0, at);
          const cut = decodeText(bytes, encoding, true);
          expect(Buffer.from(value, encoding).toString(encoding).startsWith(cut)).to.equal(true);
          expect(bytes.length - Buffer.byteLength(cut, encoding)).to.be.within(0, 3);
        }),
      );
    }
  });

  it('the text of a tail begins with a whole character', () => {
    fc.assert(
      fc.property(fc.constantFrom('é', '漢', '😀', 'a'), fc.nat(3), (character, shift) => {
        const bytes = Buffer.from('x'.repeat(shift) + character.repeat(9000));
        expect(tailText(bytes, 'utf8')).to.match(new RegExp(`^(${character})+$`, 'u'));
      }),
    );
    expect(tailText(Buffer.from([0xa9, 0x41]), 'utf8')).to.equal('\ufffdA');
  });
});
