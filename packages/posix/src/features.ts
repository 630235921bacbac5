/** What this backend can really do, and by which way: the whole list, and nothing else. */
import type { Feature } from '@vircommand/core/backend';
import type { Libc } from './libc';
import { startsAsNode } from './runtime';

/**
 * The ways to start a program, the cheapest first: `direct`, `posix_spawn` on the calling thread; `thread`, the same on a
 * thread that does nothing else; `launcher`, a fresh process that changes itself and then becomes the program.
 */
export const WAYS = ['direct', 'thread', 'launcher'] as const;
export type Way = (typeof WAYS)[number];

interface Entry {
  readonly ways: readonly Way[];
  /** What it needs of libc. */
  readonly needs: ((libc: Libc) => boolean) | undefined;
}

const every: Entry = { ways: WAYS, needs: undefined };
/** Whoever waits blocks the event loop anyway. */
const synchronous: Entry = { ways: ['direct', 'launcher'], needs: undefined };
/** What a thread can do to itself alone, or to a program that it holds before it is executed. */
const thread: Entry = { ways: ['thread', 'launcher'], needs: undefined };
/** What a process can only do to itself. */
const launcher: Entry = { ways: ['launcher'], needs: undefined };

const table: Readonly<Partial<Record<Feature, Entry>>> = {
  argv0: every,
  cwd: every,
  'raw-bytes': every,
  sync: synchronous,
  'sync-deadline': synchronous,
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
  // What a thread has just started is not known yet when the process exits.
  'kill-on-parent-exit': synchronous,
  'parent-death-signal': launcher,
  'core-dump-bit': every,
  'resource-usage': every,
  'uid-gid': launcher,
  groups: launcher,
  umask: thread,
  capabilities: launcher,
  'no-new-privs': thread,
  limits: thread,
  nice: thread,
  affinity: thread,
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

/** What each way needs of this process. */
const usable: Readonly<Record<Way, ((libc: Libc) => boolean) | undefined>> = {
  direct: undefined,
  // It crashes the process in worker threads.
  thread: (libc) => libc.driver.name !== 'ffi-napi',
  // It is a script for Node.
  launcher: startsAsNode,
};

/** The ways there are with this libc, the cheapest first. */
export const waysWith = (libc: Libc): readonly Way[] => WAYS.filter((way) => usable[way]?.(libc) !== false);

/** The features there are with this libc, by these ways; without a libc, those that there could be. */
export function featuresWith(libc: Libc | undefined, ways: readonly Way[] = WAYS): readonly Feature[] {
  const features = (Object.keys(table) as Feature[]).filter((feature) =>
    waysOf(feature).some((way) => ways.includes(way)),
  );
  return Object.freeze(features.filter((feature) => libc === undefined || table[feature]?.needs?.(libc) !== false));
}

/** The ways by which one can have a feature. */
export const waysOf = (feature: Feature): readonly Way[] => table[feature]?.ways ?? [];
