/** Files that a start opens in this process for the program's streams, and closes once the program has them. */
import { closeSync, readFileSync } from 'node:fs';
import { openAgain, openStreamFile, type LaunchPlan } from '@vircommand/core/backend';

const names = ['stdin', 'stdout', 'stderr'] as const;
type Name = (typeof names)[number];

/**
 * libuv makes the program's 0, 1 and 2 blocking, so of what is opened here only the program's is changed. What cannot be opened
 * again becomes blocking for the caller too.
 */
function openedAgain(fd: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  let octal: string | undefined;
  try {
    octal = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
  } catch {
    return undefined; // Not open, which the start will tell.
  }
  return openAgain(fd, Number.parseInt(octal ?? '0', 8));
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
        files.fds.set(name, openStreamFile(stream));
      } catch (error) {
        files.close();
        throw error;
      }
    }
    files.reopen(plan);
    return files;
  }

  private reopen(plan: LaunchPlan): void {
    for (const name of names) {
      const stream = plan[name];
      const fd = stream.type === 'fd' ? openedAgain(stream.fd) : undefined;
      if (fd !== undefined) this.fds.set(name, fd);
    }
  }

  get(name: Name): number | undefined {
    return this.fds.get(name);
  }

  close(): void {
    for (const fd of this.fds.values()) closeSync(fd);
    this.fds.clear();
  }
}
