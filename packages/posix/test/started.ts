/** Starts programs below the backend: what the tests of handles and blocking runs have in common. */
import { readdirSync, readFileSync } from 'node:fs';
import type { ChildHandle, LaunchPlan, SyncOutcome, SyncRequest } from '@vircommand/core/backend';
import { makeHandle } from '../src/handle';
import type { Libc } from '../src/libc';
import { waitSync } from '../src/blocking-run';
import { startProcess } from '../src/spawn';
import { planOf } from './plans';

/** A plan with pipes for stdout and stderr, and whatever else is wanted. */
export const planFor = (argv: readonly string[], rest: Partial<LaunchPlan> = {}): LaunchPlan =>
  planOf({
    program: argv[0] ?? '',
    argv,
    stdout: { type: 'pipe' },
    stderr: { type: 'pipe' },
    group: 'group',
    text: argv.join(' '),
    ...rest,
  });

/** The shell, with one script. */
export const shell = (script: string): string[] => ['/bin/sh', '-c', script];

/** All of a stream, by capture. */
export function captured(handle: ChildHandle, stream: 'stdout' | 'stderr' = 'stdout'): Promise<Buffer> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    handle.capture?.(
      stream,
      (chunk) => chunks.push(Buffer.from(chunk)),
      (error) => {
        if (error === undefined) resolve(Buffer.concat(chunks));
        else reject(error);
      },
    );
  });
}

type Bounds = Partial<Omit<SyncRequest, 'limit'>> & { readonly limit?: Partial<SyncRequest['limit']> };

/** Without bounds. */
export const syncRequest: SyncRequest = {
  input: undefined,
  sendBuffers: [],
  timeout: undefined,
  killDelay: 5000,
  drainDelay: 1000,
  stderrTail: undefined,
  limit: { stdout: Infinity, stderr: Infinity, total: Infinity, onExceed: 'kill' },
};

interface Ways {
  readonly start: (argv: readonly string[], rest?: Partial<LaunchPlan>) => ChildHandle;
  readonly runBlocking: (argv: readonly string[], bounds?: Bounds, rest?: Partial<LaunchPlan>) => SyncOutcome;
}

const started = new Set<ChildHandle>();

/** Ends what tests have started and not ended. */
export function disposeStarted(): void {
  for (const handle of started) handle.dispose();
  started.clear();
}

/** Both ways to run, through one libc. */
export const through = (libc: Libc): Ways => ({
  start(argv, rest = {}) {
    const plan = planFor(argv, rest);
    const handle = makeHandle(plan, startProcess(plan, libc), libc);
    started.add(handle);
    return handle;
  },
  runBlocking(argv, { limit, ...bounds } = {}, rest = {}) {
    const plan = planFor(argv, { ...(bounds.input === undefined ? {} : { stdin: { type: 'pipe' } }), ...rest });
    const request: SyncRequest = { ...syncRequest, limit: { ...syncRequest.limit, ...limit }, ...bounds };
    return waitSync(startProcess(plan, libc), request, libc);
  },
});

export const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

/** Of `/proc/PID/stat`; `undefined`: there is none of that number. */
export function statOf(pid: number):
  | {
      /** A letter. */
      readonly state: string | undefined;
      readonly parent: number;
      readonly group: number;
      readonly session: number;
      readonly terminal: number;
    }
  | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, ...numbers] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [parent = 0, group = 0, session = 0, terminal = 0] = numbers.map(Number);
    return { state, parent, group, session, terminal };
  } catch {
    return undefined;
  }
}

export const stateOf = (pid: number): string | undefined => statOf(pid)?.state;

/** Less than a test has, so that it is the test which fails, and nothing goes on after it. */
const patience = 50_000;

/** Waits for a condition, not for a time. */
export async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + patience;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`it never came: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Whether nothing is there that was not there before; what was may have gone meanwhile. */
export const nothingNew = <T>(now: readonly T[], before: readonly T[]): boolean =>
  now.every((each) => before.includes(each));

/** Processes, by their command line, which is unique to one test. */
export function pidsWith(argument: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const words = readFileSync(`/proc/${Number(name)}/cmdline`, 'latin1').split('\0');
      return words.includes(argument) && Number(name) !== process.pid ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}
