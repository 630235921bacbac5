/** Capabilities of the thread that becomes the program, so that exec leaves it what was asked for, and nothing else. */
import { capabilityNumber, startError, type LaunchPlan } from '@vircommand/core/backend';
import { errno, systemError } from '../../errno';
import type { Libc } from '../../libc';
import { LINUX } from '../../linux';
import { CAPABILITY_SETS, type CapabilitySet, type Credentials } from './credentials';

/** What a plan asks for, checked. */
export interface Capabilities {
  /** What was not allowed is to be gone from these sets. */
  readonly exact: ReadonlySet<CapabilitySet>;
  readonly allowed: bigint;
}

const everySet = new Set(CAPABILITY_SETS);
const thoseOfUser = new Set(CAPABILITY_SETS.filter((set) => set !== 'bounding'));
const noSet = new Set<CapabilitySet>();

const bits = (set: bigint): number[] =>
  Array.from({ length: 64 }, (_, number) => number).filter((number) => (set & (1n << BigInt(number))) !== 0n);

const refused = (number: number, call: string, why?: string): Error =>
  startError('privileges', systemError(number, call, undefined, why));

/**
 * The kernel takes them when an id goes from root to another one, and only then: ambient ones of an ordinary user stay under
 * every other user, and with CAP_SETUID the program would be root again. So another user than root is asked for without them,
 * also the one that this process has: whoever starts a program does not decide what it gets.
 *
 * @returns `undefined`: they stay, or become, what the kernel makes of them
 * @throws CommandStartError, stage `capabilities`: no such capability; stage `privileges`: this process has it not
 */
export function findCapabilities(
  libc: Libc,
  { uid = 0, capabilities }: LaunchPlan['privileged'],
  now: Credentials,
): Capabilities | undefined {
  if (uid === 0 && capabilities === undefined) return undefined;
  const { clear, allow } = capabilities ?? { clear: false, allow: [] };
  let allowed = 0n;
  for (const name of allow) {
    const number = capabilityNumber(name);
    if (number === undefined || libc.prctl(LINUX.PR_CAPBSET_READ, number, 0, 0, 0) < 0) {
      const why =
        number === undefined ? `${name} is not known here; say it by its number` : `this kernel has no ${name}`;
      throw startError('capabilities', systemError(errno.EINVAL, 'prctl(PR_CAPBSET_READ)', undefined, why));
    }
    const bit = 1n << BigInt(number);
    if ((now.permitted & now.bounding & bit) === 0n) {
      throw refused(errno.EPERM, 'capset', `this process does not have ${name}, so the program cannot get it`);
    }
    allowed |= bit;
  }
  return { exact: clear ? everySet : uid !== 0 ? thoseOfUser : noSet, allowed };
}

/**
 * Drops from the bounding set, while there is the capability for it: before the ids change.
 *
 * @throws CommandStartError, stage `privileges`
 */
export function dropBounding(libc: Libc, { exact, allowed }: Capabilities, now: Credentials): void {
  if (!exact.has('bounding')) return;
  for (const number of bits(now.bounding & ~allowed)) {
    const result = libc.prctl(LINUX.PR_CAPBSET_DROP, number, 0, 0, 0);
    if (result === -errno.EPERM) {
      const why = 'emptying the bounding set needs CAP_SETPCAP; setNoNewPrivs() protects an ordinary user too';
      throw refused(errno.EPERM, 'prctl(PR_CAPBSET_DROP)', why);
    }
    if (result < 0) throw refused(-result, 'prctl(PR_CAPBSET_DROP)', `capability ${number}`);
  }
}

/** Whether a change of the user takes the permitted capabilities. @throws CommandStartError, stage `privileges` */
export function keepCapabilities(libc: Libc, keep: boolean): void {
  const result = libc.prctl(LINUX.PR_SET_KEEPCAPS, keep ? 1 : 0, 0, 0, 0);
  if (result < 0) throw refused(-result, 'prctl(PR_SET_KEEPCAPS)');
}

/**
 * The other four sets; `now` is what the change of the ids has left.
 *
 * @throws CommandStartError, stage `privileges`
 */
export function setCapabilities(libc: Libc, { exact, allowed }: Capabilities, now: Credentials): void {
  const kept = exact.has('permitted') ? 0n : keptByExec(now);
  // What is so already is not asked for: a filter may forbid that to a process that has nothing.
  const permitted = allowed | kept;
  const inheritable = allowed | (exact.has('inheritable') ? 0n : now.inheritable);
  const isSo = now.permitted === permitted && now.effective === permitted && now.inheritable === inheritable;
  if (!isSo) capset(libc, permitted, inheritable);
  if (exact.has('ambient') && now.ambient !== 0n) ambient(libc, LINUX.PR_CAP_AMBIENT_CLEAR_ALL, 0);
  for (const number of bits(allowed)) ambient(libc, LINUX.PR_CAP_AMBIENT_RAISE, number);
}

/** What the program would have without being allowed anything: what follows here is not to be done with more. */
function keptByExec({ uids, permitted, ambient }: Credentials): bigint {
  return uids[1] === 0 ? permitted : ambient;
}

/** Version 3, this thread. */
const header = Buffer.alloc(8);
header.writeUInt32LE(0x20080522);

function capset(libc: Libc, permitted: bigint, inheritable: bigint): void {
  const half = 0xffffffffn;
  // Effective, permitted, inheritable: first the lower halves of the three, then the upper ones.
  const words = [permitted, permitted, inheritable];
  const data = Buffer.alloc(24);
  words.forEach((set, index) => {
    data.writeUInt32LE(Number(set & half), index * 4);
    data.writeUInt32LE(Number(set >> 32n), 12 + index * 4);
  });
  const result = libc.capset(header, data);
  if (result < 0) throw refused(-result, 'capset');
}

function ambient(libc: Libc, command: number, number: number): void {
  const result = libc.prctl(LINUX.PR_CAP_AMBIENT, command, number, 0, 0);
  if (result < 0) throw refused(-result, 'prctl(PR_CAP_AMBIENT)');
}
