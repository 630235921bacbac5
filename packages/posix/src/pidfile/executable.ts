/** Which program a process runs. */
import { readlinkSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { procIsOurs } from '@vircommand/core/backend';
import { isSame } from './file';

/** What the kernel adds to the path of a file that is gone, as after an upgrade. */
const deleted = ' (deleted)';

/**
 * Whether a process runs this executable: the same file, or one that was at the same path. `false` also if that cannot be
 * known: the process is another user's, or `/proc` is that of another pid namespace.
 */
export function runsExecutable(pid: number, executable: string): boolean {
  if (!procIsOurs()) return false;
  const link = `/proc/${pid}/exe`;
  if (isSameFile(link, executable)) return true;
  let target: string;
  try {
    target = readlinkSync(link);
  } catch {
    return false;
  }
  const wanted = realPath(executable);
  if (target === wanted) return true;
  // A file that is there may have such a name itself.
  return target.endsWith(deleted) && target.slice(0, -deleted.length) === wanted && !isSameFile(link, target);
}

function isSameFile(a: string, b: string): boolean {
  try {
    return isSame(statSync(a, { bigint: true }), statSync(b, { bigint: true }));
  } catch {
    return false;
  }
}

/** Also of a file that is not there any more. */
function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return path.resolve(file);
  }
}
