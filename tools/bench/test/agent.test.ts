import { expect } from 'chai';
import { agentSubject, inSequence } from '../src/agent';
import type { Figure } from '../src/case';

/** A program that answers each line so. */
const answering = (answer: string, more = '') => [
  process.execPath,
  '-e',
  `${more}; require('readline').createInterface({ input: process.stdin }).on('line', () => { ${answer} })`,
];
const found = (answer: Readonly<Record<string, number>>) => answering(`console.log('${JSON.stringify(answer)}')`);
const reasonOf = async (work: () => unknown): Promise<string> => {
  try {
    await work();
    return 'none';
  } catch (error) {
    return String(error);
  }
};

describe('an agent', () => {
  it('stays for all runs, and tells what it has measured', async () => {
    const subject = agentSubject(
      'counting',
      'ours',
      answering('console.log(JSON.stringify({ taken: ++runs, bytes: 3 }))', 'let runs = 0'),
      { warmUp: 2, bytes: 3 },
    );
    const teardown = await subject.setup?.();
    const figures = [(await subject.run()) as Figure, (await subject.run()) as Figure];
    await teardown?.();
    expect(figures.map(({ overriddenDuration }) => overriddenDuration)).to.deep.equal([3, 4]);
    expect(figures[0]?.figures).to.deep.equal({ taken: 3, bytes: 3 });
  });

  it('is new for each run where that is asked for', async () => {
    const subject = agentSubject(
      'fresh',
      'ours',
      answering('console.log(JSON.stringify({ taken: ++n }))', 'let n = 0'),
      {
        fresh: true,
      },
    );
    await subject.setup?.();
    const figures = [(await subject.run()) as Figure, (await subject.run()) as Figure];
    expect(figures.map(({ overriddenDuration }) => overriddenDuration)).to.deep.equal([1, 1]);
  });

  it('fails where the program has lost something', async () => {
    const subject = agentSubject('losing', 'peer', found({ taken: 1, bytes: 9 }), { bytes: 10 });
    const teardown = await subject.setup?.();
    expect(await reasonOf(() => subject.run())).to.equal('Error: 9 instead of 10');
    await teardown?.();
  });

  it('is not here with what it complained of, or with what it cannot have', async () => {
    const failing = agentSubject('failing', 'peer', answering("throw new RangeError('too long')"));
    expect(await reasonOf(() => failing.setup?.())).to.equal('Error: it failed: RangeError: too long');
    const missing = agentSubject('missing', 'peer', ['/no/such/program']);
    expect(await reasonOf(() => missing.setup?.())).to.contain('ENOENT');
    const greedy = agentSubject('greedy', 'peer', found({ taken: 1 }), { needs: 2 ** 40 });
    expect(await reasonOf(() => greedy.setup?.())).to.match(/^Error: it may need \d+ MiB of memory, and \d+ are free/);
  });

  it('can be several, one after the other', async () => {
    const parts = [1, 2].map((taken) => agentSubject('part', 'limit', found({ taken })));
    const both = inSequence('both', 'limit', parts);
    const teardown = await both.setup?.();
    expect(((await both.run()) as Figure).overriddenDuration).to.equal(3);
    await teardown?.();
  });
});
