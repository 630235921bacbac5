/** How many operations of the file system are under way in this process. */
import { createHook, type HookCallbacks } from 'node:async_hooks';
import { stat } from 'node:fs';
import { realTime } from '@vircommand/core/backend';

const isOperation = (name: unknown): boolean =>
  typeof name === 'string' && (name.startsWith('FSReq') || name === 'CloseReq');

function listed(): number {
  const active: unknown =
    typeof process.getActiveResourcesInfo === 'function' ? process.getActiveResourcesInfo() : undefined;
  return Array.isArray(active) ? active.filter(isOperation).length : 0;
}

/** Where Node does not list them (26.10): those that began since somebody watches. */
let watched: Set<number> | undefined;
/** Whether Node lists them. Found out once, when it is needed. */
let lists: boolean | undefined;

/** One such operation may have several steps, of which the first one only is told: milliseconds for the others. */
const afterwards = 100;
let lastEnd = -Infinity;

/** To be called before the operations that are to be counted begin. */
export function watchFileOperations(): void {
  if (lists !== undefined) return;
  stat('.', () => undefined);
  lists = listed() > 0;
  if (lists) return;
  const begun = (watched = new Set<number>());
  const forget = (id: number): void => {
    if (begun.delete(id)) lastEnd = realTime.now();
  };
  const callbacks: HookCallbacks & { readonly trackPromises: boolean } = {
    // Promises are most async resources, and never file operations.
    trackPromises: false,
    init: (id, type) => {
      if (type.startsWith('FSREQ') || type === 'FILEHANDLECLOSEREQ') begun.add(id);
    },
    after: forget,
    destroy: forget,
  };
  createHook(callbacks).enable();
}

export function pendingFileOperations(): number {
  if (watched === undefined) return listed();
  return watched.size + (realTime.now() - lastEnd < afterwards ? 1 : 0);
}
