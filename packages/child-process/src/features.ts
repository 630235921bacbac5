/** What Node's API can really do, by platform: the whole list, and nothing that is not tested on it. */
import type { Feature } from '@vircommand/core/backend';

type Platforms = 'all' | 'posix' | 'linux';

const table: Partial<Record<Feature, Platforms>> = {
  argv0: 'all',
  cwd: 'all',
  sync: 'all',
  'fd-stdio': 'all',
  'file-stdio': 'all',
  // On Windows only programs of Microsoft's C library see descriptors above 2.
  'pass-fd': 'posix',
  'merged-output': 'posix',
  // So is all that libuv reads from; elsewhere nobody has looked.
  'nonblocking-fds': 'linux',
  session: 'posix',
  // Descendants are found through /proc.
  'kill-tree': 'linux',
  'kill-on-parent-exit': 'all',
  'uid-gid': 'posix',
  'local-pid': 'all',
};

const covers: Readonly<Record<Platforms, (platform: NodeJS.Platform) => boolean>> = {
  all: () => true,
  posix: (platform) => platform !== 'win32',
  linux: (platform) => platform === 'linux',
};

/** The features on a platform. */
export function featuresOf(platform: NodeJS.Platform): readonly Feature[] {
  const entries = Object.entries(table) as [Feature, Platforms][];
  return Object.freeze(entries.flatMap(([feature, where]) => (covers[where](platform) ? [feature] : [])));
}
