/** What exec takes, in one block of memory. */
import { planBytes, startError, type LaunchPlan, type PlanString } from '@vircommand/core/backend';
import type { Environment } from '../environment';
import { nulError } from '../errno';
import type { Moment } from '../moment';
import { resolvePath } from '../program';

const nul = Buffer.alloc(1);

export interface ProgramStrings {
  /** Where the program was found. */
  readonly program: PlanString;
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
  const program = resolvePath(plan);
  const argv = plan.argv.map((text) => planBytes(text));
  const entries = environment.strings(env);
  const all = [planBytes(program), ...argv, ...entries];
  if (all.some((bytes) => bytes.includes(0))) throw startError('exec', nulError('execve'));
  const bytes = Buffer.concat(all.flatMap((string) => [string, nul]));
  return { program, bytes, argc: argv.length, envc: entries.length };
}
