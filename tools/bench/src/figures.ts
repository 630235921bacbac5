/**
 * Figures inside texts that are written by hand, each between two comments:
 *
 * - `<!-- bench CASE: SUBJECT -->…<!-- /bench -->` a median with its unit
 * - `<!-- bench CASE: SUBJECT / OTHER -->…<!-- /bench -->` how many times the other's
 * - `<!-- bench-table CASE CASE … -->…<!-- /bench-table -->` ours, the best peer and the limit of these cases
 */
import type { Report } from './report';
import type { Result, Row } from './verdict';
import { digits } from './words';

/** Two digits that count: round enough for a sentence. */
function spoken(value: number): string {
  const round = Number(value.toPrecision(2));
  return round < 100 ? round.toPrecision(2) : digits(round);
}

/** @throws Error for a case or subject that the report does not have. */
export function withFigures(text: string, report: Report): string {
  const one = (_: string, open: string, name: string, subject: string, other: string | undefined, close: string) => {
    const result = resultOf(report, name);
    const mine = rowOf(result, subject.trim()).median;
    const said =
      other === undefined
        ? `${spoken(mine)} ${result.unit}`
        : `${spoken(mine / rowOf(result, other.trim()).median)} times`;
    return `${open}${said}${close}`;
  };
  const several = (_: string, open: string, names: string, close: string) =>
    `${open}\n\n${table(names.trim().split(/\s+/), report)}\n\n${close}`;
  return text
    .replace(/(<!-- bench ([^\s:]+): ([^>]+?)(?: \/ ([^>]+?))? -->)[^<]*(<!-- \/bench -->)/g, one)
    .replace(/(<!-- bench-table ([^>]+?) -->)[\s\S]*?(<!-- \/bench-table -->)/g, several);
}

function resultOf({ results }: Report, name: string): Result {
  const found = results.find((result) => result.name === name);
  if (found === undefined) throw new Error(`no case ${name} has been measured`);
  return found;
}

function rowOf({ name, rows }: Result, subject: string): Row {
  const found = rows.find((row) => row.name === subject);
  if (found === undefined) throw new Error(`no subject ${subject} has been measured in ${name}`);
  return found;
}

function table(names: readonly string[], report: Report): string {
  const lines = names.map((name) => {
    const result = resultOf(report, name);
    const best = (role: Row['role']): string => {
      const [row] = result.rows.filter((candidate) => candidate.role === role).sort((a, b) => a.median - b.median);
      if (row === undefined) return '';
      const figure = `${digits(row.median)} ${result.unit}`;
      return role === 'peer' ? `${figure} (${row.name})` : figure;
    };
    const byHand = result.rows.find((row) => row.name === 'child_process');
    const cells = [best('ours'), byHand === undefined ? '' : `${digits(byHand.median)} ${result.unit}`];
    return `| ${[result.what, ...cells, best('peer'), best('limit')].join(' | ')} |`;
  });
  const head = ['| | vircommand | child_process | best peer | the same in C |', '| --- | --: | --: | --: | --: |'];
  return [...head, ...lines].join('\n');
}
