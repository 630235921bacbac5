/**
 * Ids, groups, capabilities and no_new_privs, in the one order in which each step still has the right to be done. Whatever
 * fails throws: a program with more rights than it was meant to have must never run.
 */
import { startError, type LaunchPlan } from '@vircommand/core/backend';
import { systemError } from '../../errno';
import type { Libc } from '../../libc';
import { LINUX } from '../../linux';
import { dropBounding, findCapabilities, keepCapabilities, setCapabilities } from './capabilities';
import { checkPrivileges } from './check-privileges';
import { readCredentials } from './credentials';
import { findIdentity, setIdentity } from './identity';

/**
 * @throws CommandStartError, stage `privileges`; stage `capabilities` if there is no such capability. Then this process may
 * be anything between what it was and what it should be, and must end.
 */
export function setPrivileges(libc: Libc, { privileged }: Pick<LaunchPlan, 'privileged'>): void {
  const { uid, gid, groups, noNewPrivs } = privileged;
  if (noNewPrivs !== true && [uid, gid, groups, privileged.capabilities].every((asked) => asked === undefined)) return;
  const before = readCredentials();
  const identity = findIdentity(libc, privileged, before);
  const capabilities = findCapabilities(libc, privileged, before);

  if (capabilities !== undefined) dropBounding(libc, capabilities, before);
  const keep = uid !== undefined && capabilities !== undefined && capabilities.allowed !== 0n;
  if (keep) keepCapabilities(libc, true);
  setIdentity(libc, identity);
  if (capabilities !== undefined) setCapabilities(libc, capabilities, readCredentials());
  if (keep) keepCapabilities(libc, false);
  if (noNewPrivs === true) {
    const result = libc.prctl(LINUX.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (result < 0) throw startError('privileges', systemError(-result, 'prctl(PR_SET_NO_NEW_PRIVS)'));
  }

  const asked = { ...identity, capabilities, noNewPrivs: noNewPrivs === true };
  checkPrivileges(before, readCredentials(), asked);
}
