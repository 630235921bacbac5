/** What exec takes, in one block of memory. */
import { planBytes, startError, type LaunchPlan } from '@vircommand/core/backend';
import type { Environment } from '../environment';
import { nulError } from '../errno';
import type { Moment } from '../moment';
import { resolvePath } from '../program';

const nul = Buffer.alloc(1);

export interface ProgramStrings {
  /** The path, then argv, then the environment, each with a NUL. */
  readonly bytes: Buffer;
  readonly argc: number;
  readonly envc: number;
}

/** @throws CommandStartError, stages `resolve` and `exec` */
export function programStrings(
  plan: LaunchPlan,
  env: Moment['env'] | LaunchPlan['env'],
  environment: Environment,
): ProgramStrings {
  const path = planBytes(resolvePath(plan.program));
  const argv = plan.argv.map((text) => planBytes(text));
  const entries = environment.strings(env);
  const all = [path, ...argv, ...entries];
  if (all.some((bytes) => bytes.includes(0))) throw startError('exec', nulError('execve'));
  const bytes = Buffer.concat(all.flatMap((string) => [string, nul]));
  return { bytes, argc: argv.length, envc: entries.length };
}
