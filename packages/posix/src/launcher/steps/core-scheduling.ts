/** Whom the program shares a processor core's hardware threads with. */
import { startError, type LaunchPlan } from '@vircommand/core/backend';
import { errno, systemError } from '../../errno';
import type { Libc } from '../../libc';
import { LINUX } from '../../linux';

/** What is wrong, in words; the process that is named in the plan is added to those that are about it. */
const reasons = new Map([
  [errno.EINVAL, 'this kernel has no core scheduling: it needs Linux 5.14, built with CONFIG_SCHED_CORE'],
  [errno.ENODEV, 'no core of this machine has more than one hardware thread'],
]);

/** @throws CommandStartError, stage `core-scheduling` */
export function setCoreScheduling(libc: Libc, { privileged }: Pick<LaunchPlan, 'privileged'>): void {
  const { coreScheduling } = privileged;
  if (coreScheduling === undefined) return;
  const result =
    coreScheduling === 'alone'
      ? libc.prctl(LINUX.PR_SCHED_CORE, LINUX.PR_SCHED_CORE_CREATE, 0, LINUX.PR_SCHED_CORE_SCOPE_THREAD_GROUP, 0)
      : libc.prctl(
          LINUX.PR_SCHED_CORE,
          LINUX.PR_SCHED_CORE_SHARE_FROM,
          coreScheduling.among,
          LINUX.PR_SCHED_CORE_SCOPE_THREAD,
          0,
        );
  if (result >= 0) return;
  const among = coreScheduling === 'alone' ? undefined : `process ${coreScheduling.among}`;
  throw startError(
    'core-scheduling',
    systemError(-result, 'prctl(PR_SCHED_CORE)', undefined, reasons.get(-result) ?? among),
  );
}
