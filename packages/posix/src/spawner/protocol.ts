/**
 * What the process tells its spawner threads and their gatekeeper, and what those answer. Threads share their memory, so an
 * order is a handful of addresses; what lies there belongs to the thread that gave the order, and stays until the answer.
 */
import type { LaunchPlan } from '@vircommand/core/backend';
import type { DriverName } from '../ffi';
import type { Failure } from '../launcher/protocol';
import type { GateLink } from './hold';

/** What a thread has changed of itself, once and for good: its programs inherit that. */
export interface ThreadClass {
  readonly noNewPrivs: boolean;
}

/** What a thread is made with. */
export interface Setup {
  readonly driver: DriverName;
  /** The file of koffi's addon, which is quicker to load than the package; `undefined`: not known. */
  readonly addon: string | undefined;
  /** Becomes 1 when it has loaded the driver. Until then nothing may end it: an addon that is interrupted aborts the process. */
  readonly loaded: Int32Array;
  /** It starts programs of this class, or keeps the gate. */
  readonly role: ThreadClass | 'gatekeeper';
}

/** What is changed of a program that is held. */
export type HeldAttributes = Pick<LaunchPlan['privileged'], 'limits' | 'nice' | 'affinity'>;

/** One start: what `posix_spawn` is called with. */
export interface Order {
  readonly id: number;
  /** Addresses. */
  readonly pid: number;
  readonly path: number;
  readonly actions: number;
  readonly attributes: number;
  readonly argv: number;
  readonly envp: number;
  /** Who this process was when it was asked for. */
  readonly euid: number;
  readonly egid: number;
  /** For a thread that has one of its own. */
  readonly umask: number | undefined;
  /** The program waits at the gate, and this is done to it there. */
  readonly hold: HeldAttributes | undefined;
}

/** What a spawner thread is told. */
export type ToSpawner =
  { readonly type: 'orders'; readonly orders: readonly Order[] } | ({ readonly type: 'gate' } & GateLink);

/** What a spawner thread tells the gatekeeper before it calls `posix_spawn`. */
export interface HoldRequest {
  readonly tid: number;
  readonly attributes: HeldAttributes;
}

/** What became of a start at the gate. */
export type Verdict =
  /** Everything is done, and the program was let go. */
  | { readonly type: 'gone' }
  /** It was not let go. */
  | ({ readonly type: 'failed' } & Failure)
  /** The gate cannot be used: nothing was started. */
  | { readonly type: 'impossible'; readonly why: string };

/** What a thread says. */
export type Said =
  /**
   * A spawner also says why its directory and umask are those of all threads, if they are; the gatekeeper, which descriptors
   * the gate is made of.
   */
  | { readonly type: 'ready'; readonly shares: string | undefined; readonly lease?: number; readonly token?: number }
  /** It cannot become what it should be; it ends. */
  | { readonly type: 'refused'; readonly why: string }
  | { readonly type: 'done'; readonly results: readonly Result[] };

/** The answer to an order. */
export interface Result {
  readonly id: number;
  /** Of `posix_spawn`. */
  readonly result: number;
  /** Of a start that was held, if it was not let go. */
  readonly stopped: Exclude<Verdict, { type: 'gone' }> | undefined;
}
