/** The mask of the files that the program creates. */
import type { LaunchPlan } from '@vircommand/core/backend';
import type { Libc } from '../../libc';

/** Cannot fail. 0 is a mask as any other. */
export function setUmask(libc: Libc, { privileged: { umask } }: Pick<LaunchPlan, 'privileged'>): void {
  if (umask !== undefined) libc.umask(umask);
}
