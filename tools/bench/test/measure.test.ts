import { expect } from 'chai';
import { figure, NotHere, type Case, type Subject } from '../src/case';
import { measure } from '../src/measure';
import { render } from '../src/table';
import { judge } from '../src/verdict';

const quiet = (): void => undefined;
/** A subject with known figures. */
const known = (name: string, role: Subject['role'], figures: () => number): Subject => ({
  name,
  role,
  run: () => figure(figures()),
});
const caseOf = (subjects: Subject[], more: Partial<Case> = {}): Case => ({
  name: 'test/case',
  what: 'known figures',
  iterations: 1,
  rounds: 6,
  subjects,
  ...more,
});

describe('a measurement', () => {
  it('goes through the subjects in turns, in both directions', async () => {
    const order: string[] = [];
    const noting = (name: string): Subject => ({ name, role: 'ours', run: () => void order.push(name) });
    await measure(caseOf(['a', 'b', 'c'].map(noting), { iterations: 2 }), quiet, 2);
    // tinybench runs each once more in a round, to see who is asynchronous.
    expect(order.join('')).to.match(/abcaabbcccbaccbbaa$/);
  });

  it('leaves out who is not here, and says why', async () => {
    const absent: Subject = {
      ...known('absent', 'peer', () => 1),
      setup: () => Promise.reject(new NotHere('no such thing')),
    };
    const outcome = await measure(caseOf([known('here', 'ours', () => 1), absent]), quiet);
    expect(outcome.measured.map(({ subject }) => subject.name)).to.deep.equal(['here']);
    expect(outcome.absent.map(({ reason }) => reason)).to.deep.equal(['no such thing']);
    expect(render(outcome.case, judge(outcome), outcome.absent)).to.contain('absent: not here (no such thing)');
  });

  it('ends what it has set up, also when a subject fails', async () => {
    const ended: string[] = [];
    let runs = 0;
    const failing: Subject = {
      name: 'failing',
      role: 'ours',
      setup: () => Promise.resolve(() => void ended.push('failing')),
      run() {
        if (runs++ > 1) throw new Error('broken on the way');
      },
    };
    const error: unknown = await measure(caseOf([failing]), quiet).catch((reason: unknown) => reason);
    expect(String(error)).to.contain('broken on the way');
    expect(ended).to.deep.equal(['failing']);
  });
});

describe('a verdict', () => {
  it('names the best peer, and keeps the bars', async () => {
    const subjects = [
      known('limit', 'limit', () => 1),
      known('ours', 'ours', () => 1.2),
      known('peer', 'peer', () => 2),
      known('slow peer', 'peer', () => 4),
    ];
    const bars = [
      { subject: 'ours', than: 'limit', atMost: 1.25 },
      { subject: 'ours', than: 'limit', atMost: 1.1 },
      { subject: 'ours', atMost: 1 },
      { subject: 'ours', than: 'nobody', atMost: 1 },
    ];
    const { conclusions, bestPeer } = judge(await measure(caseOf(subjects, { bars }), quiet));
    expect(bestPeer).to.equal('peer');
    expect(conclusions.map(({ kind, text }) => `${kind} ${text}`)).to.deep.equal([
      'good ours: 0.60 × the best peer, peer',
      'good ours: 1.20 × limit, bar 1.25: met',
      'bad ours: 1.20 × limit, bar 1.10: missed',
      'bad ours: 1.20 ms, bar 1.00: missed',
    ]);
  });

  it('is certain of what is counted', async () => {
    const subjects = [known('ours', 'ours', () => 20), known('peer', 'peer', () => 10)];
    const bars = [{ subject: 'ours', atMost: 15 }];
    const counted = caseOf(subjects, { bars, rounds: 1, exact: true, unit: 'KiB' });
    const { conclusions } = judge(await measure(counted, quiet));
    expect(conclusions.map(({ kind, text }) => `${kind} ${text}`)).to.deep.equal([
      'bad ours: 2.00 × the best peer, peer',
      'bad ours: 20.00 KiB, bar 15.00: missed',
    ]);
  });

  it('says nothing where the spread is larger than the difference', async () => {
    const figures = [1, 4, 0.5, 3, 0.7, 2, 1, 5];
    let run = 0;
    const subjects = [
      known('ours', 'ours', () => figures[(run++ >> 1) % figures.length] ?? 1),
      known('peer', 'peer', () => 1.5),
    ];
    const bars = [{ subject: 'ours', than: 'peer', atMost: 1 }];
    const { conclusions } = judge(await measure(caseOf(subjects, { bars }), quiet));
    expect(conclusions.map(({ kind }) => kind)).to.deep.equal(['undecided', 'undecided']);
  });
});
