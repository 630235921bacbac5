/** Under a filter that refuses calls, as that of a container: what is so already must not fail by them. */
import { expect } from 'chai';
import { findCapabilities, setCapabilities } from '../src/launcher/steps/capabilities';
import type { Credentials } from '../src/launcher/steps/credentials';
import { errno } from '../src/errno';
import { libcThrough, type Libc } from '../src/libc';
import { chosenDriver } from '../src/ffi';

describe('capabilities that may not be set', () => {
  const asked: string[] = [];
  const refuse = (call: string) => (): number => {
    asked.push(call);
    return -errno.EPERM;
  };
  const filtered: Libc = {
    ...libcThrough(chosenDriver(undefined)),
    capset: refuse('capset'),
    prctl: refuse('prctl'),
  };
  const nobody: Credentials = {
    uids: [1000, 1000, 1000, 1000],
    gids: [],
    groups: [],
    inheritable: 0n,
    permitted: 0n,
    effective: 0n,
    bounding: 0xffn,
    ambient: 0n,
    noNewPrivs: false,
  };
  const drop = (now: Credentials): void => {
    const wanted = findCapabilities(filtered, { uid: 1000 }, now);
    if (wanted !== undefined) setCapabilities(filtered, wanted, now);
  };
  beforeEach(() => asked.splice(0));

  it('are not set for who has none', () => {
    drop(nobody);
    expect(asked).to.deep.equal([]);
  });

  for (const set of ['inheritable', 'permitted', 'effective'] as const) {
    it(`are an error for who has one in his ${set} set`, () => {
      expect(() => {
        drop({ ...nobody, [set]: 1n });
      }).to.throw('capset');
    });
  }

  it('are an error for who would hand one on', () => {
    expect(() => {
      drop({ ...nobody, ambient: 1n });
    }).to.throw('PR_CAP_AMBIENT');
  });
});
