/** The backends, by their names. */
import { backend as childProcess, Command as ChildProcess } from '@vircommand/child-process';
import { backend as posix, Command as Posix } from '@vircommand/posix';
import type { Subject } from './one-run';

const subjects: Readonly<Record<string, Subject>> = {
  posix: { Command: Posix, blockingDeadline: posix.features.includes('sync-deadline') },
  'child-process': { Command: ChildProcess, blockingDeadline: childProcess.features.includes('sync-deadline') },
};

export const subjectNames = Object.keys(subjects);

/** @throws Error if there is none of that name. */
export function subjectOf(name: string): Subject {
  const subject = Object.hasOwn(subjects, name) ? subjects[name] : undefined;
  if (subject === undefined) throw new Error(`there is no backend ${name}; there are ${subjectNames.join(' and ')}`);
  return subject;
}
