/** The whole suite (or a part) without a test runner, as a report. */
import { performance } from 'node:perf_hooks';
import { types } from 'node:util';
import { GivenOptions, type Feature } from '@vircommand/core/backend';
import { cases as allCases } from './cases';
import { runCase } from './harness';
import { evidence, type FeatureEvidence } from './outcome';
import { checkSubject, wrong } from './subject';
import type { CaseResult, ConformanceCase, ConformanceReport, ConformanceSubject, Outcome } from './types';

/** How `runConformance()` runs. */
export interface RunnerOptions {
  /** Only the cases whose id matches. */
  readonly only?: RegExp | undefined;
  /** Milliseconds after which a case that hangs is ended; default 30,000. */
  readonly bound?: number | undefined;
  /** Called before each case, with its position from 0 and the number of all. */
  readonly onStart?: ((testCase: ConformanceCase, index: number, count: number) => void) | undefined;
  /** Called after each case. */
  readonly onCase?: ((result: CaseResult) => void) | undefined;
}

/** The cases whose id matches. A regular expression with the flag `g` or `y` matches like one without. */
export function selected(only: RegExp | undefined): readonly ConformanceCase[] {
  return allCases.filter(({ id }) => only === undefined || id.search(only) !== -1);
}

/** The cases of a part of the suite, or of all of it, one after another. */
export async function runCases(
  subject: ConformanceSubject,
  cases: readonly ConformanceCase[],
  options: RunnerOptions,
): Promise<{ readonly report: ConformanceReport; readonly evidence: readonly FeatureEvidence[] }> {
  // A backend that keeps nothing alive for what it promised must not end this process, as if all were well.
  const alive = setInterval(() => undefined, 60_000);
  try {
    return await runInOrder(subject, cases, options);
  } finally {
    clearInterval(alive);
  }
}

async function runInOrder(
  subject: ConformanceSubject,
  cases: readonly ConformanceCase[],
  options: RunnerOptions,
): ReturnType<typeof runCases> {
  const begun = performance.now();
  const backend = await subject.create();
  const { features, name, contract } = backend;
  await backend.dispose?.();
  const results: CaseResult[] = [];
  for (const [index, testCase] of cases.entries()) {
    options.onStart?.(testCase, index, cases.length);
    const result = await runCase(subject, testCase, options.bound);
    results.push(result);
    options.onCase?.(result);
  }
  const known = evidence(features, cases, results);
  const report: ConformanceReport = {
    subject: subject.name,
    backend: name,
    contract,
    // An unmet promise fails a case, so does one that was not made: lies and hidden features are among these.
    ok: results.every(({ status }) => status !== 'failed'),
    features: Object.fromEntries(known.map(({ feature, outcome }) => [feature, outcome])) as Record<Feature, Outcome>,
    cases: results,
    durationMs: Math.round(performance.now() - begun),
  };
  return { report, evidence: known };
}

/**
 * Runs the suite on a backend, one case after another.
 *
 * @throws TypeError if the subject is no subject, or for wrong options; and what its `create()` throws the first time.
 *
 * @example
 * ```ts
 * const report = await runConformance({ name: 'ssh', create: () => sshBackend(host) });
 * if (!report.ok) console.log(report.cases.filter(({ status }) => status === 'failed'));
 * ```
 */
export async function runConformance(
  subject: ConformanceSubject,
  options: RunnerOptions = {},
): Promise<ConformanceReport> {
  checkSubject(subject, allCases);
  const { only, ...settings } = readOptions(options);
  return (await runCases(subject, selected(only), settings)).report;
}

const isFunction = (value: unknown): value is () => void => typeof value === 'function';

function readOptions(options: RunnerOptions): RunnerOptions {
  const given = new GivenOptions('runConformance()', options, ['only', 'bound', 'onStart', 'onCase'], wrong);
  return {
    only: given.read('only', types.isRegExp, 'a regular expression'),
    bound: given.milliseconds('bound'),
    onStart: given.read('onStart', isFunction, 'a function'),
    onCase: given.read('onCase', isFunction, 'a function'),
  };
}
