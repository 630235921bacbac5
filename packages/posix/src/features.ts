/** What this backend can really do, and by which way: the whole list, and nothing else. */
import type { Feature } from '@vircommand/core/backend';
import type { Libc } from './libc';

/**
 * The ways to start a program, the cheapest first: `direct`, `posix_spawn` on the calling thread; `launcher`, a fresh
 * process that changes itself and then becomes the program.
 */
export const WAYS = ['direct', 'launcher'] as const;
export type Way = (typeof WAYS)[number];

interface Entry {
  readonly ways: readonly Way[];
  /** What it needs of libc. */
  readonly needs?: (libc: Libc) => boolean;
}

const every: Entry = { ways: WAYS };
/** What a process can only do to itself. */
const launcher: Entry = { ways: ['launcher'] };

const table: Readonly<Partial<Record<Feature, Entry>>> = {
  argv0: every,
  cwd: every,
  'raw-bytes': every,
  sync: every,
  'sync-deadline': every,
  'sync-reap': every,
  'fd-stdio': every,
  'file-stdio': every,
  'pass-fd': every,
  // Without closefrom descriptors can only be listed, and what another thread opens meanwhile slips through.
  'close-other-fds': { ways: WAYS, needs: (libc) => libc.has('posix_spawn_file_actions_addclosefrom_np') },
  'merged-output': every,
  'nonblocking-fds': every,
  'send-buffer': every,
  session: every,
  'process-group': every,
  'kill-tree': every,
  'kill-on-parent-exit': every,
  'parent-death-signal': launcher,
  'core-dump-bit': every,
  'resource-usage': every,
  'uid-gid': launcher,
  groups: launcher,
  umask: launcher,
  capabilities: launcher,
  'no-new-privs': launcher,
  limits: launcher,
  nice: launcher,
  affinity: launcher,
  'core-scheduling': launcher,
  selinux: launcher,
  apparmor: launcher,
  hook: launcher,
  handshake: launcher,
  'pid-file': launcher,
  daemon: launcher,
  'local-pid': every,
  // By no way to start: this process changes itself.
  exec: every,
};

/** The features there are with this libc; without one, those that there could be. */
export function featuresWith(libc: Libc | undefined): readonly Feature[] {
  const features = Object.keys(table) as Feature[];
  return Object.freeze(features.filter((feature) => libc === undefined || table[feature]?.needs?.(libc) !== false));
}

/** The ways by which one can have a feature. */
export const waysOf = (feature: Feature): readonly Way[] => table[feature]?.ways ?? [];
