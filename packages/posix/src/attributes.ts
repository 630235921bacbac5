/** The attributes of a start: its process group, with every signal at its default and none blocked. */
import { constants } from 'node:fs';
import { startError, type LaunchPlan } from '@vircommand/core/backend';
import { openFile } from './descriptor-set';
import { systemError } from './errno';
import type { Libc } from './libc';
import { LINUX } from './linux';
import { cString, SIZE } from './struct';

/** What the program leads. */
export type Group = 'none' | 'group' | 'session';

const groupFlags: Readonly<Record<Group, number>> = {
  none: 0,
  group: LINUX.POSIX_SPAWN_SETPGROUP,
  session: LINUX.POSIX_SPAWN_SETSID,
};

const devTty = cString('/dev/tty');

/** One `posix_spawnattr_t` for each group: prepared once and used for every start. */
export class Attributes {
  private readonly made: Readonly<Record<Group, Buffer>>;
  private autoGroup: Group | undefined;

  constructor(private readonly libc: Libc) {
    this.made = {
      none: makeAttributes(libc, 'none'),
      group: makeAttributes(libc, 'group'),
      session: makeAttributes(libc, 'session'),
    };
  }

  /** For `posix_spawn`. */
  of(group: Group): Buffer {
    return this.made[group];
  }

  /**
   * The group that a plan asks for. One of its own is ended as a whole; but at a terminal it would be a background job that
   * Ctrl-C does not reach.
   */
  group(asked: LaunchPlan['group']): Group {
    return asked === 'auto' ? (this.autoGroup ??= this.hasTerminal() ? 'none' : 'group') : asked;
  }

  private hasTerminal(): boolean {
    const terminal = openFile(this.libc, devTty, constants.O_RDWR | constants.O_NOCTTY);
    if (terminal < 0) return false;
    this.libc.close(terminal);
    return true;
  }
}

/** Neither libc keeps memory of its own in it. */
function makeAttributes(libc: Libc, group: Group): Buffer {
  const attributes = Buffer.alloc(SIZE.posixSpawnattr);
  const flags = groupFlags[group] | LINUX.POSIX_SPAWN_SETSIGDEF | LINUX.POSIX_SPAWN_SETSIGMASK;
  const results = [
    libc.posix_spawnattr_init(attributes),
    libc.posix_spawnattr_setflags(attributes, flags),
    // Node ignores SIGPIPE and SIGXFSZ, and hands on whatever else it was started with.
    libc.posix_spawnattr_setsigdefault(attributes, Buffer.alloc(SIZE.sigset, 0xff)),
    libc.posix_spawnattr_setsigmask(attributes, Buffer.alloc(SIZE.sigset)),
  ];
  const failed = results.find((result) => result !== 0);
  if (failed !== undefined) throw startError('fork', systemError(failed, 'posix_spawnattr_init'));
  return attributes;
}
