/**
 * The conformance suite for backends, ours and yours: `conformance()` registers it with a test runner,
 * `runConformance()` and the command `vircommand-conformance` run it alone.
 */
import { adapters } from './adapters';
import { cases } from './cases';
import { register } from './register';
import type { ConformanceSubject, TestAdapter } from './types';

/**
 * Registers every case of the suite as a test. What a backend does not declare is skipped, with the reason; instead it is
 * proven that it is refused.
 *
 * @param adapter - default: the `describe()` and `it()` of mocha, jest, or vitest with `globals: true`.
 * @throws TypeError if the subject is no subject, or nobody defines `describe()` and `it()`.
 *
 * @example
 * ```ts
 * import { conformance } from '@vircommand/conformance';
 *
 * conformance({ name: 'ssh', create: () => sshBackend('localhost') });
 * ```
 */
export function conformance(subject: ConformanceSubject, adapter: TestAdapter = adapters.globals): void {
  register(subject, cases, adapter);
}

export { adapters, cases };
export type { Vitest } from './adapters';
export { runConformance, type RunnerOptions } from './runner';
export { helperProgram, instructionsOf, localPaths, type ProgramPaths } from './instructions';
export type * from './types';
