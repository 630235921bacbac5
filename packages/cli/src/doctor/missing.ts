/** Why a backend does not declare a feature, and what to do instead. */
import { FEATURE_INFO, type Feature } from '@vircommand/core/backend';
import type { Verdict } from './report';

/** Features not listed: Node.js has no call for them. */
const node: Readonly<Partial<Record<Feature, string>>> = {
  'raw-bytes': 'Node.js turns bytes that are not UTF-8 into U+FFFD',
  'sync-deadline': 'spawnSync() sends one signal and then waits for ever',
  'sync-reap': 'Node.js reaps on the event loop',
  'close-other-fds': 'Node.js hands on what other code opened without close-on-exec',
  'nonblocking-fds': 'that Node.js reads without blocking is proven on Linux only',
  'send-buffer': 'Node.js makes sockets of further descriptors, and these cannot be opened as /dev/fd/N',
  'process-group': 'Node.js knows a session of its own, and nothing between that and our group',
  'core-dump-bit': 'Node.js does not tell it',
  'resource-usage': 'Node.js does not tell it',
  'kill-tree': 'descendants are found through /proc, which is on Linux only',
  'merged-output': 'Windows has no pipe that two streams share',
  'pass-fd': 'on Windows only programs of the C library see descriptors above 2',
  session: 'Windows has no sessions',
  'uid-gid': 'Windows has no user ids',
};

const libc: Readonly<Partial<Record<Feature, readonly [reason: string, remedy: string]>>> = {
  'close-other-fds': [
    'this libc has no posix_spawn_file_actions_addclosefrom_np(): descriptors are closed one by one, and what another ' +
      'thread opens meanwhile slips through',
    'glibc 2.34 or later',
  ],
};

/** `elsewhere`: another backend that can be used here and has it. */
export function whyMissing(feature: Feature, backend: string, elsewhere: string | undefined): Verdict {
  const known = backend === 'posix' ? libc[feature] : undefined;
  const inNode = backend === 'posix' ? undefined : (node[feature] ?? 'Node.js has no call for it');
  const { availableIn } = FEATURE_INFO[feature];
  const real = availableIn.filter((name) => name !== 'mock' && name !== backend);
  const remedy =
    elsewhere !== undefined
      ? `the backend ${elsewhere} has it`
      : real.length > 0
        ? `the backend ${real.join(' or ')} has it, and cannot be used here: see above`
        : 'no backend that starts programs has it in this version';
  return {
    state: 'no',
    reason: known?.[0] ?? inNode ?? `the backend ${backend} does not do it`,
    remedy: known?.[1] ?? remedy,
  };
}
