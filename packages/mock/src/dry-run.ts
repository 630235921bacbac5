/** The dry run (`virCommandSetDryRun`): commands are checked and noted, and nothing is looked for or started. */
import { describe, FEATURES, FEATURE_INFO, type Feature } from '@vircommand/core/backend';
import { compile, type Answer } from './answer';
import type { Call, MockCall } from './calls';
import { usage } from './errors';
import { MOCK_FEATURES, type Director } from './fake-backend';
import { ObservedBackend, type MockView } from './mock';

/** A backend that notes what would be run. */
export interface DryRun extends MockView {
  /** What was run, as shell text with secrets masked: a line for every start. */
  readonly text: string;
}

const succeeds = compile({});

/** All that a command can ask for, since it is noted and not done. What shows in results is what every mock knows. */
const notable: readonly Feature[] = FEATURES.filter(
  (feature) => FEATURE_INFO[feature].kind === 'asked' || MOCK_FEATURES.includes(feature),
);

class DryRunBackend extends ObservedBackend implements DryRun {
  get text(): string {
    return this.transcript();
  }
}

/**
 * Notes every command, after all checks of core and before anything is looked for, and starts nothing
 * (`virCommandSetDryRun`). No feature is missing: what a command asks for is noted in the `plan` of its call, and no file
 * is opened, no descriptor read or written, no hook loaded, no pid file made. A daemon has started, a handshake is answered,
 * and `exec()` throws a MockError with the code `ERR_MOCK_EXECUTED`.
 *
 * `answer` may say what the program does; it sees stdin, so it is called when that has ended (at once, if stdin is a file or
 * a descriptor). What it writes to anything but a pipe is dropped. Without an answer the program succeeds and writes
 * nothing: only assert on the text then, not on results.
 *
 * @throws MockError if the answer is no function
 *
 * @example
 * ```ts
 * const dry = createDryRun((call) => (call.args.includes('-A') ? { exitCode: 127 } : undefined));
 * using installed = dry.install();
 * await applyFirewallRules();
 * expect(dry.text).to.equal('iptables -A INPUT -j DROP\niptables -D INPUT -j DROP\n');
 * ```
 */
export function createDryRun(answer?: (call: MockCall) => Answer | undefined): DryRun {
  const given: unknown = answer;
  if (given !== undefined && typeof given !== 'function') {
    const instead = 'a function that gives one: createDryRun(() => ({ exitCode: 1 }))';
    throw usage('createDryRun()', `the answer must be ${instead}, not ${describe(given)}`);
  }
  const director: Director = {
    direct: (call: Call, stdinComplete) => {
      if (answer === undefined) return succeeds;
      return stdinComplete ? compile(answer(call) ?? {}, 'the answer of the dry run') : 'after-stdin';
    },
  };
  return new DryRunBackend('dry-run', director, { features: notable });
}
