/** Ours and what a user would take instead, each asked for the same work in its own way. */
import { execa10, execa9 } from './execa';
import { byHand, crossSpawn } from './node';
import { project, variants } from './ours';
import { nanoSpawn, tinyexec } from './small';
import type { Library, Ways } from './ways';
import { zx } from './zx';

export { childProcessName, direct, ffiNapi, launcher, posixName, thread, variants } from './ours';
export type { Conversation, Library, Ways } from './ways';

export const libraries: readonly Library[] = [...project, byHand, execa9, execa10, tinyexec, nanoSpawn, zx, crossSpawn];

/** What a library, or one of our variants, does. @throws NotHere */
export function load(name: string): Promise<Ways> {
  const found = [...libraries, ...variants].find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no library ${name}`);
  return found.load();
}
