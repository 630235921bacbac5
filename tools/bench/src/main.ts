/**
 * `npm run bench -- [NAME ...] [--rounds N] [--json FILE] [--lines N] [--list]`: the cases whose names begin so, or
 * all of them. The table goes to stdout, progress to stderr while it is a terminal.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { casesFor } from './cases';
import { machine } from './machine';
import { measure, type Outcome } from './measure';
import { render } from './table';
import { judge } from './verdict';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    json: { type: 'string' },
    lines: { type: 'string', default: '10000000' },
    list: { type: 'boolean', default: false },
  },
});

const cases = casesFor({ lines: Number(values.lines) });
const wanted = cases.filter(
  ({ name }) => positionals.length === 0 || positionals.some((given) => name === given || name.startsWith(`${given}/`)),
);

function progressOf(name: string): (done: number, of: number) => void {
  if (!process.stderr.isTTY) return () => undefined;
  return (done, of) => {
    const text = done === of ? '' : `${name}: round ${done} of ${of}`;
    process.stderr.write(`\r\x1b[K${text}`);
  };
}

async function main(): Promise<number> {
  if (values.list) {
    for (const { name, what } of cases) console.log(`${name.padEnd(24)} ${what}`);
    return 0;
  }
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (
    wanted.length === 0 ||
    !(Number(values.lines) > 0) ||
    (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
  ) {
    console.error(
      `usage: npm run bench -- [${[...new Set(cases.map(({ name }) => name.split('/')[0]))].join('|')}] [--rounds N] [--lines N] [--json FILE] [--list]`,
    );
    return 2;
  }
  const here = machine();
  console.log(`${here.processor} × ${here.processors}, ${here.system}, Node ${here.node}, ${here.date}\n`);
  const outcomes: Outcome[] = [];
  for (const given of wanted) {
    const outcome = await measure(given, progressOf(given.name), rounds);
    outcomes.push(outcome);
    console.log(`${render(given, judge(outcome), outcome.absent)}\n`);
  }
  if (values.json !== undefined) writeFileSync(values.json, report(here, outcomes));
  return 0;
}

/** Everything that the tables were made of, round by round. */
function report(here: ReturnType<typeof machine>, outcomes: readonly Outcome[]): string {
  const found = outcomes.map((outcome) => ({
    name: outcome.case.name,
    what: outcome.case.what,
    unit: outcome.case.unit ?? 'ms',
    ...judge(outcome),
    rounds: Object.fromEntries(outcome.measured.map(({ subject, rounds }) => [subject.name, rounds])),
    absent: outcome.absent.map(({ subject, reason }) => ({ name: subject.name, reason })),
  }));
  return `${JSON.stringify({ format: 1, machine: here, cases: found }, undefined, 2)}\n`;
}

void main().then((code) => {
  process.exitCode = code;
});
