/** Files that a start opens in this process for the program's streams, and closes once the program has them. */
import { closeSync, constants, fstatSync, open, openSync, readFileSync } from 'node:fs';
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

const openAsync = (path: string, flag: number): Promise<number> =>
  new Promise((resolve, reject) => {
    open(path, flag, mode, (error, fd) => {
      if (error === null) resolve(fd);
      else reject(error);
    });
  });

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

  /** Off the event loop, since opening a named pipe waits for its other end. @throws CommandStartError, stage `stdio`. */
  static async open(plan: LaunchPlan): Promise<OpenFiles> {
    const files = new OpenFiles();
    for (const name of names) {
      const stream = plan[name];
      if (stream.type === 'file') {
        try {
          files.fds.set(name, await openAsync(stream.path, flags[stream.mode]));
        } catch (error) {
          files.fail(error, stream.path);
        }
      }
    }
    // Last, so that the caller's descriptors are looked at in the same turn as they are used.
    files.reopen(plan);
    return files;
  }

  /** @throws CommandStartError, stage `stdio`. */
  static openSync(plan: LaunchPlan): OpenFiles {
    const files = new OpenFiles();
    for (const name of names) {
      const stream = plan[name];
      if (stream.type !== 'file') continue;
      try {
        files.fds.set(name, openSync(stream.path, flags[stream.mode], mode));
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
