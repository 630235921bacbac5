/**
 * Where this process is. Node remembers the name of its working directory, also when that is renamed: another directory may
 * have the name by then, and this one is where relative names lead to all the same.
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

/** The working directory; `undefined`: who dropped his rights in it may not look. */
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
 * An absolute path of the working directory that leads there; `undefined`: none does, since it was deleted, or may not be
 * entered any more by him who is in it.
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
