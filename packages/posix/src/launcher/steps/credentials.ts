/** What the kernel says of the credentials of this thread: the one that becomes the program. */
import { readFileSync } from 'node:fs';
import { startError } from '@vircommand/core/backend';
import { errno, systemError } from '../../errno';

export interface Credentials {
  /** Real, effective, saved, file system. */
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  readonly groups: readonly number[];
  readonly inheritable: bigint;
  readonly permitted: bigint;
  readonly effective: bigint;
  readonly bounding: bigint;
  readonly ambient: bigint;
  readonly noNewPrivs: boolean;
}

/** The sets of capabilities. */
export const CAPABILITY_SETS = ['inheritable', 'permitted', 'effective', 'bounding', 'ambient'] as const;
export type CapabilitySet = (typeof CAPABILITY_SETS)[number];

const path = '/proc/thread-self/status';

/** @throws CommandStartError, stage `privileges` */
export function readCredentials(): Credentials {
  const fields = new Map<string, string>();
  for (const line of read().split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const field = (name: string): string => {
    const value = fields.get(name);
    if (value === undefined) {
      throw startError('privileges', systemError(errno.ENOSYS, 'read', path, `this kernel does not say ${name}`));
    }
    return value;
  };
  const ids = (name: string): number[] => field(name).split(/\s+/).filter(Boolean).map(Number);
  const mask = (name: string): bigint => BigInt(`0x${field(name)}`);
  return {
    uids: ids('Uid'),
    gids: ids('Gid'),
    groups: ids('Groups'),
    inheritable: mask('CapInh'),
    permitted: mask('CapPrm'),
    effective: mask('CapEff'),
    bounding: mask('CapBnd'),
    ambient: mask('CapAmb'),
    noNewPrivs: field('NoNewPrivs') === '1',
  };
}

function read(): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    throw startError('privileges', error as NodeJS.ErrnoException);
  }
}
