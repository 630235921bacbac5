/**
 * Users and groups by name or number. The files are looked at first, then `getent(1)`, which knows those of directory
 * services too.
 */
import { readFileSync } from 'node:fs';
import { Command } from '@vircommand/core';
import type { Backend } from '@vircommand/core';
import { CliError } from './exit-status';

const isNumber = (name: string): boolean => /^\d+$/.test(name);

/** The fields of the line that has this name or number. */
function inFile(file: string, key: string): readonly string[] | undefined {
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  const field = isNumber(key) ? 2 : 0;
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .find((fields) => fields[field] === key);
}

function throughGetent(database: string, key: string, backend: () => Backend): readonly string[] | undefined {
  try {
    const options = { backend: backend(), stdout: 'text' } as const;
    const { stdout, exitCode } = new Command('getent', [database, key], options).runSync({ check: false });
    return exitCode === 0 ? stdout.trimEnd().split(':') : undefined;
  } catch {
    // There is no getent here, so there are no directory services either.
    return undefined;
  }
}

const lookUp = (database: 'passwd' | 'group', key: string, backend: () => Backend): readonly string[] | undefined =>
  inFile(`/etc/${database}`, key) ?? throughGetent(database, key, backend);

/** A user's number, and its primary group where that is known. */
export function user(key: string, backend: () => Backend): { readonly uid: number; readonly gid: number | undefined } {
  const fields = lookUp('passwd', key, backend);
  if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  if (!isNumber(key)) throw new CliError(`there is no user '${key}'`);
  return { uid: Number(key), gid: undefined };
}

/** A group's number. */
export function group(key: string, backend: () => Backend): number {
  if (isNumber(key)) return Number(key);
  const fields = lookUp('group', key, backend);
  if (fields === undefined) throw new CliError(`there is no group '${key}'`);
  return Number(fields[2]);
}
