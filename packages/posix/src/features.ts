/** What `posix_spawn` on the calling thread, and the code around it, can really do: the whole list, and nothing else. */
import type { Feature } from '@vircommand/core/backend';
import type { Libc } from './libc';

const always = (): boolean => true;

/** Each feature, and what it needs of libc. */
const table: Readonly<Partial<Record<Feature, (libc: Libc) => boolean>>> = {
  argv0: always,
  cwd: always,
  'raw-bytes': always,
  sync: always,
  'sync-deadline': always,
  'sync-reap': always,
  'fd-stdio': always,
  'file-stdio': always,
  'pass-fd': always,
  // Without closefrom descriptors can only be listed, and what another thread opens meanwhile slips through.
  'close-other-fds': (libc) => libc.has('posix_spawn_file_actions_addclosefrom_np'),
  'merged-output': always,
  'nonblocking-fds': always,
  'send-buffer': always,
  session: always,
  'process-group': always,
  'kill-tree': always,
  'kill-on-parent-exit': always,
  'core-dump-bit': always,
  'resource-usage': always,
  'local-pid': always,
};

/** The features there are with this libc; without one, those that there could be. */
export function featuresWith(libc: Libc | undefined): readonly Feature[] {
  const features = Object.keys(table) as Feature[];
  return Object.freeze(features.filter((feature) => libc === undefined || table[feature]?.(libc) === true));
}
