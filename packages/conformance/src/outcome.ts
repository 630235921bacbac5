/** From the results of cases to what is known of each feature. */
import { FEATURES, FEATURE_INFO, type Feature } from '@vircommand/core/backend';
import type { CaseResult, ConformanceCase, Outcome } from './types';

/** Which results speak of a feature: of the cases that prove it, or of its absence. */
const about = (
  feature: Feature,
  cases: readonly ConformanceCase[],
  results: ReadonlyMap<string, CaseResult>,
  absence: boolean,
): CaseResult[] =>
  cases
    .filter((testCase) => (absence ? testCase.without : testCase.requires[0]) === feature)
    .flatMap(({ id }) => results.get(id) ?? []);

function declared(results: readonly CaseResult[]): Outcome {
  if (results.some(({ status }) => status === 'failed')) return 'lie';
  return results.some(({ status }) => status === 'passed') ? 'supported' : 'not-checked';
}

function undeclared(results: readonly CaseResult[], kind: 'asked' | 'observed'): Outcome {
  if (results.some(({ status }) => status === 'failed')) return 'hidden';
  if (kind === 'observed') return 'absent';
  return results.some(({ status }) => status === 'passed') ? 'refused' : 'not-checked';
}

/** The outcome of every feature. */
export function outcomes(
  features: readonly Feature[],
  cases: readonly ConformanceCase[],
  results: readonly CaseResult[],
): Record<Feature, Outcome> {
  const byId = new Map(results.map((result) => [result.id, result]));
  return Object.fromEntries(
    FEATURES.map((feature) => [
      feature,
      features.includes(feature)
        ? declared(about(feature, cases, byId, false))
        : undeclared(about(feature, cases, byId, true), FEATURE_INFO[feature].kind),
    ]),
  ) as Record<Feature, Outcome>;
}
