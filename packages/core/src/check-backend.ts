/** That a backend speaks this version of the contract; third parties write in JavaScript too. */
import { inspect } from 'node:util';
import type { Backend } from './contract';
import { CommandUsageError } from './errors';
import { isFeature } from './features';
import { describe } from './plain';

const checked = new WeakSet<Backend>();

/** Why something is no backend that this core can use, or `undefined`. */
function whyNot(given: unknown): string | undefined {
  if (typeof given !== 'object' || given === null) return `the backend must be an object, not ${describe(given)}`;
  const [contract, name, features, start, why] = ['contract', 'name', 'features', 'start', 'whyNot'].map(
    (key): unknown => Reflect.get(given, key),
  );
  if (contract !== 1) return `the backend speaks contract ${inspect(contract)}, this core speaks contract 1`;
  if (typeof name !== 'string' || name === '') return 'the backend has no name';
  if (!Array.isArray(features)) return `the backend ${name} declares no array of features`;
  const unknown = features.filter((feature) => !isFeature(feature));
  if (unknown.length > 0) return `the backend ${name} declares unknown features: ${inspect(unknown)}`;
  if (typeof start !== 'function') return `the backend ${name} has no start()`;
  return why === undefined || typeof why === 'function' ? undefined : `whyNot of the backend ${name} is no function`;
}

/**
 * Looks at a backend once.
 *
 * @throws CommandUsageError, `ERR_COMMAND_CONTRACT`.
 */
export function checkBackend(backend: Backend, call: string, command = (): string => ''): Backend {
  if (checked.has(backend)) return backend;
  const reason = whyNot(backend);
  if (reason !== undefined) {
    throw new CommandUsageError(call, reason, { command: command(), code: 'ERR_COMMAND_CONTRACT' });
  }
  checked.add(backend);
  return backend;
}
