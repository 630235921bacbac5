/**
 * What the process tells a spawner thread, and what that answers. Threads share their memory, so an order is a handful of
 * addresses; what lies there belongs to who gave the order, and stays until the answer.
 */
import type { DriverName } from '../ffi';

/** What a thread has changed of itself, once and for good: its programs inherit that. */
export interface ThreadClass {
  /** Working directory and umask are its own, and not those of all threads. */
  readonly ownFiles: boolean;
  readonly noNewPrivs: boolean;
}

/** What a thread is made with. */
export interface Setup extends ThreadClass {
  readonly driver: DriverName;
  /** The file of koffi's addon, which is quicker to load than the package; `undefined`: not known. */
  readonly addon: string | undefined;
}

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
  /** Of a thread with files of its own. */
  readonly umask: number | undefined;
}

/** What a thread says. */
export type Said =
  | { readonly type: 'ready' }
  /** It cannot become what it should be; it ends. */
  | { readonly type: 'refused'; readonly why: string }
  | { readonly type: 'done'; readonly results: readonly Result[] };

/** The answer to an order. */
export interface Result {
  readonly id: number;
  /** Of `posix_spawn`. */
  readonly result: number;
}
