/** Before any start: whether programs may be started, and which file a plan's program is. */
import { planBytes, resolveProgramOf, startError, type LaunchPlan, type PlanString } from '@vircommand/core/backend';
import { nulError } from './errno';

/** The permission model guards `node:child_process` only, so this must not be the hole in it. */
export function checkPermission(): void {
  const permission = process.permission as NodeJS.ProcessPermission | undefined;
  if (permission === undefined || permission.has('child')) return;
  const error: NodeJS.ErrnoException = new Error("the permission model denies it: node needs '--allow-child-process'");
  error.code = 'ERR_ACCESS_DENIED';
  throw startError('fork', error);
}

/** The path of a plan's program. An absolute one is not looked for, so that it costs nothing. */
export function resolvePath(plan: LaunchPlan): PlanString {
  const { program } = plan;
  if (typeof program === 'string' ? program.includes('\0') : planBytes(program).includes(0)) {
    throw startError('exec', nulError('execve'));
  }
  if (typeof program === 'string' && program.startsWith('/')) return program;
  return resolveProgramOf(plan);
}

/** What this process calls its working directory; one that was deleted still has this name. */
export function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return '/proc/self/cwd';
  }
}
