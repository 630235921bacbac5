/** A complete small backend over `node:child_process`: the good one, which the broken ones are made of. */
import { execFileSync, spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { closeSync, constants, fstatSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import {
  CommandStartError,
  directoryError,
  execError,
  openAgain,
  planBytes,
  resolveProgramOf,
  signalNumber,
  startError,
  type Backend,
  type ChildHandle,
  type ExitStatus,
  type Feature,
  type LaunchPlan,
  type PlanString,
  type Stage,
  type SyncOutcome,
  type SyncRequest,
} from '@vircommand/core/backend';

const features: readonly Feature[] = Object.freeze([
  'argv0',
  'cwd',
  'sync',
  'fd-stdio',
  'file-stdio',
  'pass-fd',
  'merged-output',
  'nonblocking-fds',
  'session',
  'local-pid',
]);

const text = (value: PlanString): string => (typeof value === 'string' ? value : planBytes(value).toString());
const programOf = (plan: LaunchPlan): string => text(resolveProgramOf(plan));

/** What `spawn()` and `spawnSync()` both take. Without prototypes: a variable may be called `__proto__`. */
function optionsOf(plan: LaunchPlan, file: string): SpawnOptions {
  // Named, since jest has its own one, which is what its tests see and change.
  let env = process.env;
  if (plan.env !== 'inherit') {
    env = Object.create(null) as NodeJS.ProcessEnv;
    // Or Node adds its own.
    env.NODE_V8_COVERAGE = undefined;
    for (const [name, value] of plan.env) env[name] = text(value);
  }
  return { argv0: text(plan.argv[0] ?? file), cwd: plan.cwd, env, detached: plan.group === 'session' };
}

const fileFlags = {
  read: constants.O_RDONLY,
  write: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC,
  append: constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND,
} as const;

/** Descriptors that this process needs for one start. */
class Fds {
  private readonly open = new Set<number>();

  file(name: string, flags: number): number {
    try {
      const fd = openSync(name, flags, 0o666);
      this.open.add(fd);
      return fd;
    } catch (error) {
      throw startError('stdio', error as NodeJS.ErrnoException, name);
    }
  }

  /**
   * libuv makes the program's 0, 1 and 2 blocking, and that flag belongs to the open file. A pipe can be opened again, so
   * that the caller's stays what it is.
   */
  callers(fd: number): number {
    const flags = parseInt(/^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '0', 8);
    const again = (flags & constants.O_NONBLOCK) === 0 ? undefined : openAgain(fd, flags);
    if (again !== undefined) this.open.add(again);
    return again ?? fd;
  }

  /** With too few, Node's `spawn()` fails, and keeps the pipes that it made. */
  checkRoom(): void {
    const room = new Fds();
    try {
      for (let count = 0; count < 12; count++) room.file('/dev/null', constants.O_RDONLY);
    } finally {
      room.close();
    }
  }

  /** Makes something in a directory that is gone when it is open. */
  unnamed<T>(make: (file: string) => T): T {
    const directory = mkdtempSync(path.join(tmpdir(), 'good-'));
    try {
      return make(path.join(directory, 'x'));
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  /** A named pipe is what a shell can make and Node can open: both ends, the reading one not to be closed here. */
  pipe(): { readonly read: number; readonly write: number } {
    return this.unnamed((fifo) => {
      execFileSync('mkfifo', [fifo]);
      const read = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
      return { read, write: this.file(fifo, constants.O_WRONLY) };
    });
  }

  close(): void {
    for (const fd of this.open) closeSync(fd);
    this.open.clear();
  }
}

type Stdio = ('ignore' | 'pipe' | number)[];

/** `merged`: where both outputs go, if they go to one pipe. */
function stdioOf(plan: LaunchPlan, fds: Fds, merged: number | undefined): Stdio {
  const entry = (stream: LaunchPlan['stdin']): Stdio[number] => {
    if (stream.type === 'pipe') return 'pipe';
    if (stream.type === 'file') return fds.file(stream.path, fileFlags[stream.mode]);
    return stream.type === 'fd' ? fds.callers(stream.fd) : 'ignore';
  };
  const stdout = merged ?? entry(plan.stdout);
  const stdio = [entry(plan.stdin), stdout, plan.stderr.type === 'same-as-stdout' ? stdout : entry(plan.stderr)];
  for (const { fd, as } of plan.passFds) {
    while (stdio.length <= as) stdio.push('ignore');
    stdio[as] = fd;
  }
  return stdio;
}

const isMerged = (plan: LaunchPlan): boolean => plan.stderr.type === 'same-as-stdout' && plan.stdout.type === 'pipe';

const stages: Readonly<Record<string, Stage>> = {
  EBADF: 'stdio',
  EMFILE: 'stdio',
  ENFILE: 'stdio',
  EAGAIN: 'fork',
  ENOMEM: 'fork',
};

/** Node has one error for a start, whatever was wrong. */
function diagnose(whole: NodeJS.ErrnoException, file: string, wrongDirectory?: CommandStartError): CommandStartError {
  // Node puts the arguments into it, which may be secrets.
  const { message, code, errno, syscall } = whole;
  const error = Object.assign(new Error(message), { code, errno, syscall });
  const stage = stages[error.code ?? ''];
  if (stage !== undefined) return startError(stage, error);
  return wrongDirectory ?? execError(error, file);
}

const startErrorOf = (error: unknown, file: string, wrongDirectory?: CommandStartError): CommandStartError =>
  error instanceof CommandStartError ? error : diagnose(error as NodeJS.ErrnoException, file, wrongDirectory);

const wrongDirectoryOf = ({ cwd }: LaunchPlan): CommandStartError | undefined =>
  cwd === undefined ? undefined : directoryError(cwd);

/** libuv does not say which descriptor is wrong, and says it late. */
function checkFds(plan: LaunchPlan): void {
  const streams = [plan.stdin, plan.stdout, plan.stderr].flatMap((stream) => (stream.type === 'fd' ? [stream.fd] : []));
  for (const fd of [...streams, ...plan.passFds.map((passed) => passed.fd)]) {
    try {
      fstatSync(fd);
    } catch (error) {
      throw startError('stdio', error as NodeJS.ErrnoException);
    }
  }
}

/** What the system takes for no program, libuv hands to a shell. */
function checkFormat(file: string): void {
  let start: Buffer;
  try {
    const fd = openSync(file, 'r');
    try {
      start = Buffer.alloc(4);
      readSync(fd, start);
    } finally {
      closeSync(fd);
    }
  } catch {
    return; // That it cannot be read need not matter.
  }
  if (start.toString('latin1') === '\x7fELF' || start.toString('latin1').startsWith('#!')) return;
  throw Object.assign(new Error('ENOEXEC: no program'), { code: 'ENOEXEC' });
}

const statusOf = (code: number | null, signal: NodeJS.Signals | null): ExitStatus => ({
  exitCode: code ?? undefined,
  signal: signal ?? undefined,
  coreDumped: undefined,
  usage: undefined,
});

function handleOf(child: ChildProcess, plan: LaunchPlan, merged: Socket | undefined): ChildHandle {
  const { pid, stdin, stdout, stderr } = child;
  // Node throws away at the exit what nobody has read; not from streams that it does not see.
  Object.assign(child, { stdin: null, stdout: null, stderr: null, stdio: [] });
  const group = plan.group === 'session';
  const handle: ChildHandle = {
    pid,
    stdin: stdin ?? undefined,
    stdout: merged ?? stdout ?? undefined,
    stderr: stderr ?? undefined,
    exited: new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(statusOf(code, signal)));
    }),
    signal(name, target) {
      const reached = group && target === 'tree' ? 'group' : 'process';
      const number = signalNumber(name);
      const over = child.exitCode !== null || child.signalCode !== null;
      if (over || number === undefined || pid === undefined) return { sent: false, reached };
      try {
        process.kill(reached === 'group' ? -pid : pid, number);
        return { sent: true, reached };
      } catch {
        return { sent: false, reached };
      }
    },
    dispose() {
      handle.signal('SIGKILL', 'tree');
      for (const stream of [handle.stdin, handle.stdout, handle.stderr]) stream?.destroy();
    },
  };
  return handle;
}

async function start(plan: LaunchPlan): Promise<ChildHandle> {
  const file = programOf(plan);
  // Node tells of it in a later turn, when this process may be elsewhere.
  const wrongDirectory = wrongDirectoryOf(plan);
  checkFds(plan);
  const fds = new Fds();
  let merged: Socket | undefined;
  try {
    const pipe = isMerged(plan) ? fds.pipe() : undefined;
    if (pipe !== undefined) merged = new Socket({ fd: pipe.read, readable: true, writable: false });
    const stdio = stdioOf(plan, fds, pipe?.write);
    checkFormat(file);
    fds.checkRoom();
    const child = spawn(file, plan.argv.slice(1).map(text), { ...optionsOf(plan, file), stdio });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.on('error', (error) => {
        for (const stream of child.pid === undefined ? child.stdio : []) stream?.destroy();
        reject(error);
      });
    });
    return handleOf(child, plan, merged);
  } catch (error) {
    merged?.destroy();
    throw startErrorOf(error, file, wrongDirectory);
  } finally {
    fds.close();
  }
}

