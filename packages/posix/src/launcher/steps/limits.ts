/**
 * Resource limits, in two phases: hard ones are raised while the privileges for it are there, and everything else is set as
 * the last thing before exec, when it can only lower: neither this process nor a hook works under the program's limits.
 */
import { startError, type LaunchPlan } from '@vircommand/core/backend';
import { errno, systemError } from '../../errno';
import type { Libc } from '../../libc';
import { LINUX } from '../../linux';
import { SIZE } from '../../struct';

type Asked = NonNullable<LaunchPlan['privileged']['limits']>;
type LimitName = keyof Asked;
type Calls = Pick<Libc, 'getrlimit' | 'setrlimit'>;

/** The kernel's numbers, in the order of setting: those that an allocation can fail by come last. */
const resources: Readonly<Record<LimitName, number>> = {
  files: LINUX.RLIMIT_NOFILE,
  processes: 6,
  core: 4,
  cpu: 0,
  fileSize: 1,
  memLock: 8,
  data: 2,
  stack: 3,
  addressSpace: 9,
};
const names = Object.keys(resources) as LimitName[];

interface Pair {
  readonly soft: bigint;
  readonly hard: bigint;
}

/** RLIM_INFINITY. */
const unlimited = 2n ** 64n - 1n;
const value = (limit: number | 'unlimited'): bigint => (limit === 'unlimited' ? unlimited : BigInt(limit));

function wanted(limits: Asked | undefined, name: LimitName): Pair | undefined {
  const limit = limits?.[name];
  if (limit === undefined) return undefined;
  return typeof limit === 'object'
    ? { soft: value(limit.soft), hard: value(limit.hard) }
    : { soft: value(limit), hard: value(limit) };
}

function limitError(call: string, result: number, name: LimitName, why?: string): Error {
  return startError('limits', systemError(-result, call, undefined, why ?? `limit ${name}`));
}

function current(libc: Calls, name: LimitName): Pair {
  const bytes = Buffer.alloc(SIZE.rlimit);
  const result = libc.getrlimit(resources[name], bytes);
  if (result < 0) throw limitError('getrlimit', result, name);
  return { soft: bytes.readBigUInt64LE(0), hard: bytes.readBigUInt64LE(8) };
}

function bytesOf({ soft, hard }: Pair): Buffer {
  const bytes = Buffer.alloc(SIZE.rlimit);
  bytes.writeBigUInt64LE(soft, 0);
  bytes.writeBigUInt64LE(hard, 8);
  return bytes;
}

const text = (limit: bigint): string => (limit === unlimited ? 'unlimited' : String(limit));

/**
 * Phase 1: raises the hard limits that are below what is asked for.
 *
 * @throws CommandStartError, stage `limits`
 */
export function raiseHardLimits(libc: Calls, { privileged: { limits } }: Pick<LaunchPlan, 'privileged'>): void {
  for (const name of names) {
    const asked = wanted(limits, name);
    if (asked === undefined) continue;
    const now = current(libc, name);
    if (asked.hard <= now.hard) continue;
    const result = libc.setrlimit(resources[name], bytesOf({ soft: now.soft, hard: asked.hard }));
    if (result >= 0) continue;
    const raising = `raising the hard limit ${name} from ${text(now.hard)} to ${text(asked.hard)}`;
    const needs = name === 'files' ? 'CAP_SYS_RESOURCE, and no more than fs.nr_open' : 'CAP_SYS_RESOURCE';
    const why = result === -errno.EPERM ? `${raising} needs ${needs}` : raising;
    throw limitError('setrlimit', result, name, why);
  }
}

/**
 * Phase 2: sets exactly what is asked for. `softFiles` is the caller's own soft limit of descriptors, which Node raises when
 * it starts: it is the program's, unless the plan says another one.
 *
 * @throws CommandStartError, stage `limits`
 */
export function setLimits(
  libc: Calls,
  { privileged: { limits } }: Pick<LaunchPlan, 'privileged'>,
  softFiles?: number,
): void {
  const settings: (readonly [LimitName, Buffer])[] = [];
  for (const name of names) {
    const asked = wanted(limits, name) ?? (name === 'files' ? callersFiles(libc, softFiles) : undefined);
    if (asked !== undefined) settings.push([name, bytesOf(asked)]);
  }
  // From here on nothing is allocated that need not be.
  for (const [name, bytes] of settings) {
    const result = libc.setrlimit(resources[name], bytes);
    if (result < 0) throw limitError('setrlimit', result, name);
  }
}

function callersFiles(libc: Calls, softFiles: number | undefined): Pair | undefined {
  if (softFiles === undefined) return undefined;
  const { soft, hard } = current(libc, 'files');
  // As a number "unlimited" is a little more than the kernel's own.
  const wantedSoft = softFiles >= Number(hard) ? hard : BigInt(softFiles);
  return wantedSoft === soft ? undefined : { soft: wantedSoft, hard };
}
