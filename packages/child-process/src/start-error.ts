/** From Node's error to stage, code and the path that is wrong: Node has one error for all that can go wrong in a start. */
import { fstatSync } from 'node:fs';
import type { CommandStartError, LaunchPlan, Stage } from '@vircommand/core/backend';
import { directoryError, execError, startError } from '@vircommand/core/backend';

/** Stages of the errors that can come from one place only. */
const stages: Readonly<Record<string, Stage>> = {
  EAGAIN: 'fork',
  ENOMEM: 'fork',
  EMFILE: 'stdio',
  ENFILE: 'stdio',
  EBADF: 'stdio',
  EPERM: 'privileges',
};

/** A descriptor of the plan that is not open. */
function closedFd(plan: LaunchPlan): number | undefined {
  const streams = [plan.stdin, plan.stdout, plan.stderr].flatMap((stream) => (stream.type === 'fd' ? [stream.fd] : []));
  return [...streams, ...plan.passFds.map(({ fd }) => fd)].find((fd) => {
    try {
      fstatSync(fd);
      return false;
    } catch {
      return true;
    }
  });
}

/** Finds out afterwards what was wrong: a start that succeeds must not pay for it. */
export function diagnose(error: NodeJS.ErrnoException, plan: LaunchPlan, file: string): CommandStartError {
  if (error.code === 'ERR_ACCESS_DENIED') {
    return startError(
      'fork',
      Object.assign(new Error('the permission model of this process forbids it'), { code: error.code }),
    );
  }
  const closed = closedFd(plan);
  if (closed !== undefined) {
    return startError(
      'stdio',
      Object.assign(new Error(`descriptor ${closed} is not open`), { code: 'EBADF', cause: error }),
    );
  }
  const stage = error.code === undefined ? undefined : stages[error.code];
  if (stage === 'privileges' && plan.privileged.uid === undefined && plan.privileged.gid === undefined) {
    return execError(error, file);
  }
  if (stage !== undefined) return startError(stage, error, stage === 'stdio' ? undefined : file);
  return (plan.cwd === undefined ? undefined : directoryError(plan.cwd)) ?? execError(error, file);
}
