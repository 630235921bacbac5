/** What changes the rights of a process, in the only order in which each of them is still allowed; libvirt's. */
import type { LaunchPlan } from '@vircommand/core/backend';
import type { Libc } from '../../libc';
import { setCoreScheduling } from './core-scheduling';
import { enterDirectory } from './directory';
import { setLabels } from './labels';
import { setPrivileges } from './privileges';

/** @throws CommandStartError. What came before the stage that failed has been done. */
export function changeRights(libc: Libc, plan: Pick<LaunchPlan, 'privileged' | 'cwd'>): void {
  setLabels(plan);
  setCoreScheduling(libc, plan);
  setPrivileges(libc, plan);
  if (plan.cwd !== undefined) enterDirectory(plan.cwd);
}
