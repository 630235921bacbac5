/** A start in a later turn: what it takes from this process may be another by then. */
import { isAbsolute } from 'node:path';
import { currentPlace, leadsTo, nameOfWorkingDirectory, startError, type LaunchPlan } from '@vircommand/core/backend';
import type { Spawn } from './spawn-options';

/** Relative ones must lead to where they led: as they are while this process is there, which needs no path to it. */
function directoryLater(said: string | undefined): () => string | undefined {
  if (said === '' || (said !== undefined && isAbsolute(said))) return () => said;
  const place = currentPlace();
  const name = nameOfWorkingDirectory();
  return () => {
    if (place === undefined ? currentPlace() === undefined : leadsTo('.', place)) return said;
    if (name === undefined || place === undefined || !leadsTo(name, place)) {
      throw startError(
        'cwd',
        'this process has gone elsewhere, and no path leads to the directory of then any more',
        '.',
      );
    }
    // Not normalized: `..` behind a symbolic link leads elsewhere than its text.
    return said === undefined ? name : `${name}/${said}`;
  };
}

/** Remembers what there is now; the result tells how to ask for it later. It throws a CommandStartError, stage `cwd`. */
export function asItIsNow(plan: LaunchPlan, { file, args, options }: Spawn): () => { plan: LaunchPlan; what: Spawn } {
  const env: NodeJS.ProcessEnv = options.env ?? { ...process.env };
  Object.setPrototypeOf(env, null);
  const directory = directoryLater(plan.cwd);
  return () => {
    const cwd = directory();
    return { plan: { ...plan, cwd }, what: { file, args, options: { ...options, cwd, env } } };
  };
}
