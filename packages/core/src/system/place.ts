/**
 * Where this process is. Node remembers the name of its working directory. If the directory is renamed, another one may have
 * that name, but relative paths still begin at the renamed directory.
 */
import { readlinkSync, statSync, type BigIntStats } from 'node:fs';

/** A directory, by whatever name. */
export type Place = Pick<BigIntStats, 'dev' | 'ino'>;

function placeAt(directory: string): Place | undefined {
  try {
    return statSync(directory, { bigint: true });
  } catch {
    return undefined;
  }
}

/** Whether a path leads there now; `.` does if this process is there. */
export function leadsTo(directory: string, place: Place): boolean {
  const found = placeAt(directory);
  return found?.ino === place.ino && found.dev === place.dev;
}

/** The working directory; `undefined`: this process has dropped its rights and may not look at it. */
export const currentPlace = (): Place | undefined => placeAt('.');

function nameOf(place: Place, name: () => string): string | undefined {
  try {
    const found = name();
    return leadsTo(found, place) ? found : undefined;
  } catch {
    return undefined;
  }
}

/**
 * An absolute path that leads to the working directory; `undefined`: there is none, since the directory was deleted, or this
 * process may not enter it any more.
 */
export function nameOfWorkingDirectory(): string | undefined {
  if (process.platform !== 'linux') {
    try {
      return process.cwd();
    } catch {
      return undefined;
    }
  }
  const here = currentPlace();
  if (here === undefined) return undefined;
  return nameOf(here, () => process.cwd()) ?? nameOf(here, () => readlinkSync('/proc/self/cwd'));
}
