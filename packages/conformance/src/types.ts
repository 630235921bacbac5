/** The vocabulary of the suite: subjects, cases, what a case may use, and what comes out. */
import type { Command, CommandConstructor, CommandStartError, Stage } from '@vircommand/core';
import type { Backend, ChildHandle, Feature, LaunchPlan } from '@vircommand/core/backend';
import type { ProgramPaths } from './instructions';

/** A backend to be tested: all that a third party writes. */
export interface ConformanceSubject {
  /** For titles and the report. */
  readonly name: string;
  /** A backend for one case. The suite disposes it, so a backend that is one object for all must survive its `dispose()`. */
  create(): Backend | Promise<Backend>;
  /** Case id to reason: reported as known; fails when the case starts to pass. */
  readonly knownFailures?: Readonly<Record<string, string>> | undefined;
  /**
   * `'any'` (default): it runs every program. `'helper-only'`: it answers as the helper program would (see
   * {@link ProgramPaths} and the instructions), so cases with other programs are not checked.
   */
  readonly programs?: 'any' | 'helper-only' | undefined;
  /** Where the programs under test are, if the backend starts programs elsewhere. */
  readonly paths?: Partial<ProgramPaths> | undefined;
}

/** What a case needs of the machine and the subject, besides features. */
export type Need = 'root' | 'linux' | 'posix' | 'any-program';

/** One promise of the contract, and how to see that it is kept. */
export interface ConformanceCase {
  /** `group.name`; it never changes. */
  readonly id: string;
  /** What is so where the case passes. */
  readonly title: string;
  /** What breaks for users where this does not hold. Printed with every failure. */
  readonly why: string;
  /** Run only if all are declared; the first one is what the case proves. */
  readonly requires: readonly Feature[];
  /** What the machine or the subject must have besides. */
  readonly needs?: readonly Need[] | undefined;
  /** The version of the contract that brought it. */
  readonly since: number;
  /** Reported, not failing, until the next version of the contract. */
  readonly advisory?: boolean | undefined;
  /** Set on generated cases that prove the absence of a feature: run only if it is not declared. */
  readonly without?: Feature | undefined;
  /** Rejects if the promise is not kept. */
  run(t: CaseContext): Promise<void>;
}

/** What a case may use. Everything it opens here is closed by the harness. */
export interface CaseContext {
  /** As the subject made it. */
  readonly backend: Backend;
  /** Bound to the backend. */
  readonly Command: CommandConstructor;
  /** What is tested. */
  readonly subject: ConformanceSubject;
  /** How often a program was started, or was tried to be. */
  readonly starts: number;
  /** The program under test, told what to do. */
  helper(...instructions: string[]): Command;
  /** Whether the backend declares a feature. */
  has(feature: Feature): boolean;
  /** Two ends of a pipe; `'read'` or `'write'` can be closed early with `closeFd()`. */
  pipe(): { readonly read: number; readonly write: number };
  /** Closes a descriptor that was opened here. */
  closeFd(fd: number): void;
  /** Somebody else closes the descriptor. */
  giveAway(fd: number): number;
  /** Everything that comes out of a descriptor until its end. */
  readAll(fd: number): Promise<Buffer>;
  /** A new directory. */
  tempDir(): string;
  /** Called after the case, the last one first. */
  cleanup(fn: () => void | Promise<void>): void;
  /** Expects a start that fails, at this stage, with this code and because of this path, as far as they are said. */
  rejectsStart(
    run: Promise<unknown> | (() => unknown),
    expected: {
      readonly stage: Stage | readonly Stage[];
      readonly code?: string | undefined;
      readonly path?: string | undefined;
    },
  ): Promise<CommandStartError>;
  /** The plan that core would hand to the backend. Nothing is started. */
  planOf(command: Command): Promise<LaunchPlan>;
  /** Starts a plan without core; disposed by the harness. */
  start(plan: LaunchPlan): Promise<ChildHandle>;
  /** Waits for a condition; fails if it does not come. */
  until(what: string, condition: () => boolean | Promise<boolean>): Promise<void>;
  /** Whether a process of this machine runs (a zombie does not). */
  alive(pid: number): boolean;
  /** Ends the case as not checked. */
  notChecked(reason: string): never;
}

/** What became of a case. */
export type CaseStatus = 'passed' | 'failed' | 'undeclared' | 'not-checked' | 'known' | 'advisory';

/** A case, and what became of it. */
export interface CaseResult {
  /** Of the case. */
  readonly id: string;
  /** Of the case. */
  readonly title: string;
  /** What became of it. */
  readonly status: CaseStatus;
  /** Why it failed or was not checked. */
  readonly detail?: string | undefined;
  /** Milliseconds. */
  readonly durationMs: number;
}

/**
 * What is known of a feature:
 * - `supported`: declared, and its cases pass.
 * - `refused`: not declared, and asking for it fails before anything is started.
 * - `lie`: declared, but refused, ignored or done wrong.
 * - `hidden`: not declared, but it works: declare it or refuse it.
 * - `absent`: not declared, and results do not pretend; it can only be observed, so there is nothing to refuse.
 * - `not-checked`: this machine cannot show it.
 */
export type Outcome = 'supported' | 'refused' | 'lie' | 'hidden' | 'absent' | 'not-checked';

/** All that the suite has found out about a backend. */
export interface ConformanceReport {
  /** Name of the subject. */
  readonly subject: string;
  /** Name of the backend. */
  readonly backend: string;
  /** The version of the contract. */
  readonly contract: 1;
  /** No case failed and no feature is a lie or hidden. */
  readonly ok: boolean;
  /** What is known of each feature. */
  readonly features: Readonly<Record<Feature, Outcome>>;
  /** Every case, in order. */
  readonly cases: readonly CaseResult[];
  /** Milliseconds. */
  readonly durationMs: number;
}

/** How to register cases with a test runner. */
export interface TestAdapter {
  /** Groups what `body` registers. */
  describe(title: string, body: () => void): void;
  /** `body` may call `skip` and return, where the runner can skip a test that runs. */
  it(title: string, body: (skip: (reason: string) => void) => Promise<void>, options: TestOptions): void;
}
/** Of one test. */
export interface TestOptions {
  /** Milliseconds. */
  readonly timeout: number;
  /** Known not to run, and why. */
  readonly skip?: string | undefined;
}
