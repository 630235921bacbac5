/**
 * What an error number of `posix_spawn` means. It names no stage, so the rest is looked up afterwards, when things may have
 * changed: the message says what is likely.
 *
 * EPERM is always exec's here: a program is only ever made the leader of a new group or session, which nothing forbids.
 */
import { accessSync, constants, statSync } from 'node:fs';
import {
  execError,
  planBytes,
  startError,
  type CommandStartError,
  type PlanString,
  type Stage,
} from '@vircommand/core/backend';
import { errno, systemError } from './errno';

/** Not `exec`: clone(2) lacked something, or a file action failed. */
const otherStages: ReadonlyMap<number, readonly [stage: Stage, syscall: string, why: string]> = new Map([
  [errno.EAGAIN, ['fork', 'clone', 'likely the limit of processes: RLIMIT_NPROC, or that of the cgroup']],
  [errno.ENOMEM, ['fork', 'clone', 'likely no memory for another process']],
  [errno.ENOSYS, ['fork', 'clone', 'the kernel or a seccomp filter refuses it']],
  [errno.EBADF, ['stdio', 'dup2', 'likely a descriptor was closed meanwhile, or RLIMIT_NOFILE lowered']],
  [errno.EMFILE, ['stdio', 'dup2', 'likely RLIMIT_NOFILE is too low']],
] satisfies [number, [Stage, string, string]][]);

/** The start error for `posix_spawn`'s error number. */
export function spawnError(number: number, program: PlanString): CommandStartError {
  const other = otherStages.get(number);
  if (other === undefined) return execError(systemError(number, 'execve', shown(program)), program);
  const [stage, syscall, why] = other;
  return startError(stage, systemError(number, syscall, undefined, why));
}

/** The error that an exec of this program would give, as far as one can tell beforehand; `undefined`: likely none. */
export function likelyExecError(program: PlanString): CommandStartError | undefined {
  const file = typeof program === 'string' ? program : planBytes(program);
  try {
    if (!statSync(file).isFile()) return spawnError(errno.EACCES, program);
    accessSync(file, constants.X_OK);
    return undefined;
  } catch (error) {
    return execError(error as NodeJS.ErrnoException, program);
  }
}

const shown = (program: PlanString): string => planBytes(program).toString();
