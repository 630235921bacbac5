import { expect } from 'chai';
import { figure, NotHere, type Case, type Subject } from '../src/case';
import { measure } from '../src/measure';
import { render } from '../src/table';
import { judge, type Result } from '../src/verdict';

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

const first = async (given: Case): Promise<Result> => {
  const [outcome] = await measure(given, quiet);
  if (outcome === undefined) throw new Error('no outcome');
  return judge(outcome);
};

describe('a measurement', () => {
  it('goes through the subjects in turns, in both directions', async () => {
    const order: string[] = [];
    const noting = (name: string): Subject => ({ name, role: 'ours', run: () => void order.push(name) });
    await measure(caseOf(['a', 'b', 'c'].map(noting), { iterations: 2 }), quiet, 2);
    // Who is here, the warm-up, and two rounds.
    expect(order.join('')).to.equal('abc' + 'ccbbaa' + 'aabbcc' + 'ccbbaa');
  });

  it('leaves out who is not here, and says why', async () => {
    const absent: Subject = {
      ...known('absent', 'peer', () => 1),
      setup: () => Promise.reject(new NotHere('no such thing')),
    };
    const bars = [{ subject: 'absent', atMost: 1 }];
    const result = await first(caseOf([known('here', 'ours', () => 1), absent], { bars }));
    expect(result.rows.map(({ name }) => name)).to.deep.equal(['here']);
    expect(result.bars.map(({ verdict, reason }) => [verdict, reason])).to.deep.equal([
      ['not measured', 'absent: no such thing'],
    ]);
    expect(render(result)).to.contain('absent: not here (no such thing)');
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

  it('makes a table of each figure that the runs tell', async () => {
    const telling: Subject = { name: 'telling', role: 'ours', run: () => figure(1, { late: 0.5 }) };
    const also = [{ name: 'test/late', what: 'how late', figure: 'late', unit: '%' }] as const;
    const given = caseOf([telling, known('silent', 'peer', () => 2)], { also, operations: 2 });
    const [time, late] = (await measure(given, quiet)).map(judge);
    expect(time?.rows.map(({ median }) => median)).to.deep.equal([0.5, 1]);
    expect(late?.rows.map(({ name, median }) => [name, median])).to.deep.equal([['telling', 50]]);
    expect(late?.absent).to.deep.equal([{ name: 'silent', reason: 'it does not tell this' }]);
  });
});

describe('a verdict', () => {
  const told = ({ standings, bars }: Result) => ({
    standings: standings.map(({ peer, verdict, ratio }) => [peer, verdict, ratio.value]),
    bars: bars.map(({ verdict }) => verdict),
  });

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
    expect(told(await first(caseOf(subjects, { bars })))).to.deep.equal({
      standings: [['peer', 'ahead', 0.6]],
      bars: ['met', 'not met', 'not met', 'not measured'],
    });
  });

  it('is certain of what is counted', async () => {
    const subjects = [known('ours', 'ours', () => 20), known('peer', 'peer', () => 10)];
    const bars = [{ subject: 'ours', atMost: 15 }];
    const counted = caseOf(subjects, { bars, rounds: 1, exact: true, unit: 'KiB' });
    expect(told(await first(counted))).to.deep.equal({ standings: [['peer', 'behind', 2]], bars: ['not met'] });
  });

  it('says nothing where the spread is larger than the difference', async () => {
    const figures = [1, 4, 0.5, 3, 0.7, 2, 1, 5];
    let run = 0;
    const subjects = [
      known('ours', 'ours', () => figures[run++ % figures.length] ?? 1),
      known('peer', 'peer', () => 1.5),
    ];
    const bars = [{ subject: 'ours', than: 'peer', atMost: 1 }];
    const { standings, bars: kept } = told(await first(caseOf(subjects, { bars })));
    expect(standings.map(([, verdict]) => verdict)).to.deep.equal(['cannot be told']);
    expect(kept).to.deep.equal(['cannot be told']);
  });
});
