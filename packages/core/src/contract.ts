/**
 * The backend contract, version 1: what core hands to a backend, and what a backend hands back.
 *
 * Core validates everything that does not depend on a backend, owns the whole lifecycle (buffers, limits, deadlines,
 * drains, disposal, errors, logging) and never opens a file for a program. A backend starts programs, and nothing else; what
 * those on this machine share is in `./backend`.
 */
import type { Readable, Writable } from 'node:stream';
import type { Clock } from './clock';
import type { Feature } from './features';
import type { Capability, CommandOptions, CommandResult, ExitStatus, PlainData, SignalName } from './types';

/** Typed arrays cannot be frozen, so bytes that are no UTF-8 travel as base64. */
export type PlanString = string | { readonly base64: string };

/** Where one of the program's descriptors 0, 1 and 2 leads. */
export type PlanStream =
  /** `/dev/null`. */
  | { readonly type: 'null' }
  /** A pipe to core: in a synchronous run, captured (or, for stdin, fed from the request). */
  | { readonly type: 'pipe' }
  /** A descriptor of the parent, duplicated; never closed by the backend. */
  | { readonly type: 'fd'; readonly fd: number }
  /** stderr only: the same open file as stdout. */
  | { readonly type: 'same-as-stdout' }
  /** `write` creates (0666 and umask) or truncates, `append` creates or appends. Relative paths are the parent's. */
  | { readonly type: 'file'; readonly path: string; readonly mode: 'read' | 'write' | 'append' };

/**
 * All that a backend needs. Frozen, JSON, no functions, no streams, no prototypes.
 * `requires` is already checked against the backend's features, so a backend must honour every field whose feature it
 * declares and may ignore those whose feature it does not.
 */
export interface LaunchPlan {
  /** The version of the contract. */
  readonly contract: 1;
  /** The features that the plan needs. */
  readonly requires: readonly Feature[];
  /** As given: a local backend calls `resolveProgramOf()`. */
  readonly program: PlanString;
  /** `argv[0]` included. */
  readonly argv: readonly PlanString[];
  /** No name twice; `'inherit'`: the parent's environment at the time of the start. */
  readonly env: readonly (readonly [name: string, value: PlanString])[] | 'inherit';
  /** `undefined`: the parent's. */
  readonly cwd: string | undefined;
  /** Where descriptor 0 leads. */
  readonly stdin: PlanStream;
  /** Where descriptor 1 leads. */
  readonly stdout: PlanStream;
  /** Where descriptor 2 leads. */
  readonly stderr: PlanStream;
  /** Descriptors of the parent and their numbers in the program (3 and up, no number twice). Core closes the parent's. */
  readonly passFds: readonly { readonly fd: number; readonly as: number }[];
  /** Numbers in the program of pipes that it reads and core writes; they clash with no passed descriptor. */
  readonly sendBuffers: readonly number[];
  /** `'auto'`: the backend's choice, such that ends reach the tree and Ctrl-C at a terminal still reaches the program. */
  readonly group: 'auto' | 'none' | 'group' | 'session';
  /** What was asked for, and nothing else; without prototype. */
  readonly privileged: Pick<
    CommandOptions,
    | 'uid'
    | 'gid'
    | 'groups'
    | 'umask'
    | 'noNewPrivs'
    | 'limits'
    | 'nice'
    | 'affinity'
    | 'coreScheduling'
    | 'selinuxLabel'
    | 'appArmorProfile'
  > & {
    /** No capability twice, and each in one spelling: by number (`CAP_41`) only if it has no name here. */
    readonly capabilities?: { readonly clear: boolean; readonly allow: readonly Capability[] } | undefined;
  };
  /** Absolute path; only with `daemon`. */
  readonly pidFile: string | undefined;
  /** Becomes a daemon; `start()` resolves when that runs (with a handshake: when held), with its pipes, if any. */
  readonly daemon: boolean;
  /** Held before exec until told. */
  readonly handshake: boolean;
  /** Called in the process that becomes the program; `module` is an absolute path or a file URL. */
  readonly preExecHook: { readonly module: string; readonly export: string; readonly data: PlainData } | undefined;
  /** `best-effort`: when this process ends and can still run code; `guaranteed`: by the kernel. */
  readonly killOnParentExit: false | 'best-effort' | 'guaranteed';
  /**
   * Where the secrets are: positions in argv, names in env, and the program's descriptors whose input is one (0 and those
   * of `sendBuffers`; left out if there are none). Whoever writes a plan anywhere must mask these.
   */
  readonly secret: {
    readonly argv: readonly number[];
    readonly env: readonly string[];
    readonly inputs?: readonly number[];
    /**
     * What is secret in those that were put together (`addArgPair()`, `addArgFormat()`, `addEnvFormat()`): a list for each
     * position in argv and then for each name, empty where the whole is. Left out if there are none. Not enumerable, since
     * these are the values themselves, and a copy of a plan has the places only.
     */
    readonly parts?: readonly (readonly PlanString[])[];
  };
  /** Redacted shell text. */
  readonly text: string;
}

/** What a signal reached. */
export type Reach = 'process' | 'group' | 'tree';

