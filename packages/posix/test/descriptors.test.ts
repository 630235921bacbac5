import { expect } from 'chai';
import fc from 'fast-check';
import { arrange, type ActionSink, type Move } from '../src/descriptors';

/** A table of descriptors that does what the kernel does with the actions. */
class Table implements ActionSink {
  readonly open: Map<number, { file: number; inherited: boolean }>;
  highest = 0;
  constructor(fds: Iterable<number>) {
    // Each refers to a file of its own, and is closed on exec until it is duplicated.
    this.open = new Map(Array.from(fds, (fd) => [fd, { file: fd, inherited: false }]));
  }
  dup2(source: number, target: number): void {
    const from = this.open.get(source);
    if (from === undefined) throw new Error(`EBADF: dup2(${source}, ${target})`);
    this.open.set(target, { file: from.file, inherited: true });
    this.highest = Math.max(this.highest, target);
  }
  close(fd: number): void {
    this.open.delete(fd);
  }
  closeFrom(lowest: number): void {
    for (const fd of this.open.keys()) if (fd >= lowest) this.open.delete(fd);
  }
  /** What the program sees. */
  get afterExec(): Record<number, number> {
    return Object.fromEntries(
      Array.from(this.open).flatMap(([fd, { file, inherited }]) => (inherited ? [[fd, file]] : [])),
    );
  }
}

function expected(stdio: readonly number[], others: readonly Move[]): Record<number, number> {
  const wanted = [...stdio.entries(), ...others.map(({ source, target }) => [target, source] as const)];
  return Object.fromEntries<number>(wanted);
}

describe('the descriptors of a program', () => {
  const low = fc.oneof({ weight: 4, arbitrary: fc.nat(12) }, fc.nat(2000));
  const moves = fc.uniqueArray(fc.record({ source: low, target: low.map((fd) => fd + 3) }), {
    selector: ({ target }) => target,
    maxLength: 12,
  });

  it('are exactly the wanted ones, however sources and targets cross', () => {
    fc.assert(
      fc.property(fc.tuple(low, low, low), moves, fc.array(low), (stdio, others, strangers) => {
        const table = new Table([...stdio, ...others.map(({ source }) => source), ...strangers]);
        arrange(stdio, others, table);
        expect(table.afterExec).to.deep.equal(expected(stdio, others));
        expect(table.open.size).to.equal(3 + others.length);
      }),
      { numRuns: 5000 },
    );
  });

  it('need no number above the wanted ones, the sources and a copy of each', () => {
    fc.assert(
      fc.property(fc.tuple(low, low, low), moves, (stdio, others) => {
        const sources = [...stdio, ...others.map(({ source }) => source)];
        const table = new Table(sources);
        arrange(stdio, others, table);
        const targets = others.map(({ target }) => target);
        expect(table.highest).to.be.at.most(Math.max(...targets, 2 * sources.length + sources.length));
      }),
    );
  });

  it('cost as many actions for a high number as for a low one', () => {
    const count = (target: number): number => {
      let actions = 0;
      const add = (): void => {
        actions++;
      };
      arrange([20, 21, 22], [{ source: 23, target }], { dup2: add, close: add, closeFrom: add });
      return actions;
    };
    expect(count(10_000)).to.equal(count(10));
  });
});
