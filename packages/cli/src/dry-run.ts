/** virCommand's dry run: everything is checked, the command becomes shell text, and nothing is looked for or started. */
import { FEATURES, type Backend, type LaunchPlan } from '@vircommand/core/backend';

/** Can do everything, and does nothing but tell the plan. */
export function dryRun(tell: (plan: LaunchPlan) => void): Backend {
  return Object.freeze({
    contract: 1,
    name: 'dry-run',
    features: FEATURES,
    start(plan) {
      tell(plan);
      const status = { exitCode: 0, signal: undefined, coreDumped: false, usage: undefined };
      return Promise.resolve({
        pid: undefined,
        stdin: undefined,
        stdout: undefined,
        stderr: undefined,
        exited: Promise.resolve(status),
        signal: () => ({ sent: false, reached: 'process' }),
        dispose: () => undefined,
      });
    },
  } satisfies Backend);
}
