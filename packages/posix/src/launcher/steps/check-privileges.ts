/**
 * Asks the kernel whether privileges are what they should be: a filter of system calls may say yes and do nothing, as
 * those of rootless builders do.
 */
import { startError } from '@vircommand/core/backend';
import { errno, systemError } from '../../errno';
import type { Capabilities } from './capabilities';
import { CAPABILITY_SETS, type Credentials } from './credentials';
import type { Identity } from './identity';

/** What was asked for. */
interface Asked extends Identity {
  readonly capabilities: Capabilities | undefined;
  readonly noNewPrivs: boolean;
}

const four = (id: number): number[] => [id, id, id, id];
const sorted = (ids: readonly number[]): string => [...ids].sort((one, other) => one - other).join(' ');

/** @throws CommandStartError, stage `privileges` */
export function checkPrivileges(before: Credentials, after: Credentials, asked: Asked): void {
  const { uid, gid, groups, capabilities, noNewPrivs } = asked;
  // Each with what is and what should be.
  const rows: [string, string, string][] = [
    ['setresuid', after.uids.join(' '), (uid === undefined ? before.uids : four(uid)).join(' ')],
    ['setresgid', after.gids.join(' '), (gid === undefined ? before.gids : four(gid)).join(' ')],
    ['setgroups', sorted(after.groups), sorted(groups ?? before.groups)],
    ['prctl(PR_SET_NO_NEW_PRIVS)', String(after.noNewPrivs), String(noNewPrivs || before.noNewPrivs)],
  ];
  if (capabilities !== undefined) {
    const { exact, allowed } = capabilities;
    for (const set of CAPABILITY_SETS) {
      const is = exact.has(set) ? after[set] : after[set] & allowed;
      rows.push([`capset, ${set}`, is.toString(16), allowed.toString(16)]);
    }
  }
  for (const [call, is, should] of rows) {
    if (is === should) continue;
    const why = `it seemed to succeed, but there is '${is}' and not '${should}'`;
    throw startError('privileges', systemError(errno.EPERM, call, undefined, why));
  }
}
