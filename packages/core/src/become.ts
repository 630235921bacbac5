/** `exec()`: all that core has to do is to be there if it fails. */
import type { Backend, LaunchPlan } from './contract';
import { logError, logExec } from './log';
import { beginStackAt, type Site } from './site';
import { startFailure } from './start-failure';

/** Returns what is to be thrown: the program was not executed, or the backend only pretends. */
export function becomeProgram(plan: LaunchPlan, backend: Backend, site: () => Site): Error {
  const { text } = plan;
  logExec(text, backend.name);
  let failed: unknown = 'declares exec and has no exec()';
  try {
    const pretended = backend.exec?.(plan);
    if (pretended !== undefined) return pretended;
  } catch (error) {
    failed = error;
  }
  const error = beginStackAt(startFailure(failed, text, backend.name), site());
  logError({ command: text, backend: backend.name, error });
  return error;
}
