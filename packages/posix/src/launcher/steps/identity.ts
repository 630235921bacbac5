/**
 * User, group and supplementary groups. Raw system calls, on the thread that becomes the program: libc's functions would
 * change all threads, and abort the process where one of them may not.
 */
import { startError, type LaunchPlan } from '@vircommand/core/backend';
import { errno, systemError } from '../../errno';
import type { Libc } from '../../libc';
import { LINUX } from '../../linux';
import type { Credentials } from './credentials';
import { groupsOfUser } from './groups-of-user';

/** What is to be set; what is left out stays. */
export interface Identity {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** No group twice. */
  readonly groups: readonly number[] | undefined;
}

/**
 * What a plan asks for. Said are the groups themselves, or they are those of the user; with a group alone none is left.
 *
 * @throws CommandStartError, stage `privileges`: the user database cannot be asked
 */
export function findIdentity(libc: Libc, { uid, gid, groups }: LaunchPlan['privileged'], now: Credentials): Identity {
  if (groups !== undefined) {
    const said = Array.from(new Set(groups));
    // An ordinary user may not set any, but may say those that there are.
    return { uid, gid, groups: sameSet(said, now.groups) ? undefined : said };
  }
  const found = uid !== undefined ? groupsOfUser(libc, uid, gid) : gid !== undefined ? [] : undefined;
  if (found === undefined) return { uid, gid, groups: undefined };
  // Whether the group is among the supplementary ones too makes no difference in rights.
  const group = gid ?? now.gids[1] ?? -1;
  const same = sameSet([...found, group], [...now.groups, group]);
  return { uid, gid, groups: same ? undefined : found };
}

function sameSet(one: readonly number[], other: readonly number[]): boolean {
  const set = new Set(one);
  return other.every((id) => set.has(id)) && set.size === new Set(other).size;
}

/**
 * Groups first, the user last: each step takes the right to do those before it.
 *
 * @throws CommandStartError, stage `privileges`
 */
export function setIdentity(libc: Libc, { uid, gid, groups }: Identity): void {
  if (groups !== undefined) setGroups(libc, groups);
  if (gid !== undefined) {
    const result = libc.syscall(LINUX.SYS_setresgid, gid, gid, gid, 0, 0);
    if (result < 0) throw identityError('setresgid', result, `group ${gid}`, 'CAP_SETGID');
  }
  if (uid !== undefined) {
    const result = libc.syscall(LINUX.SYS_setresuid, uid, uid, uid, 0, 0);
    if (result < 0) throw identityError('setresuid', result, `user ${uid}`, 'CAP_SETUID');
  }
}

function setGroups(libc: Libc, groups: readonly number[]): void {
  const list = Buffer.alloc(Math.max(4, groups.length * 4));
  groups.forEach((id, index) => list.writeUInt32LE(id, index * 4));
  const result = libc.syscall(LINUX.SYS_setgroups, groups.length, libc.driver.address(list), 0, 0, 0);
  if (result >= 0) return;
  const some = groups.slice(0, 8).join(', ') + (list.length > 8 * 4 ? ', …' : '');
  const what = groups.length === 0 ? 'no supplementary groups' : `the supplementary groups ${some}`;
  throw identityError('setgroups', result, what, 'CAP_SETGID');
}

function identityError(call: string, result: number, what: string, capability: string): Error {
  const why: Readonly<Record<number, string>> = {
    [-errno.EPERM]: `${what}: that needs ${capability}`,
    [-errno.EINVAL]: `${what}: not in this user namespace`,
  };
  return startError('privileges', systemError(-result, call, undefined, why[result] ?? what));
}
