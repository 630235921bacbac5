/** The whole suite (or a part) without a test runner, as a report. */
import { performance } from 'node:perf_hooks';
import { cases as allCases } from './cases';
import { runCase } from './harness';
import { outcomes } from './outcome';
import type { CaseResult, ConformanceReport, ConformanceSubject } from './types';

/** How `runConformance()` runs. */
export interface RunnerOptions {
  /** Only the cases whose id matches. */
  readonly only?: RegExp | undefined;
  /** Milliseconds after which a case that hangs is ended; default 15,000. */
  readonly bound?: number | undefined;
  /** Called after each case. */
  readonly onCase?: ((result: CaseResult) => void) | undefined;
}

/**
 * Runs the suite on a backend, one case after another.
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
  const begun = performance.now();
  const cases = allCases.filter(({ id }) => options.only?.test(id) ?? true);
  const results: CaseResult[] = [];
  for (const testCase of cases) {
    const result = await runCase(subject, testCase, options.bound);
    results.push(result);
    options.onCase?.(result);
  }
  const backend = await subject.create();
  const { features, name } = backend;
  await backend.dispose?.();
  return {
    subject: subject.name,
    backend: name,
    contract: 1,
    // An unmet promise fails a case, so does one that was not made: lies and hidden features are among these.
    ok: results.every(({ status }) => status !== 'failed'),
    features: outcomes(features, cases, results),
    cases: results,
    durationMs: Math.round(performance.now() - begun),
  };
}
