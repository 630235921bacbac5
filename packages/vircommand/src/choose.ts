/**
 * The choice of a backend: once per process, at the first run, by platform and by what can be loaded; never per command,
 * so the same code has the same backend. `VIRCOMMAND_BACKEND` forces one.
 */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { CommandUsageError } from '@vircommand/core';
import { logLine, type Backend } from '@vircommand/core/backend';

interface Candidate {
  readonly name: string;
  /**
   * Who gets the first one does not pay for the others. These are plain calls of `require()`, which bundlers follow; one that
   * throws is a backend that is not here.
   */
  readonly load: () => { readonly backend: Backend; readonly whyNot?: () => string | undefined };
}

/** The best one first. */
const candidates: readonly Candidate[] = [
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- lazily
  { name: 'posix', load: () => require('@vircommand/posix') as typeof import('@vircommand/posix') },
  {
    name: 'child-process',
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- lazily
    load: () => require('@vircommand/child-process') as typeof import('@vircommand/child-process'),
  },
];

let chosen: Backend | undefined;
/** Why the better ones cannot be used here. */
const refused: string[] = [];

/**
 * The backend that `Command` of this package uses here. Where no descriptor is free to choose with, nothing is chosen, and the
 * error is the system's (`EMFILE`, `ENFILE`): the next call chooses.
 *
 * @throws CommandUsageError if `VIRCOMMAND_BACKEND` names a backend that does not exist or cannot be used here, or if none can.
 */
export function chooseBackend(): Backend {
  chosen ??= choose(process.env.VIRCOMMAND_BACKEND);
  return chosen;
}

/** Why {@link chooseBackend} did not choose a better one than this. */
export function whyNotBetter(backend: Backend): string | undefined {
  return backend === chosen && refused.length > 0 ? refused.join('; ') : undefined;
}

function choose(forced: string | undefined): Backend {
  needDescriptor();
  refused.length = 0;
  if (forced !== undefined && forced !== '') {
    const candidate = candidates.find(({ name }) => name === forced);
    const names = candidates.map(({ name }) => name).join(', ');
    const found = candidate === undefined ? `it is none of ${names}` : usable(candidate);
    if (typeof found !== 'string') return found;
    throw new CommandUsageError('VIRCOMMAND_BACKEND', `'${forced}' cannot be used: ${found}`, { command: '' });
  }
  for (const candidate of candidates) {
    const found = usable(candidate);
    if (typeof found !== 'string') {
      logLine('backend %s', candidate.name);
      return found;
    }
    logLine('not backend %s: %s', candidate.name, found);
    refused.push(found);
  }
  throw new CommandUsageError('new Command', 'no backend can be used here', { command: '' });
}

/**
 * A shortage of descriptors passes, and must not decide which backend this process has from then on. Node 20 even remembers
 * that it could not find a package.
 */
function needDescriptor(): void {
  try {
    closeSync(openSync(devNull, 'r'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EMFILE' || code === 'ENFILE') throw error;
  }
}

/** The backend, or why it cannot be used here. */
function usable({ load }: Candidate): Backend | string {
  try {
    const { backend, whyNot } = load();
    return whyNot?.() ?? backend;
  } catch (error) {
    // Node's resolver adds its whole stack of modules below the reason.
    return String(error).split('\n', 1).join('');
  }
}
