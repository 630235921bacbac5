/** From the results of cases to what is known of each feature. */
import { FEATURES, FEATURE_INFO, type Feature } from '@vircommand/core/backend';
import type { CaseResult, ConformanceCase, Outcome } from './types';

type Results = ReadonlyMap<string, CaseResult>;

/** The results that speak of a feature: of the cases that prove it, or, where it is not declared, its absence. */
function about(
  feature: Feature,
  isDeclared: boolean,
  cases: readonly ConformanceCase[],
  results: Results,
): CaseResult[] {
  return cases
    .filter((testCase) => (isDeclared ? testCase.requires[0] : testCase.without) === feature)
    .flatMap(({ id }) => results.get(id) ?? []);
}

function ofDeclared(results: readonly CaseResult[]): Outcome {
  if (results.some(({ status }) => status === 'failed')) return 'lie';
  return results.some(({ status }) => status === 'passed') ? 'supported' : 'not-checked';
}

function ofUndeclared(results: readonly CaseResult[], kind: 'asked' | 'observed'): Outcome {
  if (results.some(({ status }) => status === 'failed')) return 'hidden';
  if (kind === 'observed') return 'absent';
  return results.some(({ status }) => status === 'passed') ? 'refused' : 'not-checked';
}

/** What is known of one feature, and from which cases. */
export interface FeatureEvidence {
  readonly feature: Feature;
  readonly outcome: Outcome;
  readonly results: readonly CaseResult[];
}

/** Of every feature. */
export function evidence(
  features: readonly Feature[],
  cases: readonly ConformanceCase[],
  results: readonly CaseResult[],
): FeatureEvidence[] {
  const byId: Results = new Map(results.map((result) => [result.id, result]));
  return FEATURES.map((feature) => {
    const isDeclared = features.includes(feature);
    const of = about(feature, isDeclared, cases, byId);
    const outcome = isDeclared ? ofDeclared(of) : ofUndeclared(of, FEATURE_INFO[feature].kind);
    return { feature, outcome, results: of };
  });
}
