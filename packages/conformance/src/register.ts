/** The suite as tests of a test runner: one for each case, with its id, and the reason of each that does not run. */
import type { Feature } from '@vircommand/core/backend';
import { caseBound, reasonNotToRun, runCase } from './harness';
import { checkSubject, featuresNow } from './subject';
import type { CaseResult, CaseStatus, ConformanceCase, ConformanceSubject, TestAdapter } from './types';

/** The harness ends what hangs, and says what; a runner's own limit would only say that. */
const runnerTimeout = 4 * caseBound;

/** A case that failed. Its stack is that of what failed in it. */
class ConformanceError extends Error {
  constructor({ id, detail = '' }: CaseResult) {
    super(`${id}: ${detail}`);
    this.name = 'ConformanceError';
    this.stack = this.message;
  }
}

type End = (result: CaseResult, skip: (reason: string) => void) => void;
const skipped =
  (what: string): End =>
  ({ detail = '' }, skip) => {
    skip(`${what}${detail}`);
  };

/** What a test comes to. What is not proven is never shown as passed. */
const ends: Readonly<Record<CaseStatus, End>> = {
  passed: () => undefined,
  failed: (result) => {
    throw new ConformanceError(result);
  },
  undeclared: skipped(''),
  'not-checked': skipped('not checked: '),
  known: skipped('known failure: '),
  advisory: skipped('fails, advisory until the next version of the contract: '),
};

function grouped(cases: readonly ConformanceCase[]): Map<string, ConformanceCase[]> {
  const groups = new Map<string, ConformanceCase[]>();
  for (const testCase of cases) {
    const group = testCase.id.split('.')[0] ?? '';
    groups.set(group, [...(groups.get(group) ?? []), testCase]);
  }
  return groups;
}

/** Registers cases. */
export function register(subject: ConformanceSubject, cases: readonly ConformanceCase[], adapter: TestAdapter): void {
  checkSubject(subject, cases);
  const features = featuresNow(subject);
  adapter.describe(`${subject.name} conformance`, () => {
    for (const [group, members] of grouped(cases)) {
      adapter.describe(group, () => {
        for (const testCase of members) registerCase(subject, testCase, features, adapter);
      });
    }
  });
}

function registerCase(
  subject: ConformanceSubject,
  testCase: ConformanceCase,
  features: readonly Feature[] | undefined,
  adapter: TestAdapter,
): void {
  adapter.it(
    `${testCase.title} [${testCase.id}]`,
    async (skip) => {
      const result = await runCase(subject, testCase);
      ends[result.status](result, skip);
    },
    {
      timeout: runnerTimeout,
      skip: features === undefined ? undefined : reasonNotToRun(subject, testCase, features)?.detail,
    },
  );
}