/** A program that a backend has started. */
export interface ChildHandle {
  /** Of the daemon, if the plan daemonizes; `undefined` without feature `local-pid`. */
  readonly pid: number | undefined;
  /** Present where the plan says `'pipe'`. Core destroys it. */
  readonly stdin: Writable | undefined;
  /**
   * Present where the plan says `'pipe'`. Core reads it to its end or destroys it. A `bytesRead`, as sockets have it, bounds how
   * long a caller's slow reader is waited for beside somebody who writes on; without one he is waited for as long as he reads.
   */
  readonly stdout: Readable | undefined;
  /** Present where the plan says `'pipe'`. Core reads it to its end or destroys it. */
  readonly stderr: Readable | undefined;
  /**
   * A cheaper way to the same output, for streams that core keeps whole: `onChunk` gets views that are valid during the
   * call only. Core uses either this or the stream, never both, so a backend may make its streams when they are asked for.
   */
  capture?(
    stream: 'stdout' | 'stderr',
    onChunk: (chunk: Uint8Array) => void,
    onEnd: (error?: Error) => void,
  ): { destroy(): void };
  /** Told of memory that a large output will fill soon: a place to ask the system for large pages. Must not throw. */
  expectOutput?(memory: Uint8Array): void;
  /** In the order of the plan's `sendBuffers`; may be left out when there are none. */
  readonly sendBuffers?: readonly Writable[] | undefined;
  /**
   * Settles once, when the program is reaped, whatever the pipes do; for a daemon with exit code 0, at once, or when it is
   * executed after a handshake. Before that `signal()` and `dispose()` end it, and this settles, in either way, when nothing
   * is left of it; afterwards they leave it alone.
   * It must reject only if the backend lost the program (`CommandStartError`, stage `backend`).
   */
  readonly exited: Promise<ExitStatus>;
  /**
   * Must never throw; `sent: false` if the program is already reaped, or may not be signalled. `reached` is what the signal
   * really got.
   */
  signal(name: SignalName, target: 'process' | 'tree'): { readonly sent: boolean; readonly reached: Reach };
  /** Whether descendants that a signal to the tree was sent to are still alive; left out where that is not known. */
  treeAlive?(): boolean;
  /** Present if the plan asks for a handshake. */
  readonly handshake?: { wait(): Promise<void>; notify(): Promise<void> } | undefined;
  /** Idempotent: SIGKILL to the tree, close pipes; must block until reaped if the backend declares `sync-reap`. */
  dispose(): void;
}

/** What core cannot do itself while the thread is blocked. */
export interface SyncRequest {
  /** For stdin, where the plan says `'pipe'`. */
  readonly input: Uint8Array | undefined;
  /** In the order of the plan's `sendBuffers`. */
  readonly sendBuffers: readonly Uint8Array[];
  /** Milliseconds left until the deadline. */
  readonly timeout: number | undefined;
  /** Milliseconds. */
  readonly killDelay: number;
  /** Milliseconds. */
  readonly drainDelay: number;
  /** Bytes; `Infinity` for none. */
  readonly limit: {
    readonly stdout: number;
    readonly stderr: number;
    readonly total: number;
    readonly onExceed: 'kill' | 'truncate';
  };
  /** If set, only the last so many bytes of stderr are wanted; they count in no limit and their drain is not awaited. */
  readonly stderrTail: number | undefined;
}

/** How a synchronous run went. */
export interface SyncOutcome extends ExitStatus {
  /** `undefined` without feature `local-pid`. */
  readonly pid: number | undefined;
  /** Present where the plan says `'pipe'`; exact to the byte at a limit. */
  readonly stdout: Uint8Array | undefined;
  /** As `stdout`; at most the tail if only that was wanted. */
  readonly stderr: Uint8Array | undefined;
  /** What ended the run; the first cause. */
  readonly ending: 'exit' | 'timeout' | 'output-limit';
  /** Which limit, for `ending: 'output-limit'`. */
  readonly exceeded?: 'stdout' | 'stderr' | 'total' | undefined;
  /** `false` if somebody still held a pipe after the drain, or a limit cut it. */
  readonly outputComplete: boolean;
  /**
   * Which stream is not complete, where the other one is: an end of that which is no character is the program's own. Must be
   * left out where both are not.
   */
  readonly incomplete?: 'stdout' | 'stderr' | undefined;
  /** What the end reached; `none` if nothing had to be ended, or nothing could be. */
  readonly ended: CommandResult['ended'];
}

/** A way to start programs. */
export interface Backend {
  /** The version of the contract. */
  readonly contract: 1;
  /** For messages and results. */
  readonly name: string;
  /** Frozen; fixed from creation on; may depend on the platform. */
  readonly features: readonly Feature[];
  /**
   * Resolves when exec succeeded (with a handshake: when held); rejects with a `CommandStartError`, then nothing is left behind.
   * What the plan leaves to this process (environment, directory, descriptors) is as it was when this was called, also if the
   * program is started later.
   */
  start(plan: LaunchPlan): Promise<ChildHandle>;
  /**
   * Nobody waits for this start any longer: it may be ended at once. Left out where starting takes no time. Must not throw;
   * {@link start} still settles, and what it resolves with is disposed.
   */
  cancelStart?(plan: LaunchPlan): void;
  /** Only with feature `sync`. Throws a `CommandStartError`, then nothing is left behind. */
  startAndWaitSync?(plan: LaunchPlan, request: SyncRequest): SyncOutcome;
  /**
   * Only with feature `exec`: this process becomes the program. Of the plan's streams none is a pipe, and the group `'auto'`
   * is that of this process. Throws a `CommandStartError`. It returns only if it pretends, as a mock does: an error for
   * core to throw as it is, so that the caller does not go on.
   */
  exec?(plan: LaunchPlan): Error;
  /**
   * What to say instead of which backends have a feature that this one does not declare: the beginning of the error's message.
   * `undefined` for nothing.
   */
  whyNot?(feature: Feature): string | undefined;
  /** For mocks whose time is virtual. */
  readonly clock?: Clock | undefined;
  /** Ends what it has started and gives back what it holds. Idempotent. */
  dispose?(): Promise<void>;
}
