/**
 * The backend contract, version 1: what core hands to a backend, and what a backend hands back.
 *
 * Core validates everything that does not depend on a backend, owns the whole lifecycle (buffers, limits, deadlines,
 * drains, disposal, errors, logging) and never opens a file for a program. A backend starts programs, and nothing else. What
 * backends for programs on this machine share is in `./backend`.
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
   * of `sendBuffers`; left out if there are none). Code that writes a plan anywhere must mask these.
   */
  readonly secret: {
    readonly argv: readonly number[];
    readonly env: readonly string[];
    readonly inputs?: readonly number[];
    /**
     * The secret parts of composed values (`addArgPair()`, `addArgFormat()`, `addEnvFormat()`): one list for each position in
     * `argv`, then one for each name in `env`; a list is empty if the whole value is secret. Left out if no value is composed.
     * Not enumerable, since these are the secrets themselves: a copy of a plan has only their places.
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
   * Present where the plan says `'pipe'`. Core reads it to its end or destroys it. If it has `bytesRead`, as sockets do, core
   * can tell what the program wrote from what another process goes on writing into the pipe, and does not wait for a slow
   * reader of the latter; without it core waits for as long as the caller's reader reads.
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
  /** Called with memory that a large output will fill soon, so that the backend can ask the system for large pages. Must not throw. */
  expectOutput?(memory: Uint8Array): void;
  /** In the order of the plan's `sendBuffers`; may be left out when there are none. */
  readonly sendBuffers?: readonly Writable[] | undefined;
  /**
   * Settles once, when the program is reaped, whatever its pipes do. It must reject only if the backend lost the program
   * (`CommandStartError`, stage `backend`).
   *
   * For a daemon it resolves with exit code 0 as soon as the daemon runs: at once, or after a handshake when the program is
   * executed. Until then `signal()` and `dispose()` end the daemon, and this settles, in either way, when nothing is left of
   * it; afterwards they leave the daemon alone.
   */
  readonly exited: Promise<ExitStatus>;
  /**
   * Must never throw. `sent: false`: the program is already reaped, or may not be signalled. `reached` says what really got
   * the signal.
   */
  signal(name: SignalName, target: 'process' | 'tree'): { readonly sent: boolean; readonly reached: Reach };
  /** Whether descendants that got a signal to the tree are still alive; left out where the backend cannot know. */
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
  /** If set, core wants only this many bytes from the end of stderr; they count in no limit, and their drain is not awaited. */
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
  /** `false` if another process still held a pipe after the drain, or a limit cut the output. */
  readonly outputComplete: boolean;
  /**
   * Which stream is incomplete if the other one is complete: a character that is cut off at the end of the complete one was
   * written so by the program. Must be left out if both are incomplete.
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
   * Resolves when exec succeeded (with a handshake: when the program is held). Rejects with a `CommandStartError`, and then
   * nothing may be left behind. What the program takes over from this process (environment, directory, descriptors) must be as
   * it was when this was called, even if the backend starts the program later.
   */
  start(plan: LaunchPlan): Promise<ChildHandle>;
  /**
   * Nobody waits for this start any longer: the backend may end it at once. Left out where starting takes no time. Must not
   * throw. {@link start} must still settle, and core disposes of what it resolves with.
   */
  cancelStart?(plan: LaunchPlan): void;
  /** Only with feature `sync`. Throws a `CommandStartError`, and then nothing may be left behind. */
  startAndWaitSync?(plan: LaunchPlan, request: SyncRequest): SyncOutcome;
  /**
   * Only with feature `exec`: this process becomes the program. None of the plan's streams is a pipe, and the group `'auto'`
   * is that of this process. Throws a `CommandStartError`. Only a backend that pretends, as a mock does, may return: core
   * throws the returned error as it is, so that the caller does not go on.
   */
  exec?(plan: LaunchPlan): Error;
  /**
   * Why this backend does not declare a feature: the beginning of the error's message, instead of a list of the backends that
   * have it. `undefined`: core names those backends.
   */
  whyNot?(feature: Feature): string | undefined;
  /** For mocks whose time is virtual. */
  readonly clock?: Clock | undefined;
  /** Ends all programs that the backend has started, and releases what it holds. Idempotent. */
  dispose?(): Promise<void>;
}
