/**
 * Whether a backend keeps here what it declares: features that the kernel, its modules or the user's privileges can refuse
 * are tried with a program that does nothing.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { Command, CommandError, CommandStartError, type Backend, type Feature } from '@vircommand/core';
import { forceCleanupPath } from '@vircommand/posix/pidfile';
import { processors as parseProcessors } from '../values';
import * as machine from './machine';
import type { Report, Verdict } from './report';

interface Trial {
  /** Default: `true`. */
  readonly program?: readonly [string, ...string[]];
  /** In a directory that is removed afterwards. */
  readonly set: (command: Command, directory: string) => void;
  readonly run?: (command: Command, directory: string) => Promise<unknown>;
  /** What to do when it is refused. */
  readonly remedy: string;
}

const privileged = (capability: string): string =>
  `run vircommand with ${capability}: as root, by sudo or a service manager; a container must get it from outside`;
const bounds = { timeout: 10_000, killDelay: 0 } as const;
/** Somebody that this user is not yet. */
const stranger = process.geteuid?.() === 65_534 ? 65_533 : 65_534;

const trials: Readonly<Partial<Record<Feature, Trial>>> = {
  'parent-death-signal': {
    set: () => undefined,
    run: (command) => command.run({ ...bounds, killOnParentExit: 'guaranteed' }),
    remedy: 'Linux has it; a seccomp filter may forbid prctl()',
  },
  'uid-gid': {
    set: (command) => command.setUid(stranger).setGid(stranger),
    remedy: privileged('CAP_SETUID and CAP_SETGID'),
  },
  groups: { set: (command) => command.setGroups([stranger]), remedy: privileged('CAP_SETGID') },
  umask: { set: (command) => command.setUmask(0o27), remedy: 'no machine refuses it; please report this' },
  capabilities: { set: (command) => command.clearCaps(), remedy: privileged('CAP_SETPCAP') },
  'no-new-privs': { set: (command) => command.setNoNewPrivs(), remedy: 'a kernel of 3.5 or later' },
  limits: {
    set: (command) => command.setMaxCoreSize(0),
    remedy: 'a seccomp filter may forbid prlimit(); ask who runs the container',
  },
  nice: { set: (command) => command.setNice(-1), remedy: privileged('CAP_SYS_NICE') },
  affinity: {
    set: (command) => command.setAffinity(parseProcessors(machine.processors()).slice(0, 1)),
    remedy: 'a seccomp filter may forbid sched_setaffinity(); ask who runs the container',
  },
  'core-scheduling': {
    set: (command) => command.setRunAlone(),
    remedy: 'a kernel of 5.14 or later with CONFIG_SCHED_CORE, on processors with hyper-threading',
  },
  selinux: {
    set: (command) => command.setSelinuxLabel(machine.securityLabel() || 'system_u:system_r:unconfined_t:s0'),
    remedy: 'a kernel with SELinux enabled (selinux=1), and a loaded policy',
  },
  apparmor: {
    set: (command) => command.setAppArmorProfile('unconfined'),
    remedy: 'a kernel with AppArmor enabled (apparmor=1), and a loaded profile',
  },
  hook: {
    set: (command, directory) => {
      const module = path.join(directory, 'hook.cjs');
      writeFileSync(module, 'module.exports = () => undefined;\n');
      command.setPreExecHook({ module });
    },
    remedy: 'the module must be readable for this user',
  },
  handshake: {
    set: (command) => command.requireHandshake(),
    run: async (command) => {
      const held = await command.runAsync(bounds);
      await held.handshakeNotify();
      await held.wait();
    },
    remedy: 'please report this',
  },
  'pid-file': {
    // One that stays, so that somebody has the lock.
    program: ['sleep', '60'],
    set: (command, directory) => command.daemonize().setPidFile(path.join(directory, 'pid')),
    run: async (command, directory) => {
      await command.run({ timeout: bounds.timeout });
      await forceCleanupPath(path.join(directory, 'pid'));
    },
    remedy: 'a directory in which this user may write, on a file system with locks',
  },
  daemon: { set: (command) => command.daemonize(), remedy: 'please report this' },
};

async function attempt(backend: Backend, trial: Trial, directory: string): Promise<Verdict> {
  const { program: [program, ...args] = ['true'], set, run, remedy } = trial;
  const command = new Command(machine.programOf(program), args, { backend });
  try {
    set(command, directory);
    await (run === undefined ? command.run({ timeout: bounds.timeout }) : run(command, directory));
    return { state: 'yes' };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const reason = error instanceof CommandStartError ? `${error.reason} (stage ${error.stage})` : error.message;
    return { state: 'no', reason, remedy };
  }
}

/** What is there, but not all of it: nobody would know before it is needed. */
function restriction(feature: Feature, capabilities: Report['capabilities']): Verdict | undefined {
  if (feature === 'limits' && capabilities?.effective.includes('sys_resource') === false) {
    const reason = 'limits can be lowered; a hard limit cannot be raised without CAP_SYS_RESOURCE';
    return { state: 'limited', reason, remedy: privileged('CAP_SYS_RESOURCE') };
  }
  return undefined;
}

/** For a feature that the backend declares. */
export async function tryFeature(
  backend: Backend,
  feature: Feature,
  capabilities: Report['capabilities'],
): Promise<Verdict> {
  const trial = trials[feature];
  if (trial === undefined) return { state: 'yes' };
  const directory = mkdtempSync(path.join(tmpdir(), 'vircommand-doctor-'));
  try {
    const verdict = await attempt(backend, trial, directory);
    if (verdict.state === 'yes') return restriction(feature, capabilities) ?? verdict;
    // A nice value of its own is only partly refused.
    return feature === 'nice' ? { ...verdict, state: 'limited', reason: `below 0: ${verdict.reason ?? ''}` } : verdict;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
