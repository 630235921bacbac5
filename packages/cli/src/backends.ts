/** The backends that start programs, and the choice among them. */
import { createRequire } from 'node:module';
import type { Backend } from '@vircommand/core';
import * as posix from '@vircommand/posix';
import { CliError } from './exit-status';

// The other one loads itself when it is used: where that is so, this is not paid for.
const load = createRequire(__filename);

interface Candidate {
  readonly name: string;
  readonly backend: () => Backend;
  /** Why it cannot be used here, or `undefined` if it can. */
  readonly whyNot: () => string | undefined;
}

const childProcess = (): typeof import('@vircommand/child-process') =>
  load('@vircommand/child-process') as typeof import('@vircommand/child-process');

/** The best one first. */
export const candidates: readonly Candidate[] = [
  { name: 'posix', backend: () => posix.backend, whyNot: posix.whyNot },
  { name: 'child-process', backend: () => childProcess().backend, whyNot: () => undefined },
];

export const backendNames = candidates.map(({ name }) => name);

function named(name: string, by: string): Backend {
  const found = candidates.find((candidate) => candidate.name === name);
  const reason = found === undefined ? `it is none of ${backendNames.join(', ')}` : found.whyNot();
  if (found === undefined || reason !== undefined)
    throw new CliError(`${by}: '${name}' cannot be used: ${reason ?? ''}`);
  return found.backend();
}

/** The one that is named, else the one that `VIRCOMMAND_BACKEND` names, else the best one that works here. */
export function chooseBackend(name?: string): Backend {
  if (name !== undefined) return named(name, '--backend');
  const variable = process.env.VIRCOMMAND_BACKEND ?? '';
  if (variable !== '') return named(variable, 'VIRCOMMAND_BACKEND');
  const usable = candidates.find(({ whyNot }) => whyNot() === undefined);
  if (usable === undefined) throw new CliError('no backend can be used here; vircommand doctor says why');
  return usable.backend();
}
