/** The pre-exec hook: an export of a module, called in the process that becomes the program. */
import { pathToFileURL } from 'node:url';
import { startError, type LaunchPlan } from '@vircommand/core/backend';
import { thrownError } from './thrown';

type Hook = NonNullable<LaunchPlan['preExecHook']>;
type HookFunction = (data: unknown, context: { readonly pid: number }) => unknown;

/**
 * Calls it and waits for it.
 *
 * @throws CommandStartError, stage `hook`: it is not there, threw, rejected, or said a number other than 0
 */
export async function runHook({ module, export: name, data }: Hook): Promise<void> {
  let result: unknown;
  try {
    const hook = find((await import(pathToFileURL(module).href)) as object, name);
    if (hook === undefined) throw new Error(`the module exports no function '${name}'`);
    result = await hook(data, Object.freeze({ pid: process.pid }));
    // What it has rejected and left to nobody is known when the event loop turns.
    await new Promise(setImmediate);
  } catch (error) {
    throw thrownError('hook', error, module);
  }
  // As a function of C says that it failed; virCommand takes a positive number for success.
  if (typeof result === 'number' && result !== 0) throw startError('hook', `the hook returned ${result}`, module);
}

/** What CommonJS exports, too: not all of it is seen by `import`, and `default` is the whole of it. */
function find(namespace: object, name: string): HookFunction | undefined {
  const whole: unknown = Reflect.get(namespace, 'default');
  const candidates = [
    Reflect.get(namespace, name),
    typeof whole === 'object' && whole !== null ? Reflect.get(whole, name) : undefined,
  ];
  return candidates.find((candidate): candidate is HookFunction => typeof candidate === 'function');
}
