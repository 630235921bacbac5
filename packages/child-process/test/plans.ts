/** Plans made by hand, and what a test looks at before and after. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import type { Readable } from 'node:stream';
import type { LaunchPlan, SyncRequest } from '@vircommand/core/backend';

// With its first stream libuv opens a descriptor to spare, and keeps it: it is there before the first look.
connect('/no/such/socket').on('error', () => undefined);

/** A plan with the safe defaults and what the test cares for. */
export function planOf(argv: readonly string[], overrides: Partial<LaunchPlan> = {}): LaunchPlan {
  return {
    contract: 1,
    requires: [],
    program: argv[0] ?? '',
    argv,
    env: 'inherit',
    cwd: undefined,
    stdin: { type: 'null' },
    stdout: { type: 'null' },
    stderr: { type: 'null' },
    passFds: [],
    sendBuffers: [],
    group: 'auto',
    privileged: {},
    pidFile: undefined,
    daemon: false,
    handshake: false,
    preExecHook: undefined,
    killOnParentExit: false,
    secret: { argv: [], env: [] },
    text: argv.join(' '),
    ...overrides,
  };
}

/** A request without limits. */
export function requestOf(overrides: Partial<SyncRequest> = {}): SyncRequest {
  return {
    input: undefined,
    sendBuffers: [],
    timeout: undefined,
    killDelay: 5000,
    drainDelay: 1000,
    limit: { stdout: Infinity, stderr: Infinity, total: Infinity, onExceed: 'kill' },
    stderrTail: undefined,
    ...overrides,
  };
}

export const pipe = { type: 'pipe' } as const;

/** All that a stream still has. */
export async function bytesOf(stream: Readable | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export const textOf = async (stream: Readable | undefined): Promise<string> => (await bytesOf(stream)).toString();

/** Waits for a condition, not for a time. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const giveUp = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > giveUp) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What Node does of itself after an exit, it has done by then. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** The error of what must fail. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

export function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

/** State of a process, `undefined`: there is none. `Z` is a zombie. */
function stateOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2)[0];
  } catch {
    return undefined;
  }
}

/** Ends who told his number. No number would be 0, which is the group of this process. */
export function end(told: string | number | undefined): void {
  const pid = Number(told);
  if (!(pid > 1)) throw new Error(`nobody has the number '${told}'`);
  process.kill(pid, 'SIGKILL');
}

export const isAlive = (pid: number): boolean => !['Z', 'X', undefined].includes(stateOf(pid));

/** What this process has open, and its children: what a start may not leave behind. */
export function holdings(): string[] {
  const fds = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const link = readlinkSync(`/proc/self/fd/${fd}`);
      return link.startsWith('/proc/') ? [] : [`${fd} ${link}`];
    } catch {
      return []; // The directory that is being read.
    }
  });
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').trim();
  return [...fds, `children ${children}`, `exit listeners ${process.listenerCount('exit')}`];
}

/** Sockets are closed a turn after they are destroyed. */
export async function unchanged(before: readonly string[]): Promise<void> {
  const wanted = before.join('\n');
  await until(
    () => holdings().join('\n') === wanted,
    `all is as before:\n${wanted}\nbut now\n${holdings().join('\n')}`,
  );
}
