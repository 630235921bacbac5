import { expect } from 'chai';
import { GrowingMemory } from '@vircommand/core/backend';

const mib = 1 << 20;

/** Fills memory piece by piece with bytes that tell their place. */
function filled(memory: GrowingMemory, size: number, piece: number): Buffer {
  let used = 0;
  while (used < size) {
    const length = Math.min(piece, size - used);
    memory.reserve(used + length, used).fill((used / piece) & 0xff, used, used + length);
    used += length;
  }
  return memory.reserve(used, used).subarray(0, used);
}

function expectWhole(bytes: Buffer, piece: number): void {
  for (let at = 0; at < bytes.length; at += piece) {
    expect(bytes[at]).to.equal((at / piece) & 0xff);
    expect(bytes[Math.min(at + piece, bytes.length) - 1]).to.equal((at / piece) & 0xff);
  }
}

describe('memory that grows', () => {
  it('keeps what was in it, in small blocks and in place', () => {
    for (const size of [1, 65_536, mib + 7, 16 * mib, 16 * mib + 1, 70 * mib + 3]) {
      const bytes = filled(new GrowingMemory(Infinity), size, 65_536 * 3);
      expect(bytes).to.have.length(size);
      expectWhole(bytes, 65_536 * 3);
    }
  });

  it('is what every function takes', async () => {
    for (const size of [2 * mib, 40 * mib]) {
      const bytes = filled(new GrowingMemory(size), size, mib);
      expect((await new Response(bytes).arrayBuffer()).byteLength).to.equal(size);
      expect(structuredClone(bytes).length).to.equal(size);
      expect(Reflect.get(bytes.buffer, 'resizable')).to.not.equal(true);
    }
  });

  it('takes hardly more than was asked for where the most is known', () => {
    for (const most of [1000, 3 * mib, 40 * mib]) {
      const memory = new GrowingMemory(most);
      expect(filled(memory, most, 4096).buffer.byteLength).to.be.within(most, most + 65_536);
    }
  });

  it('is announced before it is filled: all of it, and as zeros', () => {
    for (const size of [mib, 16 * mib + 1, 70 * mib + 3]) {
      let announced = 0;
      const memory = new GrowingMemory(Infinity, (bytes) => {
        announced += bytes.length;
        if (bytes.length >= 16 * mib) expect(bytes[bytes.length - 1]).to.equal(0);
      });
      const bytes = filled(memory, size, 65_536 * 3);
      expect(announced).to.be.at.least(bytes.buffer.byteLength);
    }
  });

  it('what outgrows the place is copied', () => {
    // The most is too low, so that it cannot grow in place any more.
    const bytes = filled(new GrowingMemory(20 * mib), 50 * mib, mib);
    expectWhole(bytes, mib);
  });

  it('hundreds at once, kept or not, are whole', () => {
    const kept = Array.from({ length: 200 }, (_, index) => {
      const memory = new GrowingMemory(Infinity);
      memory.reserve(17 * mib, 0).writeUInt32LE(index, 0);
      return memory;
    });
    kept.forEach((memory, index) => expect(memory.reserve(4, 4).readUInt32LE(0)).to.equal(index));
  });
});
