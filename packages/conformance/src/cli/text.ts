/** A report to be read: one line for each feature, then what failed and why it matters, then the sums. */
import { FEATURE_INFO } from '@vircommand/core/backend';
import type { FeatureEvidence } from '../outcome';
import type { CaseResult, CaseStatus, ConformanceCase, ConformanceReport, Outcome } from '../types';
import type { Paint, Style } from './style';

const outcomeStyles: Readonly<Record<Outcome, Style>> = {
  supported: 'green',
  refused: 'dim',
  absent: 'dim',
  lie: 'red',
  hidden: 'red',
  'not-checked': 'yellow',
};

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
const ids = (results: readonly CaseResult[], status: CaseStatus): string =>
  results.flatMap((result) => (result.status === status ? [result.id] : [])).join(', ');

/** What stands behind an outcome. */
const remarks: Readonly<Record<Outcome, (results: readonly CaseResult[]) => string>> = {
  supported: (results) => plural(results.filter(({ status }) => status === 'passed').length, 'case'),
  refused: () => 'as declared, before anything starts',
  absent: (results) => (ids(results, 'passed') === '' ? 'not declared' : 'not declared, and not pretended'),
  lie: (results) => `declared, but: ${ids(results, 'failed')}`,
  hidden: (results) => `not declared, but: ${ids(results, 'failed')}`,
  'not-checked': (results) => {
    const reasons = new Set(results.flatMap(({ detail }) => detail?.split('\n')[0] ?? []));
    return reasons.size === 0 ? 'no case was run' : [...reasons].join('; ');
  },
};

function featureLines(all: readonly FeatureEvidence[], paint: Paint): string[] {
  const rows = all.map(({ feature, outcome, results }) => ({
    feature,
    summary: FEATURE_INFO[feature].summary,
    outcome,
    remark: remarks[outcome](results),
  }));
  const width = (texts: readonly string[]): number => Math.max(...texts.map(({ length }) => length));
  const names = width(rows.map(({ feature }) => feature));
  const summaries = width(rows.map(({ summary }) => summary));
  const outcomes = width(rows.map(({ outcome }) => outcome));
  return rows.map(({ feature, summary, outcome, remark }) =>
    [
      `  ${feature.padEnd(names)}`,
      paint('dim', summary.padEnd(summaries)),
      paint(outcomeStyles[outcome], outcome.padEnd(outcomes)),
      remark,
    ]
      .join('  ')
      .trimEnd(),
  );
}

const headings: readonly (readonly [CaseStatus, string, Style])[] = [
  ['failed', 'Failed', 'red'],
  ['advisory', 'Failed, advisory until the next version of the contract', 'yellow'],
  ['known', 'Known failures', 'yellow'],
];

function failureLines({ cases }: ConformanceReport, paint: Paint): string[] {
  return headings.flatMap(([wanted, heading, style]) => {
    const these = cases.filter(({ status }) => status === wanted);
    if (these.length === 0) return [];
    const lines = these.flatMap(({ id, title, detail = '' }) => [
      `  ${paint(style, id)}  ${title}`,
      ...detail.split('\n').map((line) => `    ${line}`.trimEnd()),
      '',
    ]);
    return [paint('bold', heading), '', ...lines];
  });
}

const sums: readonly (readonly [CaseStatus, string, Style])[] = [
  ['passed', 'passed', 'green'],
  ['failed', 'failed', 'red'],
  ['advisory', 'advisory failed', 'yellow'],
  ['known', 'failed as known', 'yellow'],
  ['not-checked', 'not checked here', 'yellow'],
  ['undeclared', 'of features that do not concern it', 'dim'],
];

function sumLine({ cases, durationMs }: ConformanceReport, paint: Paint): string {
  const counts = sums.flatMap(([wanted, what, style]) => {
    const count = cases.filter(({ status }) => status === wanted).length;
    return count === 0 && wanted !== 'passed' ? [] : [paint(style, `${count} ${what}`)];
  });
  return `${counts.join(', ')} (${(durationMs / 1000).toFixed(1)} s)`;
}

/** The whole report. */
export function reportText(report: ConformanceReport, evidence: readonly FeatureEvidence[], paint: Paint): string {
  const { subject, backend, contract } = report;
  const by = backend === subject ? '' : `, backend ${backend}`;
  return [
    paint('bold', `${subject} conformance (contract ${contract}${by})`),
    '',
    ...featureLines(evidence, paint),
    '',
    ...failureLines(report, paint),
    sumLine(report, paint),
    '',
  ].join('\n');
}

/** The cases, one a line. */
export function listText(cases: readonly ConformanceCase[], paint: Paint): string {
  const width = Math.max(0, ...cases.map(({ id }) => id.length));
  return cases
    .map(({ id, title, requires, without }) => {
      const about = without === undefined ? requires.join(', ') : `without ${without}`;
      return `${id.padEnd(width)}  ${title}${about === '' ? '' : paint('dim', `  (${about})`)}\n`;
    })
    .join('');
}
