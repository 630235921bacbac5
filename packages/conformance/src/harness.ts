/** Runs one case: needs, features, the case within its bound, the end of what it started, and the look for leaks. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { performance } from 'node:perf_hooks';
import { inspect, isDeepStrictEqual, types } from 'node:util';
import type { Backend, Feature } from '@vircommand/core/backend';
import { Context, NotChecked } from './context';
import { localPaths } from './instructions';
import { children, leaks, snapshot } from './leaks';
import type { CaseResult, ConformanceCase, ConformanceSubject, Need } from './types';

/** Milliseconds. Only what hangs is ended by it. */
export const caseBound = 30_000;

/** Why a need is not met here, or `undefined` if it is. */
const missing: Readonly<Record<Need, (subject: ConformanceSubject) => string | undefined>> = {
  root: () => (process.getuid?.() === 0 ? undefined : 'needs root'),
  linux: () => (process.platform === 'linux' ? undefined : 'needs Linux'),
  posix: (subject) =>
    process.platform !== 'win32' && existsSync(subject.paths?.shell ?? localPaths.shell)
      ? undefined
      : 'needs a POSIX shell',
  'any-program': (subject) =>
    subject.programs === 'helper-only' ? 'the subject runs the helper program only' : undefined,
};

/** Why a case cannot run with a backend, without running it. */
export function reasonNotToRun(
  subject: ConformanceSubject,
  { needs, requires, without }: ConformanceCase,
  features: Backend['features'],
): { readonly status: 'not-checked' | 'undeclared'; readonly detail: string } | undefined {
  const undeclared = requires.filter((feature) => !features.includes(feature));
  if (undeclared.length > 0) return { status: 'undeclared', detail: `does not declare ${undeclared.join(', ')}` };
  if (without !== undefined && features.includes(without)) {
    return { status: 'undeclared', detail: `declares ${without}` };
  }
  for (const need of needs ?? []) {
    const detail = missing[need](subject);
    if (detail !== undefined) return { status: 'not-checked', detail };
  }
  return undefined;
}

const describeError = (error: unknown): string =>
  types.isNativeError(error) ? (error.stack ?? error.message) : inspect(error);

/** Of the first backend that a subject made. */
interface Warm {
  /** What it declares. */
  readonly features: readonly Feature[];
  /** For the first case that is run. */
  readonly uncaught: unknown[];
}

const warm = new WeakMap<ConformanceSubject, Warm>();

/** Programs, and what Node opens with the first one and keeps, come before the first look. */
async function warmUp(subject: ConformanceSubject, bound: number): Promise<Warm> {
  const known = warm.get(subject);
  if (known !== undefined) return known;
  const strays = new Strays();
  try {
    const backend = await bounded(subject.create(), bound);
    const begun = { features: Array.from(backend.features), uncaught: strays.errors };
    warm.set(subject, begun);
    await firstStarts(subject, backend, bound);
    await strays.told();
    return begun;
  } finally {
    strays.close();
  }
}

async function firstStarts(subject: ConformanceSubject, backend: Backend, bound: number): Promise<void> {
  const context = new Context(subject, backend);
  const ways = [
    () => context.helper('out:x').setOutputBuffer().run(),
    () => context.helper('out:x').setOutputBuffer().setErrorFd('stdout').run(),
    () => context.helper('out:x').setOutputBuffer().runSync(),
    () => context.helper('exit:3').run(),
  ];
  // That they fail is for the cases to tell.
  for (const way of ways) await bounded(Promise.resolve().then(way), bound).catch(() => undefined);
  await bounded(context.close(), bound).catch(() => undefined);
  await bounded(backend.dispose?.(), bound).catch(() => undefined);
}

let ownTemp: string | undefined;

function ownTempDirectory(): string {
  if (ownTemp === undefined || !existsSync(ownTemp)) {
    const directory = mkdtempSync(path.join(tmpdir(), 'conformance-'));
    process.once('exit', () => {
      rmSync(directory, { recursive: true, force: true });
    });
    ownTemp = directory;
  }
  return ownTemp;
}

/** Temporary files of cases are in a directory of their own, so that those which stay can be told from others'. */
function privateTemp(): { readonly directory: string; restore(): void } {
  const directory = ownTempDirectory();
  const before = process.env.TMPDIR;
  process.env.TMPDIR = directory;
  return {
    directory,
    restore() {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
      for (const name of readdirSync(directory)) rmSync(path.join(directory, name), { recursive: true, force: true });
    },
  };
}

