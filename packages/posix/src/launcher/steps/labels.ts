/** The SELinux label or the AppArmor profile that the next `execve` of this thread takes, through the kernel's own files. */
import { closeSync, constants, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { startError, type LaunchPlan } from '@vircommand/core/backend';
import { errno, systemError } from '../../errno';

/** The kernel's files. */
export const LABEL_FILES = {
  /** `1`: enforcing, `0`: permissive; there only if SELinux is active. */
  selinuxEnforce: '/sys/fs/selinux/enforce',
  selinuxExec: '/proc/thread-self/attr/exec',
  /** `Y` if AppArmor is active. */
  appArmorEnabled: '/sys/module/apparmor/parameters/enabled',
  /** Linux 5.8 and later, where the file below may be another module's. */
  appArmorExec: '/proc/thread-self/attr/apparmor/exec',
  appArmorOldExec: '/proc/thread-self/attr/exec',
};

/** @throws CommandStartError, stage `label` */
export function setLabels({ privileged }: Pick<LaunchPlan, 'privileged'>, files = LABEL_FILES): void {
  const { selinuxLabel, appArmorProfile } = privileged;
  if (selinuxLabel !== undefined) setSelinuxLabel(selinuxLabel, files);
  if (appArmorProfile !== undefined) setAppArmorProfile(appArmorProfile, files);
}

function setSelinuxLabel(label: string, files: typeof LABEL_FILES): void {
  const enforcing = contents(files.selinuxEnforce);
  if (enforcing === undefined) throw noModule('SELinux', files.selinuxExec, files.selinuxEnforce);
  const result = writeWhole(files.selinuxExec, label);
  // As upstream: in permissive mode the kernel's log is to tell of it, and nothing is to be stopped.
  if (result >= 0 || enforcing === '0') return;
  throw labelError(-result, files.selinuxExec, `SELinux label ${label}`);
}

function setAppArmorProfile(profile: string, files: typeof LABEL_FILES): void {
  const path = existsSync(files.appArmorExec) ? files.appArmorExec : files.appArmorOldExec;
  if (contents(files.appArmorEnabled) !== 'Y') throw noModule('AppArmor', path, files.appArmorEnabled);
  const result = writeWhole(path, `exec ${profile}`);
  if (result < 0) throw labelError(-result, path, `AppArmor profile ${profile}`);
}

/** Without white space; `undefined` if it cannot be read. */
function contents(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return undefined;
  }
}

/** In one call, as these files want it; negative: the error. */
function writeWhole(path: string, text: string): number {
  try {
    const fd = openSync(path, constants.O_WRONLY);
    try {
      return writeSync(fd, text);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return (error as NodeJS.ErrnoException).errno ?? -errno.EIO;
  }
}

const labelError = (number: number, path: string, why: string): Error =>
  startError('label', systemError(number, 'write', path, why));

/** With the errno that the kernel itself gives without any module. */
const noModule = (module: string, path: string, asked: string): Error =>
  labelError(errno.EINVAL, path, `${module} is not active on this machine, as ${asked} shows`);
