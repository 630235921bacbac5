/** How a command asks for each feature that can be asked for. */
import type { Command, RunOptions } from '@vircommand/core';
import type { Feature } from '@vircommand/core/backend';

/** A request. */
interface Request {
  /** What to say of a command; left out where the way to run it is all that asks. */
  readonly ask?: (command: Command) => unknown;
  /** The way to run it, where `run()` is not the one. */
  readonly run?: (command: Command) => Promise<unknown>;
}

const runWith =
  (options: RunOptions) =>
  (command: Command): Promise<unknown> =>
    command.run(options);
const runSync =
  (options?: RunOptions) =>
  (command: Command): Promise<unknown> =>
    Promise.resolve().then(() => command.runSync(options));
const start = (command: Command): Promise<unknown> => command.runAsync();

/** Files and descriptors named here are never opened: that is what the refusals are about. */
const nowhere = '/no/such/directory/file';

export const asking: Readonly<Partial<Record<Feature, Request>>> = {
  argv0: { ask: (command) => command.setArgv0('other') },
  cwd: { ask: (command) => command.setWorkingDirectory('/') },
  'raw-bytes': { ask: (command) => command.addArg(Buffer.from([0xff])) },
  sync: { run: runSync() },
  'sync-deadline': { run: runSync({ timeout: 10_000 }) },
  'fd-stdio': { ask: (command) => command.setOutputFd(1) },
  'file-stdio': { ask: (command) => command.setOutputFile(nowhere) },
  'pass-fd': { ask: (command) => command.passFd(2, { as: 3 }) },
  'merged-output': { ask: (command) => command.setOutputBuffer().setErrorFd('stdout') },
  'nonblocking-fds': { ask: (command) => command.nonblockingFds() },
  'send-buffer': { ask: (command) => command.setSendBuffer(3, 'data') },
  session: { ask: (command) => command.setSession() },
  'process-group': { ask: (command) => command.setProcessGroup() },
  'kill-on-parent-exit': { run: runWith({ killOnParentExit: true }) },
  'parent-death-signal': { run: runWith({ killOnParentExit: 'guaranteed' }) },
  'uid-gid': { ask: (command) => command.setUid(0) },
  groups: { ask: (command) => command.setGroups([]) },
  umask: { ask: (command) => command.setUmask(0o22) },
  capabilities: { ask: (command) => command.clearCaps() },
  'no-new-privs': { ask: (command) => command.setNoNewPrivs() },
  limits: { ask: (command) => command.setMaxCoreSize(0) },
  nice: { ask: (command) => command.setNice(19) },
  affinity: { ask: (command) => command.setAffinity([0]) },
  'core-scheduling': { ask: (command) => command.setRunAlone() },
  selinux: { ask: (command) => command.setSelinuxLabel('label') },
  apparmor: { ask: (command) => command.setAppArmorProfile('profile') },
  hook: { ask: (command) => command.setPreExecHook({ module: nowhere }) },
  handshake: { ask: (command) => command.requireHandshake(), run: start },
  'pid-file': { ask: (command) => command.daemonize().setPidFile(nowhere) },
  daemon: { ask: (command) => command.daemonize() },
  exec: { run: (command) => Promise.resolve().then(() => command.exec()) },
};
