/** What Node's API can really do, by platform. */
import type { Feature } from '@vircommand/core/backend';

type Platforms = 'all' | 'posix' | 'linux';

const table: Partial<Record<Feature, Platforms>> = {
  argv0: 'all',
  cwd: 'all',
  sync: 'all',
  'fd-stdio': 'all',
  'file-stdio': 'all',
  'pass-fd': 'posix',
  'merged-output': 'posix',
  session: 'posix',
  'kill-tree': 'linux',
  'kill-on-parent-exit': 'all',
  'uid-gid': 'posix',
  'local-pid': 'all',
};

/** The features on a platform. */
export function featuresOf(platform: NodeJS.Platform): readonly Feature[] {
  const has = (where: Platforms | undefined): boolean =>
    where === 'all' || (where === 'posix' && platform !== 'win32') || (where === 'linux' && platform === 'linux');
  return Object.freeze((Object.keys(table) as Feature[]).filter((feature) => has(table[feature])));
}
