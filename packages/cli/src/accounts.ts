/**
 * Users and groups by name or number. The files are looked at first, then `getent(1)`, which knows those of directory
 * services too.
 */
import { readFileSync } from 'node:fs';
import { Command, type Backend } from '@vircommand/core';
import { CliError } from './exit-status';

/** The one above means nobody to the kernel. */
const highestId = 2 ** 32 - 2;

const isNumber = (name: string): boolean => /^\d+$/.test(name);

/** The fields of a line if it is the one of this name or number. Lines without a number, as those of NIS, are nobody's. */
function fieldsOf(line: string, key: string): readonly string[] | undefined {
  const fields = line.split(':');
  const [name, , id = ''] = fields;
  if (!isNumber(id)) return undefined;
  return (isNumber(key) ? Number(id) === Number(key) : name === key) ? fields : undefined;
}

function inFile(file: string, key: string): readonly string[] | undefined {
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  for (const line of text.split('\n')) {
    const fields = fieldsOf(line, key);
    if (fields !== undefined) return fields;
  }
  return undefined;
}

function throughGetent(database: string, key: string, backend: () => Backend): readonly string[] | undefined {
  // That would be an option. Not all that are called getent know `--`, and no such account can be made.
  if (key.startsWith('-')) return undefined;
  try {
    const options = { backend: backend(), stdout: 'text' } as const;
    const { stdout, exitCode } = new Command('getent', [database, key], options).runSync({ check: false });
    // It cuts numbers to 32 bits and takes ' 0' for one, so that the answer may be somebody else.
    return exitCode === 0 ? fieldsOf(stdout.trimEnd(), key) : undefined;
  } catch {
    // There is no getent here, so there are no directory services either.
    return undefined;
  }
}

const lookUp = (database: 'passwd' | 'group', key: string, backend: () => Backend): readonly string[] | undefined =>
  inFile(`/etc/${database}`, key) ?? throughGetent(database, key, backend);

function check(key: string): void {
  if (key === '' || (isNumber(key) && Number(key) > highestId)) {
    throw new CliError(`takes a name or a number from 0 to ${highestId}, not '${key}'`);
  }
}

/** A user's number, and its primary group where that is known. */
export function user(key: string, backend: () => Backend): { readonly uid: number; readonly gid: number | undefined } {
  check(key);
  const [, , uid = key, gid = ''] = lookUp('passwd', key, backend) ?? [];
  if (!isNumber(uid)) throw new CliError(`there is no user '${key}'`);
  return { uid: Number(uid), gid: isNumber(gid) ? Number(gid) : undefined };
}

/** A group's number. */
export function group(key: string, backend: () => Backend): number {
  check(key);
  if (isNumber(key)) return Number(key);
  const fields = lookUp('group', key, backend);
  if (fields === undefined) throw new CliError(`there is no group '${key}'`);
  return Number(fields[2]);
}
