/**
 * The choice of a backend: once per process, at the first run, by platform and by what can be loaded; never per command,
 * so the same code has the same backend. `VIRCOMMAND_BACKEND` forces one.
 */
import { debuglog } from 'node:util';
import { backend as childProcess } from '@vircommand/child-process';
import { CommandUsageError } from '@vircommand/core';
import type { Backend } from '@vircommand/core/backend';
import { backend as posix, whyNot } from '@vircommand/posix';

interface Candidate {
  readonly name: string;
  readonly backend: () => Backend;
  /** Why it cannot be used here, or `undefined` if it can. */
  readonly whyNot: () => string | undefined;
}

/** The best one first. */
const candidates: readonly Candidate[] = [
  { name: 'posix', backend: () => posix, whyNot },
  { name: 'child-process', backend: () => childProcess, whyNot: () => undefined },
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
