/**
 * What a backend may be able to do. A backend declares its features; a plan lists those it requires;
 * core refuses the plan before anything starts if one is missing.
 */

interface FeatureInfo {
  /** One line for tables and messages. */
  readonly summary: string;
  /** Backends of this project that declare it (on some platform). */
  readonly availableIn: readonly string[];
  /** `'asked'`: a plan can require it. `'observed'`: it shows in results only, so nothing can be refused. */
  readonly kind: 'asked' | 'observed';
}

const everywhere = ['posix', 'child-process', 'mock'] as const;
const posixAndMock = ['posix', 'mock'] as const;
const posixAndChildProcess = ['posix', 'child-process'] as const;

/** The name of something that a backend may or may not be able to do. */
export type Feature =
  | 'argv0'
  | 'cwd'
  | 'raw-bytes'
  | 'sync'
  | 'sync-deadline'
  | 'sync-reap'
  | 'fd-stdio'
  | 'file-stdio'
  | 'pass-fd'
  | 'close-other-fds'
  | 'merged-output'
  | 'nonblocking-fds'
  | 'send-buffer'
  | 'session'
  | 'process-group'
  | 'kill-tree'
  | 'kill-on-parent-exit'
  | 'parent-death-signal'
  | 'core-dump-bit'
  | 'resource-usage'
  | 'uid-gid'
  | 'groups'
  | 'umask'
  | 'capabilities'
  | 'no-new-privs'
  | 'limits'
  | 'nice'
  | 'affinity'
  | 'core-scheduling'
  | 'selinux'
  | 'apparmor'
  | 'hook'
  | 'handshake'
  | 'pid-file'
  | 'daemon'
  | 'exec'
  | 'local-pid';

const table: Record<Feature, FeatureInfo> = {
  argv0: { summary: 'argv[0] other than the program', availableIn: everywhere, kind: 'asked' },
  cwd: { summary: 'working directory', availableIn: everywhere, kind: 'asked' },
  'raw-bytes': {
    summary: 'bytes that are not UTF-8 in arguments and environment',
    availableIn: posixAndMock,
    kind: 'asked',
  },
  sync: { summary: 'synchronous run', availableIn: everywhere, kind: 'asked' },
  'sync-deadline': {
    summary: 'synchronous deadline with escalation, output limit and bounded drain',
    availableIn: posixAndMock,
    kind: 'asked',
  },
  'sync-reap': { summary: 'reaped before Symbol.dispose returns', availableIn: posixAndMock, kind: 'observed' },
  'fd-stdio': { summary: 'stdio from and to descriptors', availableIn: posixAndChildProcess, kind: 'asked' },
  'file-stdio': { summary: 'stdio from and to files', availableIn: posixAndChildProcess, kind: 'asked' },
  'pass-fd': { summary: 'passed descriptors', availableIn: posixAndChildProcess, kind: 'asked' },
  'close-other-fds': { summary: 'all other descriptors closed', availableIn: ['posix'], kind: 'observed' },
  'merged-output': {
    summary: 'stdout and stderr through one pipe, in exact order',
    availableIn: everywhere,
    kind: 'asked',
  },
  'nonblocking-fds': { summary: 'reading ends that never block', availableIn: posixAndChildProcess, kind: 'asked' },
  'send-buffer': { summary: 'buffers on descriptors of their own', availableIn: posixAndMock, kind: 'asked' },
  session: { summary: 'session of its own', availableIn: everywhere, kind: 'asked' },
  'process-group': { summary: 'process group chosen', availableIn: posixAndMock, kind: 'asked' },
  'kill-tree': { summary: 'ends reach every descendant', availableIn: everywhere, kind: 'observed' },
  'kill-on-parent-exit': { summary: 'ended when the parent ends normally', availableIn: everywhere, kind: 'asked' },
  'parent-death-signal': {
    summary: 'ended by the kernel when the parent dies',
    availableIn: posixAndMock,
    kind: 'asked',
  },
  'core-dump-bit': { summary: 'core dump known', availableIn: posixAndMock, kind: 'observed' },
  'resource-usage': { summary: 'resource usage known', availableIn: posixAndMock, kind: 'observed' },
  'uid-gid': { summary: 'user and group', availableIn: everywhere, kind: 'asked' },
  groups: { summary: 'supplementary groups', availableIn: posixAndMock, kind: 'asked' },
  umask: { summary: 'file mode creation mask', availableIn: posixAndMock, kind: 'asked' },
  capabilities: { summary: 'capabilities cleared and allowed', availableIn: posixAndMock, kind: 'asked' },
  'no-new-privs': { summary: 'no new privileges', availableIn: posixAndMock, kind: 'asked' },
  limits: { summary: 'resource limits', availableIn: posixAndMock, kind: 'asked' },
  nice: { summary: 'scheduling priority', availableIn: posixAndMock, kind: 'asked' },
  affinity: { summary: 'processor affinity', availableIn: posixAndMock, kind: 'asked' },
  'core-scheduling': { summary: 'core scheduling', availableIn: posixAndMock, kind: 'asked' },
  selinux: { summary: 'SELinux label', availableIn: posixAndMock, kind: 'asked' },
  apparmor: { summary: 'AppArmor profile', availableIn: posixAndMock, kind: 'asked' },
  hook: { summary: 'function called before exec', availableIn: posixAndMock, kind: 'asked' },
  handshake: { summary: 'held before exec until told', availableIn: posixAndMock, kind: 'asked' },
  'pid-file': { summary: 'locked pid file', availableIn: posixAndMock, kind: 'asked' },
  daemon: { summary: 'daemonized start', availableIn: posixAndMock, kind: 'asked' },
  exec: { summary: 'this process becomes the program', availableIn: posixAndMock, kind: 'asked' },
  'local-pid': { summary: 'pid of this machine', availableIn: posixAndChildProcess, kind: 'observed' },
};

/** One line for each feature, and the backends that have it. */
export const FEATURE_INFO: Readonly<Record<Feature, FeatureInfo>> = Object.freeze(table);

/** Every feature that this version of the contract knows. */
export const FEATURES: readonly Feature[] = Object.freeze(Object.keys(table) as Feature[]);

/** Whether `name` is a feature of this version of the contract. */
export function isFeature(name: unknown): name is Feature {
  return typeof name === 'string' && Object.hasOwn(table, name);
}
