/** The programs of this package, each built into a file of its own: the same from the sources and from what is built. */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import { errno, systemError } from './errno';
import { ownFile } from './own-file';

/** Put there by the build; without it any version will do. */
declare const POSIX_VERSION: string | undefined;
const version = typeof POSIX_VERSION === 'undefined' ? '' : `${POSIX_VERSION}\n`;

/**
 * The path of a program. Looked at each time, since an update may have come while this process runs.
 *
 * @throws Error where it is not there, or something else is: that would run with all rights of this process
 */
export function ownProgram(name: 'launcher' | 'spawner-thread'): string {
  const own = ownFile();
  // Who bundles this package has them beside the bundle.
  const file = resolve(dirname(own), extname(own) === '.ts' ? '../dist' : '.', `vircommand-${name}.cjs`);
  const advice = `where @vircommand/posix is bundled, dist/${basename(file)} of the same version belongs beside the bundle`;
  if (!existsSync(file)) throw systemError(errno.ENOENT, 'open', file, advice);
  if (firstBytes(file).startsWith(`// @vircommand/posix ${name} ${version}`)) return file;
  throw new Error(`'${file}' is another program, or of another version (${advice})`);
}

function firstBytes(file: string): string {
  const fd = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(80);
    return bytes.toString('latin1', 0, readSync(fd, bytes));
  } finally {
    closeSync(fd);
  }
}
