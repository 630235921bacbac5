/**
 * From Node's error to stage, code and the path that is wrong. Node has one error for all that can go wrong in a start
 * (a missing directory is reported as a missing program), so what it was is found out afterwards: a start that succeeds
 * pays nothing for it.
 */
import { accessSync, constants, readFileSync } from 'node:fs';
import { constants as os, devNull } from 'node:os';
import {
  directoryError,
  execError,
  startError,
  statDescriptor,
  type CommandStartError,
  type LaunchPlan,
} from '@vircommand/core/backend';
import { forbidden } from './spawn-options';
import { givenFds } from './stdio';

/** Whether this process has a descriptor of that number. */
export function isOpen(fd: number): boolean {
  try {
    statDescriptor(fd);
    return true;
  } catch {
    return false;
  }
}

/** A descriptor of the plan that is not open. */
const closedFd = (plan: LaunchPlan): number | undefined => givenFds(plan).find((fd) => !isOpen(fd));

/**
 * Before anything is opened: the number of a descriptor that is closed would be given to the next one, and the program
 * would start with a pipe of ours that is not meant for it.
 *
 * @throws CommandStartError, stage `stdio`
 */
export function checkOpen(plan: LaunchPlan): void {
  const closed = closedFd(plan);
  if (closed === undefined) return;
  const error = new Error(`EBADF: descriptor ${closed} is not open`);
  throw startError('stdio', Object.assign(error, { code: 'EBADF', errno: -os.errno.EBADF }));
}

/** libuv makes room above the numbers that the program gets, which the limit forbids first. */
function isTooHigh(plan: LaunchPlan): boolean {
  if (process.platform !== 'linux' || plan.passFds.length === 0) return false;
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    return highestFd(plan) + 1 >= Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  } catch {
    return false;
  }
}

const highestFd = ({ passFds }: LaunchPlan): number => Math.max(...passFds.map(({ as }) => as));

function badDescriptor(error: NodeJS.ErrnoException, plan: LaunchPlan): CommandStartError {
  const message = `EBADF: the number ${highestFd(plan)} for a passed descriptor is too high here (RLIMIT_NOFILE)`;
  const { syscall } = error;
  const told = Object.assign(new Error(message, { cause: error }), { code: 'EBADF', errno: -os.errno.EBADF, syscall });
  return startError('stdio', told);
}

/** libuv opens it in the program. */
function nullDeviceError(plan: LaunchPlan): CommandStartError | undefined {
  if (![plan.stdin, plan.stdout, plan.stderr].some(({ type }) => type === 'null')) return undefined;
  try {
    accessSync(devNull, constants.F_OK);
    return undefined;
  } catch (error) {
    return startError('stdio', error as NodeJS.ErrnoException, devNull);
  }
}

type Diagnosis = (
  error: NodeJS.ErrnoException,
  plan: LaunchPlan,
  file: string,
  wrongDirectory: CommandStartError | undefined,
) => CommandStartError;

const fork: Diagnosis = (error) => startError('fork', withoutPath(error));
const noDescriptors: Diagnosis = (error) => startError('stdio', withoutPath(error));

/** libuv's order in the program: descriptors, directory, ids, exec. */
const later: Diagnosis = (error, plan, file, wrongDirectory) =>
  nullDeviceError(plan) ?? wrongDirectory ?? execError(error, file);

const ids: Diagnosis = (error, plan, file, wrongDirectory) => {
  const { uid, gid } = plan.privileged;
  if (uid === undefined && gid === undefined) return later(error, plan, file, wrongDirectory);
  const asked = [uid === undefined ? [] : [`user ${uid}`], gid === undefined ? [] : [`group ${gid}`]].flat();
  const { code = 'EINVAL', errno, syscall } = error;
  // Node's own check, before it tries.
  if (code.startsWith('ERR_')) return startError('privileges', `Node takes ids up to ${2 ** 31 - 1}`);
  const message = `${code}: this process may not start programs as ${asked.join(' and ')}`;
  return startError('privileges', Object.assign(new Error(message, { cause: error }), { code, errno, syscall }));
};

/** Errors of the system that come from one place, and those that come from few. */
const diagnoses: Readonly<Record<string, Diagnosis>> = {
  EAGAIN: fork,
  ENOMEM: fork,
  ENOSYS: fork,
  EMFILE: noDescriptors,
  ENFILE: noDescriptors,
  EBADF: badDescriptor,
  EPERM: ids,
  EINVAL: (error, plan, ...rest) => (isTooHigh(plan) ? badDescriptor(error, plan) : ids(error, plan, ...rest)),
  ERR_INVALID_ARG_TYPE: ids,
  ERR_OUT_OF_RANGE: ids,
  ERR_ACCESS_DENIED: (error) => forbidden(error),
};

/** Node names the program in every error. */
function withoutPath({ message, code, errno, syscall }: NodeJS.ErrnoException): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code, errno, syscall });
}

/**
 * Tells what was wrong with a start that Node refuses. To be asked for in the turn of the start: a relative directory is looked for
 * where this process is, which may be elsewhere when Node says its error.
 */
export function diagnosisOf(plan: LaunchPlan, file: string): (error: NodeJS.ErrnoException) => CommandStartError {
  const wrongDirectory = plan.cwd === undefined ? undefined : directoryError(plan.cwd);
  return (error) => {
    // Node's error has the arguments, and it becomes the cause of ours: secrets must not be shown with it.
    Reflect.deleteProperty(error, 'spawnargs');
    const diagnosis = Object.hasOwn(diagnoses, error.code ?? '') ? diagnoses[error.code ?? ''] : undefined;
    return (diagnosis ?? later)(error, plan, file, wrongDirectory);
  };
}
