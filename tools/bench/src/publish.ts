/** The result that is kept in the repository, and everything that is written from it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { mediansChart } from './chart/medians';
import { overviewChart } from './chart/overview';
import { charted, chartFile, page } from './document';
import { withFigures } from './figures';
import { read, write, type Report } from './report';

export const root = path.resolve(__dirname, '..', '..', '..');
const store = path.join(root, 'docs', 'benchmarks.json');
const charts = path.join('docs', 'benchmarks');

export const kept = (): Report => read(readFileSync(store, 'utf8'));

/** Texts that may have figures in them. */
function documents(): string[] {
  const below = (directory: string): string[] =>
    readdirSync(path.join(root, directory), { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
      .map((entry) => path.join(directory, entry.name));
  const packages = readdirSync(path.join(root, 'packages')).flatMap((name) => below(path.join('packages', name)));
  return [...below('.'), ...below('docs'), ...below(path.join('docs', 'decisions')), ...packages];
}

/** Every file that is written from a result, with what has to be in it. Paths begin at the root of the repository. */
export function documentsFrom(report: Report): Map<string, string> {
  const files = new Map<string, string>();
  files.set(path.join(charts, 'overview.svg'), overviewChart(report.results));
  for (const result of report.results) {
    if (!charted.includes(result.name) || result.rows.length === 0) continue;
    files.set(path.join(charts, chartFile(result.name)), mediansChart(result));
  }
  const made = path.join('docs', 'benchmarks.md');
  files.set(made, page(report, readFileSync(path.join(root, 'tools', 'bench', 'reasons.md'), 'utf8')));
  for (const file of documents()) {
    if (file !== made) files.set(file, withFigures(readFileSync(path.join(root, file), 'utf8'), report));
  }
  return files;
}

export function writeDocuments(report: Report): void {
  rmSync(path.join(root, charts), { recursive: true, force: true });
  mkdirSync(path.join(root, charts));
  for (const [file, text] of documentsFrom(report)) {
    const target = path.join(root, file);
    // What is the same is not touched: others may be writing in these texts.
    if (!existsSync(target) || readFileSync(target, 'utf8') !== text) writeFileSync(target, text);
  }
}

/** Keeps the result; one of some cases only replaces these. */
export function publish(report: Report, everything: boolean): void {
  writeFileSync(store, write(everything ? report : merged(kept(), report)));
  writeDocuments(kept());
}

/** @throws Error if the two do not belong together. */
export function merged(before: Report, now: Report): Report {
  if (JSON.stringify(before.machine) !== JSON.stringify(now.machine)) {
    throw new Error(
      'what is kept was measured on another machine, with other versions or on another day: measure all cases',
    );
  }
  const replaced = new Map(now.results.map((result) => [result.name, result]));
  const results = before.results.map((result) => replaced.get(result.name) ?? result);
  const known = new Set(before.results.map(({ name }) => name));
  return { ...before, results: [...results, ...now.results.filter(({ name }) => !known.has(name))] };
}
