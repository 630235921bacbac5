/** Files that a start opens in this process for the program's streams, and closes once the program has them. */
import { closeSync, constants, fstatSync, openSync, readFileSync, statfsSync } from 'node:fs';
import type { LaunchPlan } from '@vircommand/core/backend';
import { startError } from '@vircommand/core/backend';

const flags = {
  read: constants.O_RDONLY,
  write: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC,
  append: constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND,
} as const;
const mode = 0o666;

const names = ['stdin', 'stdout', 'stderr'] as const;
type Name = (typeof names)[number];

// Not to wait for whoever opens the other end of a named pipe, and not to get a terminal that controls us.
const always = process.platform === 'win32' ? 0 : constants.O_NONBLOCK | constants.O_NOCTTY;
/** Of the file system of pipes without a name. */
const pipefsMagic = 0x50495045;

/** An unnamed pipe, opened as `/dev/stdin` for instance, never waits for its other end. */
function isNamedPipe(fd: number, path: string): boolean {
  if (!fstatSync(fd).isFIFO()) return false;
  return process.platform === 'linux'
    ? statfsSync(`/proc/self/fd/${fd}`).type !== pipefsMagic
    : !path.startsWith('/dev/');
}

/** As libuv makes 0, 1 and 2 blocking in the program, nothing of how it was opened is left. */
function openFile(path: string, how: keyof typeof flags): number {
  const fd = openSync(path, flags[how] | always, mode);
  if (how !== 'read' || !isNamedPipe(fd, path)) return fd;
  closeSync(fd);
  const why = 'a named pipe may have no writer yet, and waiting for one would block; open it and give the descriptor';
  throw Object.assign(new Error(`ENXIO: ${why}, open '${path}'`), { code: 'ENXIO', syscall: 'open', path });
}

/**
 * libuv makes the program's 0, 1 and 2 blocking, and that flag belongs to the open file, which the caller still uses.
 * A pipe or device can be opened once more, so that only the program's is changed. A socket cannot: it becomes blocking.
 */
function reopenedIfNonblocking(fd: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const octal = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
    const current = Number.parseInt(octal ?? '0', 8);
    if ((current & constants.O_NONBLOCK) === 0) return undefined;
    const stat = fstatSync(fd);
    if (!stat.isFIFO() && !stat.isCharacterDevice()) return undefined;
    const access = current & (constants.O_RDONLY | constants.O_WRONLY | constants.O_RDWR);
    // Nonblocking, or it would wait for a pipe's other end; libuv takes the flag away.
    return openSync(`/proc/self/fd/${fd}`, access | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined; // Not open (which the start will tell), or another user's.
  }
}

/** Descriptors that are open for one start. */
export class OpenFiles {
  private readonly fds = new Map<Name, number>();

  /** Whether there is anything to do. */
  static needed(plan: LaunchPlan): boolean {
    return names.some((name) => plan[name].type === 'file' || plan[name].type === 'fd');
  }

  /**
   * In the turn of the call, so that everything is what the caller meant.
   *
   * @throws CommandStartError, stage `stdio`.
   */
  static open(plan: LaunchPlan): OpenFiles {
    const files = new OpenFiles();
    for (const name of names) {
      const stream = plan[name];
      if (stream.type !== 'file') continue;
      try {
        files.fds.set(name, openFile(stream.path, stream.mode));
      } catch (error) {
        files.fail(error, stream.path);
      }
    }
    files.reopen(plan);
    return files;
  }

  private reopen(plan: LaunchPlan): void {
    for (const name of names) {
      const stream = plan[name];
      const fd = stream.type === 'fd' ? reopenedIfNonblocking(stream.fd) : undefined;
      if (fd !== undefined) this.fds.set(name, fd);
    }
  }

  private fail(error: unknown, path: string): never {
    this.close();
    throw startError('stdio', error as NodeJS.ErrnoException, path);
  }

  get(name: Name): number | undefined {
    return this.fds.get(name);
  }

  close(): void {
    for (const fd of this.fds.values()) closeSync(fd);
    this.fds.clear();
  }
}