/** Everything in it, or the last so many bytes. */
function contentOf(fd: number, most = Infinity): Buffer {
  const { size } = fstatSync(fd);
  const bytes = Buffer.alloc(Math.min(size, most));
  readSync(fd, bytes, 0, bytes.length, size - bytes.length);
  return bytes;
}

function startAndWaitSync(plan: LaunchPlan, { input, stderrTail }: SyncRequest): SyncOutcome {
  const file = programOf(plan);
  checkFds(plan);
  const fds = new Fds();
  const unnamed = (): number =>
    fds.unnamed((name) => fds.file(name, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND));
  try {
    const merged = isMerged(plan) ? unnamed() : undefined;
    const stdio = stdioOf(plan, fds, merged);
    // The end of a pipe would be awaited, and somebody else may hold it.
    const tail = stderrTail === undefined || stdio[2] !== 'pipe' ? undefined : unnamed();
    if (tail !== undefined) stdio[2] = tail;
    checkFormat(file);
    const { pid, status, signal, error, ...output } = spawnSync(file, plan.argv.slice(1).map(text), {
      ...(optionsOf(plan, file) as object),
      stdio,
      maxBuffer: Infinity,
      ...(stdio[0] === 'pipe' ? { input: input ?? Buffer.alloc(0) } : {}),
    });
    // EPIPE: it did not read its stdin.
    if (error !== undefined && pid === 0) throw error;
    const piped = (stream: Buffer | null): Buffer | undefined => stream ?? undefined;
    return {
      ...statusOf(status, signal),
      pid,
      stdout: merged === undefined ? piped(output.stdout) : contentOf(merged),
      stderr: tail === undefined ? piped(output.stderr) : contentOf(tail, stderrTail),
      ending: 'exit',
      outputComplete: true,
      ended: 'none',
    };
  } catch (error) {
    throw startErrorOf(error, file, wrongDirectoryOf(plan));
  } finally {
    fds.close();
  }
}

/** A backend that keeps every promise. */
export const goodBackend = (): Backend => ({ contract: 1, name: 'good', features, start, startAndWaitSync });