/** Errors that nobody caught while a case ran. */
class Strays {
  readonly errors: unknown[] = [];
  private readonly take = (error: unknown): void => {
    this.errors.push(error);
  };

  constructor() {
    process.on('unhandledRejection', this.take).on('uncaughtException', this.take);
  }

  /** That nobody caught an error is known a turn later. */
  told(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  close(): void {
    process.off('unhandledRejection', this.take).off('uncaughtException', this.take);
  }
}

class Hung extends Error {}

/** Within its bound. */
async function bounded<T>(work: T | Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Hung(`hung: not over after ${ms} ms`));
    }, ms);
  });
  try {
    return await Promise.race([work, bound]);
  } finally {
    clearTimeout(timer);
  }
}

/** What is wrong with a case, as sentences; empty if it passed. */
async function problemsOf(
  subject: ConformanceSubject,
  testCase: ConformanceCase,
  { backend, declared, bound }: { backend: Backend; declared: readonly Feature[]; bound: number },
): Promise<string[]> {
  const problems: string[] = [];
  const context = new Context(subject, backend);
  let notChecked: NotChecked | undefined;
  try {
    const running = testCase.run(context);
    // What comes after the bound is nobody's any more.
    running.catch(() => undefined);
    await bounded(running, bound);
  } catch (error) {
    if (error instanceof NotChecked) notChecked = error;
    else problems.push(describeError(error));
  }
  try {
    await bounded(context.close(), bound);
  } catch (error) {
    problems.push(`cleaning up: ${describeError(error)}`);
  }
  if (!isDeepStrictEqual(declared, Array.from(backend.features))) problems.push('its features changed');
  if (problems.length === 0 && notChecked !== undefined) throw notChecked;
  return problems;
}

/** Runs a case with a fresh backend. */
export async function runCase(
  subject: ConformanceSubject,
  testCase: ConformanceCase,
  bound = caseBound,
): Promise<CaseResult> {
  const begun = performance.now();
  const result = (status: CaseResult['status'], detail?: string): CaseResult => ({
    id: testCase.id,
    title: testCase.title,
    status,
    ...(detail === undefined ? {} : { detail }),
    durationMs: Math.round(performance.now() - begun),
  });
  const known = subject.knownFailures?.[testCase.id];
  let problems: string[];
  let temp: ReturnType<typeof privateTemp> | undefined;
  let strays: Strays | undefined;
  try {
    const { features: declared, uncaught } = await warmUp(subject, bound);
    const reason = reasonNotToRun(subject, testCase, declared);
    if (reason !== undefined) return result(reason.status, reason.detail);
    temp = privateTemp();
    const childrenBefore = children();
    strays = new Strays();
    // Its listeners are here, too.
    const before = snapshot(temp.directory);
    const backend = await bounded(subject.create(), bound);
    try {
      problems = await problemsOf(subject, testCase, { backend, declared, bound });
    } finally {
      await bounded(backend.dispose?.(), bound);
    }
    const left = await leaks(before, temp.directory);
    await strays.told();
    for (const error of [...uncaught.splice(0), ...strays.errors])
      problems.push(`nobody caught: ${describeError(error)}`);
    for (const leak of left) problems.push(`left behind: ${leak}`);
    if (problems.length > 0) endChildren(childrenBefore);
  } catch (error) {
    if (error instanceof NotChecked) return result('not-checked', error.message);
    problems = [describeError(error)];
  } finally {
    strays?.close();
    temp?.restore();
  }
  return judged(testCase, problems, known, result);
}

/** What a broken backend left running must not disturb the next case. */
function endChildren(before: readonly number[]): void {
  for (const pid of children()) {
    if (before.includes(pid)) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
}

function judged(
  testCase: ConformanceCase,
  problems: readonly string[],
  known: string | undefined,
  result: (status: CaseResult['status'], detail?: string) => CaseResult,
): CaseResult {
  if (problems.length === 0) {
    return known === undefined
      ? result('passed')
      : result('failed', `passes, but is in knownFailures (${known}): take it out`);
  }
  const detail = `${problems.join('\n')}\nWhy it matters: ${testCase.why}`;
  if (known !== undefined) return result('known', `${known}\n${detail}`);
  return result(testCase.advisory === true ? 'advisory' : 'failed', detail);
}
