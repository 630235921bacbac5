/** A process group or a session of this process's own, if a plan says so. */
import { startError, type LaunchPlan } from '@vircommand/core/backend';
import { errno, systemError } from '../errno';
import type { Libc } from '../libc';
import { LINUX } from '../linux';

/** @throws CommandStartError, stage `process-group` */
export function setGroup({ group }: Pick<LaunchPlan, 'group'>, libc: Libc): void {
  if (group === 'session') {
    const result = libc.syscall(LINUX.SYS_setsid, 0, 0, 0, 0, 0);
    if (result >= 0) return;
    const leads =
      'this process leads a process group, as what a shell starts does, and such a process can have no session';
    throw startError(
      'process-group',
      systemError(-result, 'setsid', undefined, result === -errno.EPERM ? leads : undefined),
    );
  }
  if (group !== 'group' || libc.getpgid(0) === process.pid) return;
  const result = libc.syscall(LINUX.SYS_setpgid, 0, 0, 0, 0, 0);
  if (result < 0) throw startError('process-group', systemError(-result, 'setpgid'));
}
