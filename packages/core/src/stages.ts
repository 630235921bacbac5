/** At which step a start failed, and what the step does: the closed list that errors, backends and documents share. */
const table = {
  resolve: 'looking for the program',
  stdio: 'preparing stdin, stdout, stderr or passed descriptors',
  cwd: 'entering the working directory',
  fork: 'creating the process',
  'process-group': 'setting the process group or session',
  'core-scheduling': 'setting core scheduling',
  limits: 'setting resource limits',
  'pid-file': 'acquiring the pid file',
  hook: 'running the pre-exec hook',
  label: 'setting the security label',
  privileges: 'setting user, group or privileges',
  capabilities: 'setting capabilities',
  umask: 'setting the umask',
  'parent-death': 'setting the parent-death signal',
  daemon: 'daemonizing',
  handshake: 'waiting for the handshake',
  exec: 'executing the program',
  launcher: 'running the launcher',
  backend: 'starting in the backend',
} as const;

/** At which step a start failed. */
export type Stage = keyof typeof table;

/** What each stage does, for messages. */
export const STAGES: Readonly<Record<Stage, string>> = Object.freeze(table);
