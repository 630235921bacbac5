/**
 * Which way a plan is started on: a table from what it needs to the way that can do it. The features that the backend
 * declares are those of the table, so nothing is declared that no way can do.
 */
import type { Feature, LaunchPlan } from '@vircommand/core/backend';
import type { Libc } from './libc';

/**
 * - `direct`: `posix_spawn` on the calling thread.
 *
 * In the order of what they can do: a later way can do all that an earlier one can, and costs more.
 */
export const WAYS = ['direct'] as const;
export type Way = (typeof WAYS)[number];

const table: Readonly<Partial<Record<Feature, Way>>> = {
  argv0: 'direct',
  cwd: 'direct',
  'raw-bytes': 'direct',
  sync: 'direct',
  'sync-deadline': 'direct',
  'sync-reap': 'direct',
  'fd-stdio': 'direct',
  'file-stdio': 'direct',
  'pass-fd': 'direct',
  'close-other-fds': 'direct',
  'merged-output': 'direct',
  'nonblocking-fds': 'direct',
  'send-buffer': 'direct',
  session: 'direct',
  'process-group': 'direct',
  'kill-tree': 'direct',
  'kill-on-parent-exit': 'direct',
  'core-dump-bit': 'direct',
  'resource-usage': 'direct',
  'local-pid': 'direct',
};

/** What a feature needs of libc, where it needs something. Other descriptors can only be listed without closefrom, and
 * what another thread opens meanwhile slips through, so that is not promised. */
const libcNeeds: Readonly<Partial<Record<Feature, (libc: Libc) => boolean>>> = {
  'close-other-fds': (libc) => libc.has('posix_spawn_file_actions_addclosefrom_np'),
};

/** The features there are with this libc; without one, those that there could be. */
export function featuresWith(libc: Libc | undefined): readonly Feature[] {
  const features = Object.keys(table) as Feature[];
  return Object.freeze(features.filter((feature) => libc === undefined || (libcNeeds[feature]?.(libc) ?? true)));
}

/** The way that can do all that a plan requires. */
export function wayOf(plan: Pick<LaunchPlan, 'requires'>): Way {
  const rank = (feature: Feature): number => WAYS.indexOf(table[feature] ?? 'direct');
  return WAYS[Math.max(0, ...plan.requires.map(rank))] ?? 'direct';
}
