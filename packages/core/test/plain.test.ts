/** Reading what callers hand in. */
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import fc from 'fast-check';
import { editDistance, isPlain } from '@vircommand/core/backend';
import type * as PlainModule from '../src/plain';
import { internal } from './subject';

const { isFd, isRootPrototype } = internal('plain') as typeof PlainModule;

describe('what callers hand in', () => {
  it('editDistance() is a metric that counts single edits', () => {
    expect([editDistance('', ''), editDistance('a', ''), editDistance('kitten', 'sitting')]).to.deep.equal([0, 1, 3]);
    fc.assert(
      fc.property(
        fc.string({ maxLength: 20 }),
        fc.string({ maxLength: 20 }),
        fc.string({ maxLength: 20 }),
        (a, b, c) => {
          expect(editDistance(a, b)).to.equal(editDistance(b, a));
          expect(editDistance(a, b) === 0).to.equal(a === b);
          expect(editDistance(a, c)).to.be.at.most(editDistance(a, b) + editDistance(b, c));
        },
      ),
    );
  });

  it('the end of a prototype chain is the Object.prototype of some realm, and no other object', () => {
    const foreign = runInNewContext('({})') as object;
    const bare = Object.create(null) as object;
    expect([Object.prototype, Object.getPrototypeOf(foreign)].map(isRootPrototype)).to.deep.equal([true, true]);
    expect([bare, {}, Array.prototype].map(isRootPrototype)).to.deep.equal([false, false, false]);
    expect([{}, bare, foreign].every(isPlain)).to.equal(true);
    expect(
      [
        Object.create(bare) as object,
        [],
        new Map(),
        new (class {
          x = 1;
        })(),
      ].some(isPlain),
    ).to.equal(false);
  });

  it('a descriptor may be inherited, from an object without a prototype too, but not from what all objects inherit', () => {
    const handle = Object.assign(Object.create(null) as object, { fd: 5 });
    expect(isFd(Object.create(handle))).to.equal(true);
    const root = Object.assign(Object.create(null) as object, { fd: 5, isPrototypeOf: () => false });
    expect(isFd(Object.create(root))).to.equal(false);
  });
});
