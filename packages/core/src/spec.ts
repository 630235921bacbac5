/**
 * What a command says, validated: the setters and the options form both end here. A run takes a frozen snapshot of it.
 */
import type { Value } from './bytes';
import type { Environment } from './environment';
import type { Backend } from './contract';
import type { Capability, Fd, Limits, PlainData } from './types';

/** What is written to a pipe. The bytes stay the caller's. */
export interface Input {
  readonly data: Uint8Array;
  /** Of the data as it was given: memory that was given away since has less. */
  readonly size: number;
  readonly secret: boolean;
}

/** Whether memory of it was given away since. */
export const isGone = ({ data, size }: Input): boolean => data.length < size;
export const gone = 'the memory of its data was transferred or made smaller; leave it as it is until the run is over';

/** Where a stream leads. */
export type StreamChoice =
  | { readonly kind: 'null' }
  | { readonly kind: 'pipe' }
  | { readonly kind: 'fd'; readonly fd: Fd }
  | { readonly kind: 'file'; readonly path: string; readonly append: boolean }
  /** stdin: what is written to it. */
  | ({ readonly kind: 'input' } & Input)
  /** stdout and stderr: kept for the result. */
  | { readonly kind: 'capture'; readonly as: 'text' | 'bytes' }
  /** stderr: the same open file as stdout. */
  | { readonly kind: 'same-as-stdout' };

/** The number of a descriptor now; a closed FileHandle has -1. */
export const fdNumber = (fd: Fd): number => (typeof fd === 'number' ? fd : fd.fd);

/** A descriptor to pass. */
export interface PassedFd {
  readonly fd: Fd;
  /** `undefined`: the same number. */
  readonly as: number | undefined;
  readonly closeInParent: boolean;
}

/** Everything that a command says. `undefined` means: not said. */
export interface CommandSpec {
  readonly program: Value;
  /** Without `argv[0]`. */
  readonly args: readonly Value[];
  readonly argv0: Value | undefined;
  /** `undefined`: inherited. */
  readonly env: Environment | undefined;
  readonly cwd: string | undefined;
  readonly stdin: StreamChoice | undefined;
  readonly stdout: StreamChoice | undefined;
  readonly stderr: StreamChoice | undefined;
  readonly passFds: readonly PassedFd[];
  readonly sendBuffers: readonly (Input & { readonly fd: number })[];
  readonly asyncIo: boolean;
  readonly nonblockingFds: boolean;
  readonly pidFile: string | undefined;
  readonly daemon: boolean;
  readonly session: boolean;
  readonly processGroup: boolean | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly groups: readonly number[] | undefined;
  readonly umask: number | undefined;
  readonly clearCaps: boolean;
  readonly allowCaps: readonly Capability[];
  readonly noNewPrivs: boolean;
  readonly limits: Limits;
  readonly nice: number | undefined;
  readonly affinity: readonly number[] | undefined;
  readonly coreScheduling: 'alone' | { readonly among: number } | undefined;
  readonly selinuxLabel: string | undefined;
  readonly appArmorProfile: string | undefined;
  readonly preExecHook: { readonly module: string; readonly export: string; readonly data: PlainData } | undefined;
  readonly handshake: boolean;
  readonly rawStatus: boolean;
  readonly backend: Backend | undefined;
}

/** A spec that is still being written. */
export type Draft = { -readonly [K in keyof CommandSpec]: Mutable<CommandSpec[K]> };
type Mutable<T> =
  T extends ReadonlyMap<infer K, infer V>
    ? Map<K, V>
    : T extends readonly (infer E)[]
      ? E[]
      : T extends Limits
        ? { -readonly [K in keyof Limits]: Limits[K] }
        : T;

/** A command for which only the program is set. */
export function emptyDraft(program: Value): Draft {
  return {
    program,
    args: [],
    argv0: undefined,
    env: undefined,
    cwd: undefined,
    stdin: undefined,
    stdout: undefined,
    stderr: undefined,
    passFds: [],
    sendBuffers: [],
    asyncIo: false,
    nonblockingFds: false,
    pidFile: undefined,
    daemon: false,
    session: false,
    processGroup: undefined,
    uid: undefined,
    gid: undefined,
    groups: undefined,
    umask: undefined,
    clearCaps: false,
    allowCaps: [],
    noNewPrivs: false,
    limits: {},
    nice: undefined,
    affinity: undefined,
    coreScheduling: undefined,
    selinuxLabel: undefined,
    appArmorProfile: undefined,
    preExecHook: undefined,
    handshake: false,
    rawStatus: false,
    backend: undefined,
  };
}

/** A copy that later setters do not reach. Values are immutable, so the collections are all that has to be copied. */
export function copyDraft(draft: Draft): Draft {
  return {
    ...draft,
    args: draft.args.slice(),
    env: draft.env === undefined ? undefined : new Map(draft.env),
    passFds: draft.passFds.slice(),
    sendBuffers: draft.sendBuffers.slice(),
    allowCaps: draft.allowCaps.slice(),
    limits: { ...draft.limits },
  };
}
