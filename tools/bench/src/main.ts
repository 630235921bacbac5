/**
 * `npm run bench -- [NAME ...] [--rounds N] [--lines N] [--json FILE] [--publish] [--list]`: the cases whose names begin so,
 * or all of them. Tables go to stdout, progress to stderr while it is a terminal. `--publish` keeps the result and writes the
 * documents from it; `--documents` only writes them, from the result that is kept.
 */
import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import type { Case } from './case';
import { casesFor } from './cases';
import { machine } from './machine';
import { measure } from './measure';
import { kept, publish, writeDocuments } from './publish';
import { write } from './report';
import { render, summary } from './table';
import { judge, type Result } from './verdict';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    json: { type: 'string' },
    lines: { type: 'string', default: '10000000' },
    publish: { type: 'boolean', default: false },
    documents: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

const cases = casesFor({ lines: Number(values.lines) });
const isNamed = (name: string): boolean => positionals.some((given) => name === given || name.startsWith(`${given}/`));
const wanted = cases.filter(
  ({ name, also = [] }) => positionals.length === 0 || isNamed(name) || also.some((view) => isNamed(view.name)),
);

function progressOf({ name }: Case, index: number): (done: number, of: number) => void {
  if (!process.stderr.isTTY) return () => undefined;
  return (done, of) => {
    const minutes = (performance.now() / 60_000).toFixed(1);
    const text = `[${index + 1}/${wanted.length}, ${minutes} min] ${name}: round ${done} of ${of}`;
    process.stderr.write(`\r\x1b[K${done === of ? '' : text}`);
  };
}

const positive = (text: string): boolean => Number.isInteger(Number(text)) && Number(text) > 0;

async function main(): Promise<number> {
  if (values.list) {
    const all = cases.flatMap((given) => [given, ...(given.also ?? [])]);
    for (const { name, what } of all) console.log(`${name.padEnd(24)} ${what}`);
    return 0;
  }
  if (values.documents) {
    writeDocuments(kept());
    return 0;
  }
  if (wanted.length === 0 || !positive(values.lines) || !positive(values.rounds ?? '1')) {
    const groups = [...new Set(cases.map(({ name }) => name.split('/')[0]))].join('|');
    console.error(
      `usage: npm run bench -- [${groups}] [--rounds N] [--lines N] [--json FILE] [--publish | --documents] [--list]`,
    );
    return 2;
  }
  const here = machine();
  console.log(`${here.processor} × ${here.processors}, ${here.system}, Node ${here.node}, ${here.date}\n`);
  const results: Result[] = [];
  for (const [index, given] of wanted.entries()) {
    const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
    for (const outcome of await measure(given, progressOf(given, index), rounds)) {
      const result = judge(outcome);
      results.push(result);
      console.log(`${render(result)}\n`);
    }
    // After each case: what is interrupted has measured something, too.
    if (values.json !== undefined) writeFileSync(values.json, write({ format: 2, machine: here, results }));
  }
  console.log(summary(results));
  console.log(`${(performance.now() / 60_000).toFixed(1)} minutes`);
  if (values.publish) publish({ format: 2, machine: here, results }, positionals.length === 0);
  return 0;
}

void main().then((code) => {
  process.exitCode = code;
});
