/** The direct way: `posix_spawn` on the calling thread. */
import {
  logLine,
  type ChildHandle,
  type ExitStatus,
  type LaunchPlan,
  type SyncOutcome,
  type SyncRequest,
} from '@vircommand/core/backend';
import { waitSync } from './blocking-run';
import { makeHandle } from './handle';
import type { Libc } from './libc';
import type { Moment } from './moment';
import { execErrorsAreLost, startProcess } from './spawn';

export function startDirectly(plan: LaunchPlan, libc: Libc, moment?: Moment): ChildHandle {
  const handle = makeHandle(plan, startProcess(plan, libc, moment), libc);
  lookAtEnd(handle, libc);
  return handle;
}

export function runDirectly(plan: LaunchPlan, request: SyncRequest, libc: Libc): SyncOutcome {
  const outcome = waitSync(startProcess(plan, libc), request, libc);
  lookAtStatus(outcome, libc);
  return outcome;
}

/** Notices where exec errors are lost. */
export function lookAtEnd(handle: ChildHandle, libc: Libc): void {
  handle.exited.then(
    (status) => {
      lookAtStatus(status, libc);
    },
    () => undefined,
  );
}

function lookAtStatus({ exitCode }: Pick<ExitStatus, 'exitCode'>, libc: Libc): void {
  if (exitCode === 127 && execErrorsAreLost(libc)) {
    logLine('exec errors are lost here (qemu-user?): from now on programs are looked at before they are started');
  }
}
