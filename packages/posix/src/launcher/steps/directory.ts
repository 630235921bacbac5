/** The working directory, entered with the program's rights, as virCommand does it. */
import { chdir } from 'node:process';
import { startError } from '@vircommand/core/backend';
import { errno, nulError, systemError } from '../../errno';

/** @throws CommandStartError, stage `cwd` */
export function enterDirectory(cwd: string): void {
  if (cwd.includes('\0')) throw startError('cwd', nulError('chdir', cwd), cwd);
  try {
    chdir(cwd);
  } catch (error) {
    const { errno: number = -errno.EIO } = error as NodeJS.ErrnoException;
    throw startError('cwd', systemError(-number, 'chdir', cwd), cwd);
  }
}
