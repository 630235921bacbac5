/** The groups that the user database has for a user: whatever the machine is set up to ask, files or a directory service. */
import { startError } from '@vircommand/core/backend';
import { errno, systemError } from '../../errno';
import type { Libc } from '../../libc';
import { PASSWD, SIZE } from '../../struct';

/** Of one entry. */
const largestEntry = 1024 * 1024;
/** More a process cannot have. */
const mostGroups = 65_536;

/** What libc may return for "there is no such user", besides no error. */
const unknownUser: ReadonlySet<number> = new Set([errno.ENOENT, errno.ESRCH]);

/**
 * The user's own group and those that it is a member of, and `gid`; of an unknown user `gid` alone.
 *
 * @throws CommandStartError, stage `privileges`: the database cannot be asked
 */
export function groupsOfUser(libc: Libc, uid: number, gid: number | undefined): readonly number[] {
  const asked = gid === undefined ? [] : [gid];
  const user = findUser(libc, uid);
  return user === undefined ? asked : Array.from(new Set([...asked, ...listGroups(libc, user.name, user.gid)]));
}

/** Its name, with the NUL. */
interface User {
  readonly name: Buffer;
  readonly gid: number;
}

function findUser(libc: Libc, uid: number): User | undefined {
  const entry = Buffer.alloc(SIZE.passwd);
  const found = Buffer.alloc(8);
  for (let size = 1024; ; size *= 4) {
    const strings = Buffer.allocUnsafeSlow(size);
    const result = libc.getpwuid_r(uid, entry, strings, size, found);
    if (result === errno.EINTR) continue;
    if (result === errno.ERANGE && size < largestEntry) continue;
    if (unknownUser.has(result)) return undefined;
    if (result !== 0) throw startError('privileges', systemError(result, 'getpwuid_r', undefined, `user ${uid}`));
    if (found.readBigUInt64LE(0) === 0n) return undefined;
    const start = Number(entry.readBigUInt64LE(PASSWD.name)) - libc.driver.address(strings);
    const name = Buffer.from(strings.subarray(start, strings.indexOf(0, start) + 1));
    return { name, gid: entry.readUInt32LE(PASSWD.gid) };
  }
}

function listGroups(libc: Libc, name: Buffer, gid: number): number[] {
  const count = Buffer.alloc(4);
  for (let most = 64; ; most *= 4) {
    const list = Buffer.alloc(most * 4);
    count.writeInt32LE(most);
    const result = libc.getgrouplist(name, gid, list, count);
    if (result >= 0) return Array.from({ length: count.readInt32LE(0) }, (_, index) => list.readUInt32LE(index * 4));
    if (most >= mostGroups) {
      const why = `user ${name.toString('utf8', 0, name.length - 1)} is in more than ${mostGroups} groups`;
      throw startError('privileges', systemError(errno.EINVAL, 'getgrouplist', undefined, why));
    }
  }
}
