import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { mediansChart } from '../src/chart/medians';
import { overviewChart } from '../src/chart/overview';
import { page } from '../src/document';
import { withFigures } from '../src/figures';
import { documentsFrom, kept, merged, root } from '../src/publish';
import { read, write } from '../src/report';
import { summary } from '../src/table';
import { report, result } from './report';

describe('a report', () => {
  it('is read as it was written, but for digits that no measurement has', () => {
    const back = read(write(report));
    expect(back.results[0]?.rounds.ours).to.deep.equal([1.5, 1.512]);
    expect({ ...back.results[0], rounds: {} }).to.deep.equal({ ...result, rounds: {} });
    expect(back.machine).to.deep.equal(report.machine);
  });

  it('is not something else', () => {
    expect(() => read('{"format":1}')).to.throw('no report of this version');
  });

  it('takes in what was measured again, on the same machine and day only', () => {
    const again = { ...result, what: 'again' };
    const another = { ...result, name: 'start/new' };
    const both = merged(report, { ...report, results: [again, another] });
    expect(both.results).to.deep.equal([again, another]);
    const elsewhere = { ...report, machine: { ...report.machine, node: '26.0.0' } };
    expect(() => merged(report, elsewhere)).to.throw('measure all cases');
  });

  it('ends with where we are, and with every bar', () => {
    const lines = summary(report.results).split('\n');
    expect(lines).to.deep.equal([
      'Beside the best peer',
      '✔ start/async  ours  child_process  ahead  0.50 × [0.40–0.60]',
      '',
      'Bars',
      '✘ start/async  ours: at most 1.40 × the limit  not met       1.50 × [1.45–1.60]',
      '✔ start/async  ours: at most 5.00 ms           met           1.50 ms [1.00–2.00]',
      '– start/async  launcher: at most 1.00 ms       not measured  launcher: not built',
      '',
    ]);
  });
});

describe('a page', () => {
  const made = page(report, '## Reasons\n\nBecause.\n');

  it('has machine, versions, date, tables, bars and the reasons', () => {
    expect(made).to.contain('Measured on 2026-01-02: a processor, 2 processors, 8 GiB, Linux 6, Node.js 20.19.0.');
    expect(made).to.contain('execa 9.6.1');
    expect(made).to.contain('| ▪ the limit | 1.00 | 0.900–1.25 | 2.00 |');
    expect(made).to.contain('| start/async | ours: at most 1.40 × the limit | not met | 1.50 × [1.45–1.60] |');
    expect(made).to.contain('## Reasons\n\nBecause.\n\n## Start and wait');
    expect(made).to.contain('Not here: launcher (not built).');
  });

  it('has tables that no name can break', () => {
    expect(made).to.contain('| ○ slow \\| peer | 6.00 |');
  });
});

describe('figures in a text', () => {
  it('come from the report', () => {
    const text =
      'It takes <!-- bench start/async: ours -->?<!-- /bench -->, and not <!-- bench start/async: child_process -->?<!-- /bench -->.';
    expect(withFigures(text, report)).to.equal(
      'It takes <!-- bench start/async: ours -->1.5 ms<!-- /bench -->, and not <!-- bench start/async: child_process -->3.0 ms<!-- /bench -->.',
    );
  });

  it('can be ratios and tables', () => {
    expect(withFigures('<!-- bench start/async: child_process / ours -->?<!-- /bench -->', report)).to.contain(
      '-->2.0 times<!--',
    );
    expect(withFigures('<!-- bench-table start/async --><!-- /bench-table -->', report)).to.contain(
      '| start <something> & wait | 1.50 ms | 3.00 ms | 3.00 ms (child_process) | 1.00 ms |',
    );
  });

  it('have two digits that count, and no more', () => {
    const said = (median: number): string | undefined => {
      const rows = [{ name: 'ours', role: 'ours', quartiles: [1, 2], p99: 3, runs: 6, median } as const];
      const text = withFigures('<!-- bench start/async: ours -->?<!-- /bench -->', {
        ...report,
        results: [{ ...result, rows }],
      });
      return /-->(.*) ms<!--/.exec(text)?.[1];
    };
    expect([0.01234, 1.04, 57.96, 99.7, 247, 1234].map(said)).to.deep.equal([
      '0.012',
      '1.0',
      '58',
      '100',
      '250',
      '1,200',
    ]);
  });

  it('fail where nothing has been measured', () => {
    expect(() => withFigures('<!-- bench start/nothing: ours --><!-- /bench -->', report)).to.throw('start/nothing');
    expect(() => withFigures('<!-- bench start/async: nobody --><!-- /bench -->', report)).to.throw('nobody');
    expect(() => withFigures('<!-- bench start/async: @some/body --><!-- /bench -->', report)).to.throw('@some/body');
  });
});

describe('a chart', () => {
  const charts = { medians: mediansChart(result), overview: overviewChart([result]) };
  for (const [name, svg] of Object.entries(charts)) {
    it(`is well formed and has colours for a dark page: ${name}`, () => {
      expect(svg).to.match(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="0 0 720 \d+"/);
      expect(svg).to.contain('@media (prefers-color-scheme: dark)');
      const open = svg.match(/<[a-z]+(?: [^>]*[^/>])?>/g) ?? [];
      expect(open).to.have.lengthOf((svg.match(/<\/[a-z]+>/g) ?? []).length);
      expect(svg).to.not.match(/NaN|undefined|Infinity/);
    });
  }

  it('draws medians to one scale, and escapes names', () => {
    const widths = Array.from(
      charts.medians.matchAll(/<rect class="(\w+)"[^>]* width="([\d.]+)"/g),
      ([, role, width]) => [role, Number(width)],
    );
    const longest = Number(widths.at(-1)?.[1]);
    expect(widths.map(([role]) => role)).to.deep.equal(['limit', 'ours', 'peer', 'peer']);
    expect(Number(widths[0]?.[1]) / longest).to.be.closeTo(1 / 6, 0.01);
    expect(charts.medians).to.contain('start &lt;something&gt; &amp; wait');
  });

  it('has a point for each comparison, on its side of 1', () => {
    const [, point] = /<circle class="ahead" cx="([\d.]+)"/.exec(charts.overview) ?? [];
    const [, one] = /<line class="one" x1="([\d.]+)"/.exec(charts.overview) ?? [];
    expect(Number(point)).to.be.below(Number(one));
  });
});

describe('the documents of this repository', () => {
  it('say what the result that is kept says', function () {
    if (!existsSync(path.join(root, 'docs', 'benchmarks.json'))) this.skip();
    for (const [file, text] of documentsFrom(kept())) {
      expect(readFileSync(path.join(root, file), 'utf8'), `${file}: npm run bench -- --documents`).to.equal(text);
    }
  });
});
