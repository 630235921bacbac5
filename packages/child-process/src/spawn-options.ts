/** From a plan to what `spawn()` and `spawnSync()` take. */
import type { SpawnOptions } from 'node:child_process';
import type { LaunchPlan, PlanString } from '@vircommand/core/backend';
import { planBytes, resolveProgram, startError } from '@vircommand/core/backend';

/** The program and its arguments and the options that do not depend on the streams. */
export interface Spawn {
  readonly file: string;
  readonly args: readonly string[];
  readonly options: SpawnOptions;
}

// Everything is text: `raw-bytes` is not declared.
const text = (content: PlanString): string => (typeof content === 'string' ? content : planBytes(content).toString());

/** Windows has one variable for all spellings of a name; the last one wins, as everywhere. */
function collapsed(entries: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  const byName = new Map<string, readonly [string, string]>();
  for (const entry of entries) byName.set(entry[0].toUpperCase(), entry);
  return Array.from(byName.values());
}

function environment(plan: LaunchPlan): NodeJS.ProcessEnv | undefined {
  if (plan.env === 'inherit') return undefined;
  const entries = plan.env.map(([name, value]) => [name, text(value)] as const);
  // A name may be `__proto__`.
  const env = Object.create(null) as NodeJS.ProcessEnv;
  for (const [name, value] of process.platform === 'win32' ? collapsed(entries) : entries) env[name] = value;
  return env;
}

function currentDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw startError('resolve', error as NodeJS.ErrnoException, '.');
  }
}

/** Finds the program and translates the plan. @throws CommandStartError, stage `resolve`. */
export function spawnOf(plan: LaunchPlan): Spawn {
  // The working directory may be gone; that matters only for what is relative to it.
  const where = {
    path: process.env.PATH,
    get cwd(): string {
      return currentDirectory();
    },
  };
  const file = text(resolveProgram(plan.program, where));
  if (process.platform === 'win32' && /\.(bat|cmd)$/i.test(file)) {
    throw startError(
      'resolve',
      `'${file}' is a batch file, which only a shell can run, and there is never a shell`,
      file,
    );
  }
  const env = environment(plan);
  const { uid, gid } = plan.privileged;
  return {
    file,
    args: plan.argv.slice(1).map(text),
    options: {
      argv0: text(plan.argv[0] ?? file),
      detached: plan.group === 'session',
      windowsHide: true,
      ...(plan.cwd === undefined ? {} : { cwd: plan.cwd }),
      ...(env === undefined ? {} : { env }),
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    },
  };
}
