/**
 * The choice of a backend: once per process, at the first run, by platform and by what can be loaded; never per command,
 * so the same code has the same backend. `VIRCOMMAND_BACKEND` forces one.
 */
import { createRequire } from 'node:module';
import { debuglog } from 'node:util';
import { CommandUsageError } from '@vircommand/core';
import type { Backend } from '@vircommand/core/backend';

const load = createRequire(__filename);
// Loaded when they are asked for: who gets the first one does not pay for the others.
const posix = (): typeof import('@vircommand/posix') => load('@vircommand/posix') as typeof import('@vircommand/posix');
const childProcess = (): typeof import('@vircommand/child-process') =>
  load('@vircommand/child-process') as typeof import('@vircommand/child-process');

interface Candidate {
  readonly name: string;
  readonly backend: () => Backend;
  /** Why it cannot be used here, or `undefined` if it can. */
  readonly whyNot: () => string | undefined;
}

/** The best one first. */
const candidates: readonly Candidate[] = [
  { name: 'posix', backend: () => posix().backend, whyNot: () => posix().whyNot() },
  { name: 'child-process', backend: () => childProcess().backend, whyNot: () => undefined },
];

const log = debuglog('vircommand');
let chosen: Backend | undefined;

/**
 * The backend that `Command` of this package uses here.
 *
 * @throws CommandUsageError if `VIRCOMMAND_BACKEND` names a backend that does not exist or cannot be used here.
 */
export function chooseBackend(): Backend {
  chosen ??= choose(process.env.VIRCOMMAND_BACKEND);
  return chosen;
}

function choose(forced: string | undefined): Backend {
  if (forced !== undefined && forced !== '') {
    const candidate = candidates.find(({ name }) => name === forced);
    const names = candidates.map(({ name }) => name).join(', ');
    const reason = candidate === undefined ? `it is none of ${names}` : candidate.whyNot();
    if (candidate === undefined || reason !== undefined) {
      throw new CommandUsageError('VIRCOMMAND_BACKEND', `'${forced}' cannot be used: ${reason ?? ''}`, { command: '' });
    }
    return candidate.backend();
  }
  for (const candidate of candidates) {
    const reason = candidate.whyNot();
    if (reason === undefined) {
      log('backend %s', candidate.name);
      return candidate.backend();
    }
    log('not backend %s: %s', candidate.name, reason);
  }
  throw new CommandUsageError('new Command', 'no backend can be used here', { command: '' });
}
