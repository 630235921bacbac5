/** The file actions of a start, in one `posix_spawn_file_actions_t` that is used again. */
import { constants, readdirSync } from 'node:fs';
import { startError } from '@vircommand/core/backend';
import { arrange, type ActionSink, type Move } from './descriptors';
import { errno, systemError } from './errno';
import type { Libc } from './libc';
import { LINUX } from './linux';
import { SIZE } from './struct';

type Stdio = readonly [number, number, number];

export class FileActions implements ActionSink {
  /** For `posix_spawn`. */
  readonly buffer = Buffer.alloc(SIZE.posixSpawnFileActions);
  /** It holds memory of libc's. */
  private filled = false;
  /** It holds exactly what these need. */
  private ready: Stdio | undefined;
  private readonly hasCloseFrom: boolean;

  constructor(private readonly libc: Libc) {
    this.hasCloseFrom = libc.has('posix_spawn_file_actions_addclosefrom_np');
  }

  /**
   * @param cwd a descriptor of the working directory; -1: that of this process
   * @throws CommandStartError, stage `stdio`
   */
  fill(stdio: Stdio, others: readonly Move[], cwd: number): void {
    const { ready, libc, buffer } = this;
    const usual = others.length === 0 && cwd < 0;
    // One start after the other mostly gets the same numbers from the kernel.
    if (usual && ready?.[0] === stdio[0] && ready[1] === stdio[1] && ready[2] === stdio[2]) return;
    this.ready = undefined;
    if (this.filled) libc.posix_spawn_file_actions_destroy(buffer);
    this.filled = false;
    this.check(libc.posix_spawn_file_actions_init(buffer), -1);
    this.filled = true;
    if (cwd >= 0) this.check(libc.posix_spawn_file_actions_addfchdir_np(buffer, cwd), cwd);
    arrange(stdio, others, this);
    if (usual && this.hasCloseFrom) this.ready = stdio;
  }

  /**
   * What the program waits for before it is executed: opening the one path blocks until it may go on, opening the other says
   * whether it may. Everything else is done before.
   *
   * @param fd a number that is not used
   */
  hold(fd: number, lease: Buffer, token: Buffer): void {
    const { libc, buffer } = this;
    this.ready = undefined;
    this.check(libc.posix_spawn_file_actions_addopen(buffer, fd, lease, constants.O_WRONLY, 0), fd);
    this.check(libc.posix_spawn_file_actions_addopen(buffer, fd, token, LINUX.O_DIRECTORY, 0), fd);
    this.check(libc.posix_spawn_file_actions_addclose(buffer, fd), fd);
  }

  dup2(source: number, target: number): void {
    const result = this.libc.posix_spawn_file_actions_adddup2(this.buffer, source, target);
    this.check(result, Math.max(source, target));
  }

  close(fd: number): void {
    const result = this.libc.posix_spawn_file_actions_addclose(this.buffer, fd);
    // glibc takes no numbers above the limit; where it has no closefrom either, those cannot be closed.
    if (result !== errno.EBADF) this.check(result, fd);
  }

  closeFrom(lowest: number): void {
    if (this.hasCloseFrom) {
      this.check(this.libc.posix_spawn_file_actions_addclosefrom_np(this.buffer, lowest), lowest);
      return;
    }
    for (const fd of openDescriptors()) if (fd >= lowest) this.close(fd);
  }

  private check(result: number, fd: number): void {
    if (result !== 0) throw actionError(result, fd);
  }
}

/** Why a descriptor cannot have, or be moved to, this number. */
export function actionError(number: number, fd: number): Error {
  const why = number === errno.EBADF ? `${fd} is no number below RLIMIT_NOFILE` : undefined;
  return startError('stdio', systemError(number, 'dup2', undefined, why));
}

export function openDescriptors(): number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number);
  } catch {
    // No /proc, or no descriptor for it: the numbers that are likely.
    return Array.from({ length: 1024 }, (_, fd) => fd);
  }
}
