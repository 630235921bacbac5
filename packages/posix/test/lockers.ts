/** Foreign programs that lock pid files, in Python and in C; and a directory for the files. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PidFileError } from '../src/pidfile';

/** What a call throws. */
export function thrown(call: () => unknown): PidFileError {
  try {
    call();
  } catch (error) {
    return error as PidFileError;
  }
  throw new Error('nothing was thrown');
}

const programs = path.join(__dirname, 'programs');

/** A directory that is there for each test, and its files. */
export function pidFiles(): (name?: string) => string {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'vircommand-pidfile-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });
  return (name = 'a.pid') => path.join(directory, name);
}

/** One that runs and has the lock. */
export interface Locker {
  readonly pid: number;
  readonly process: ChildProcess;
  /** When it has ended: by which signal. */
  readonly ended: Promise<NodeJS.Signals | null>;
  readonly end: () => Promise<void>;
}

const running = new Set<Locker>();

/** Ends those that a test has left. */
export async function endLockers(): Promise<void> {
  for (const locker of running) await locker.end();
}

async function started(child: ChildProcess): Promise<Locker> {
  const { stdout, pid } = child;
  const ended = once(child, 'exit').then(([, signal]) => signal as NodeJS.Signals | null);
  const locker: Locker = {
    pid: pid ?? 0,
    process: child,
    ended,
    end: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
  running.add(locker);
  void ended.then(() => running.delete(locker));
  if (stdout === null) throw new Error('no stdout');
  const [line] = (await Promise.race([once(stdout, 'data'), ended.then(() => ['it ended'])])) as [Buffer | string];
  if (line.toString().trimEnd() !== 'locked') throw new Error(`the foreign program could not lock: ${line.toString()}`);
  return locker;
}

interface LockerOptions {
  readonly text?: string;
  readonly kind?: string;
  readonly seconds?: string;
  /** In a process group of its own. */
  readonly detached?: boolean;
}

/** See `programs/locker.py`. */
export function pythonLocker(
  file: string,
  { text = 'self', kind = 'polite', seconds = '1000', detached = false }: LockerOptions = {},
): Promise<Locker> {
  const args = [path.join(programs, 'locker.py'), file, text, kind, seconds];
  return started(spawn('python3', args, { stdio: ['pipe', 'pipe', 'inherit'], detached }));
}

/**
 * A program of a user who may only read the file, and takes a lock for reading: at once, or when whoever has it is gone. Says
 * `locked` before.
 */
export function reader(file: string): Promise<Locker> {
  const script = `
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
print('locked', flush=True)
fcntl.lockf(fd, fcntl.LOCK_SH, 1, 0)
sys.stdin.read()`;
  return locker('python3', ['-c', script, file]);
}

/** Whether a process has a lock for reading, and does not wait for it. */
export const isReader = (pid: number): boolean =>
  new RegExp(`^\\d+: POSIX +ADVISORY +READ ${pid} `, 'm').test(readFileSync('/proc/locks', 'latin1'));

/** Any program that says `locked`. */
export function locker(command: string, args: readonly string[]): Promise<Locker> {
  return started(spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] }));
}

let compiled: string | undefined;

/** `programs/locker.c`, compiled; `undefined`: this machine has no compiler. */
export function compiledLocker(): string | undefined {
  if (compiled !== undefined) return compiled;
  const directory = mkdtempSync(path.join(tmpdir(), 'vircommand-locker-'));
  process.once('exit', () => {
    rmSync(directory, { recursive: true });
  });
  const binary = path.join(directory, 'locker');
  const { status } = spawnSync('cc', ['-O1', '-o', binary, path.join(programs, 'locker.c')], { stdio: 'ignore' });
  return status === 0 ? (compiled = binary) : undefined;
}

/** What a Python program sees of a file: who has it locked (0: nobody), where, and what is in it. */
export function seenFromPython(file: string): string {
  const script = `
import fcntl, os, struct, sys
fd = os.open(sys.argv[1], os.O_RDWR)
asked = fcntl.fcntl(fd, fcntl.F_GETLK, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 1, 0))
kind, whence, start, length, pid = struct.unpack('hhqqi4x', asked)
owner = 'nobody' if kind == fcntl.F_UNLCK else f'pid {pid} from {start} for {length}'
try:
    fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0)
    tried = 'got it'
except OSError:
    tried = 'refused'
print(f'{owner}, {tried}, {os.read(fd, 100).decode()}')`;
  const { stdout, stderr } = spawnSync('python3', ['-c', script, file], { encoding: 'utf8' });
  return stdout.trim() || stderr;
}
