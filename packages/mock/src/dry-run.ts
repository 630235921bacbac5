/** The dry run (`virCommandSetDryRun`): commands are checked and noted, and nothing is looked for or started. */
import type { Answer } from './answer';
import { compile } from './answer';
import type { Call, MockCall } from './calls';
import type { Director } from './fake-backend';
import { ObservedBackend, type MockView } from './mock';

/** A backend that notes what would be run. */
export interface DryRun extends MockView {
  /** What was run, as shell text with secrets masked: a line for every start. */
  readonly text: string;
}

const succeeds = compile({});

class DryRunBackend extends ObservedBackend implements DryRun {
  get text(): string {
    return this.transcript();
  }
}

/**
 * Notes every command, after all checks of core and before anything is looked for, and starts nothing
 * (`virCommandSetDryRun`). `answer` may say what the program does; it sees stdin, so it is called when that has ended.
 * Without an answer the program succeeds and writes nothing: only assert on the text then, not on results.
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
  const director: Director = {
    direct: (call: Call, stdinComplete) => {
      if (answer === undefined) return succeeds;
      return stdinComplete ? compile(answer(call) ?? {}, 'the answer of the dry run') : 'after-stdin';
    },
  };
  return new DryRunBackend('dry-run', director, {});
}
