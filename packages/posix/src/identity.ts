/** Who this process is, and its umask: all of it in one read, since each start that waits asks. */
import { constants } from 'node:fs';
import { KeptDescriptor } from './kept-descriptor';
import type { Libc } from './libc';
import { cString } from './struct';

export interface Identity {
  /** For messages. */
  readonly user: string;
  /** `undefined`: there is no `/proc`, and Node adds the group of the process to those that it tells. */
  readonly groups: string | undefined;
  readonly euid: number;
  readonly egid: number;
  /** It has the rights of somebody else for a while: what it starts now must be started now. */
  readonly actsAsAnother: boolean;
  /** `undefined`: there is no `/proc`. */
  readonly umask: number | undefined;
}

/** umask(2) would set it, for all threads. */
const file = cString('/proc/self/status');
/** Real and effective ids come first. Of very many groups the first ones are compared: the buffer ends there. */
const told = /^Umask:\t(\d+)$[^]*^Uid:\t(\d+)\t(\d+).*\nGid:\t(\d+)\t(\d+).*$[^]*^Groups:\t(.*\n?)/m;

export class Identities {
  private kept: KeptDescriptor | undefined;
  private readonly status = Buffer.allocUnsafeSlow(4096);
  /** What {@link last} was read from: the beginning, since what follows is never the same. */
  private bytes = Buffer.alloc(0);
  private last: Identity | undefined;

  constructor(private readonly libc: Libc) {}

  /** Asking is a single call until {@link release}. */
  hold(): void {
    if (this.kept?.held !== true) this.kept = new KeptDescriptor(this.libc, file, constants.O_RDONLY);
    this.kept.hold();
  }

  release(): void {
    this.kept?.release();
  }

  now(): Identity {
    const { libc, status } = this;
    this.hold();
    const fd = this.kept?.fd ?? -1;
    const length = fd < 0 ? 0 : Math.max(0, libc.pread(fd, status, status.length, 0));
    this.release();
    return this.last !== undefined && this.isSame(length) ? this.last : this.read(length);
  }

  private isSame(length: number): boolean {
    const { status, bytes } = this;
    return length >= bytes.length && status.compare(bytes, 0, bytes.length, 0, bytes.length) === 0;
  }

  private read(length: number): Identity {
    const text = this.status.toString('latin1', 0, length);
    const found = told.exec(text);
    if (found === null) return asked();
    const [all, umask = '', uid, euid, gid, egid, groups = ''] = found;
    this.bytes = Buffer.from(text.slice(0, found.index + all.length), 'latin1');
    this.last = identity(uid, euid, gid, egid, groups.trim(), parseInt(umask, 8));
    return this.last;
  }
}

/** Where there is no `/proc`. */
function asked(): Identity {
  const { getuid, geteuid, getgid, getegid } = process;
  return identity(getuid?.(), geteuid?.(), getgid?.(), getegid?.(), undefined, undefined);
}

/** Whether they have the same rights, as far as that is known. */
export const isSameUser = (one: Identity, other: Identity): boolean =>
  one.groups === undefined || other.groups === undefined
    ? one.euid === other.euid && one.egid === other.egid
    : one.user === other.user;

type Id = number | string | undefined;

const identity = (
  uid: Id,
  euid: Id,
  gid: Id,
  egid: Id,
  groups: string | undefined,
  umask: number | undefined,
): Identity => ({
  user: `user ${uid}/${euid}, group ${gid}/${egid}${groups === undefined ? '' : `, groups ${groups.replaceAll(' ', ',')}`}`,
  groups,
  euid: Number(euid),
  egid: Number(egid),
  actsAsAnother: uid !== euid || gid !== egid,
  umask,
});
