/** Files that a plan names for the program's streams: opened in the parent, closed once the program has them. */
import { closeSync, constants, open, openSync } from 'node:fs';
import { promisify } from 'node:util';
import type { LaunchPlan, PlanStream } from '@vircommand/core/backend';
import { startError } from '@vircommand/core/backend';

const flags = {
  read: constants.O_RDONLY,
  write: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC,
  append: constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND,
} as const;
const mode = 0o666;
const openAsync = promisify(open);

type Name = 'stdin' | 'stdout' | 'stderr';
type FileStream = Extract<PlanStream, { type: 'file' }>;

const filesOf = (plan: LaunchPlan): (readonly [Name, FileStream])[] =>
  (['stdin', 'stdout', 'stderr'] as const).flatMap((name) => {
    const stream = plan[name];
    return stream.type === 'file' ? [[name, stream] as const] : [];
  });

/** Descriptors that are open for one start. */
export class OpenFiles {
  private readonly fds = new Map<Name, number>();

  /** Off the event loop: opening a named pipe waits for its other end. @throws CommandStartError, stage `stdio`. */
  static async open(plan: LaunchPlan): Promise<OpenFiles> {
    const files = new OpenFiles();
    for (const [name, file] of filesOf(plan)) {
      try {
        files.fds.set(name, await openAsync(file.path, flags[file.mode], mode));
      } catch (error) {
        files.close();
        throw startError('stdio', error as NodeJS.ErrnoException, file.path);
      }
    }
    return files;
  }

  /** @throws CommandStartError, stage `stdio`. */
  static openSync(plan: LaunchPlan): OpenFiles {
    const files = new OpenFiles();
    for (const [name, file] of filesOf(plan)) {
      try {
        files.fds.set(name, openSync(file.path, flags[file.mode], mode));
      } catch (error) {
        files.close();
        throw startError('stdio', error as NodeJS.ErrnoException, file.path);
      }
    }
    return files;
  }

  static needed(plan: LaunchPlan): boolean {
    return plan.stdin.type === 'file' || plan.stdout.type === 'file' || plan.stderr.type === 'file';
  }

  get(name: Name): number | undefined {
    return this.fds.get(name);
  }

  close(): void {
    for (const fd of this.fds.values()) closeSync(fd);
    this.fds.clear();
  }
}
