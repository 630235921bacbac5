/** The flags that say what the program is given: environment, identity, limits. Each is a call of core's builder. */
import * as path from 'node:path';
import type { Limits } from '@vircommand/core';
import * as accounts from './accounts';
import { CliError } from './exit-status';
import type { FlagGroup } from './flag';
import type { Job } from './job';
import { capability, list, octal, pair, processors, size, whole, word } from './values';

/** prlimit(1)'s names, what core calls them, and how their values are written. */
const limits: Readonly<Record<string, readonly [keyof Limits, (text: string) => number]>> = {
  nofile: ['files', whole],
  nproc: ['processes', whole],
  core: ['core', size],
  memlock: ['memLock', size],
  as: ['addressSpace', size],
  cpu: ['cpu', whole],
  data: ['data', size],
  fsize: ['fileSize', size],
  stack: ['stack', size],
};
export const limitNames = Object.keys(limits);

function limit(job: Job, text: string): void {
  const takes = `NAME=SOFT[:HARD] with a name of ${limitNames.join(', ')}`;
  const [name, value] = pair(text, takes);
  const [key, read] = limits[name] ?? [];
  if (key === undefined || read === undefined) throw new CliError(`takes ${takes}, not '${text}'`);
  const one = (part: string): number | 'unlimited' => {
    if (part === 'unlimited' || part === 'infinity') return 'unlimited';
    const number = read(part);
    if (number >= 0 && Number.isSafeInteger(number)) return number;
    throw new CliError(`${name} takes a number from 0 to ${Number.MAX_SAFE_INTEGER}, or unlimited, not '${part}'`);
  };
  const [first = '', second = first, ...more] = value.split(':');
  if (more.length > 0) throw new CliError(`takes ${takes}, not '${text}'`);
  job.command.setLimit(key, { soft: one(first), hard: one(second) });
}

function passFd({ command }: Job, text: string): void {
  const [, fd, as] = /^(\d+)(?::(\d+))?$/.exec(text) ?? [];
  if (fd === undefined) throw new CliError(`takes FD or FD:AS, not '${text}'`);
  command.passFd(Number(fd), as === undefined ? {} : { as: Number(as) });
}

/** A group of its own choice comes later in the table, and wins. */
function setUser(job: Job, name: string): void {
  const { uid, gid } = accounts.user(name, job.backend);
  job.command.setUid(uid);
  if (gid !== undefined) job.command.setGid(gid);
  else job.groupUnknown = `--user: nobody knows the group of user ${uid}; name one with --group`;
}

function setGroup(job: Job, name: string): void {
  job.command.setGid(accounts.group(name, job.backend));
  job.groupUnknown = undefined;
}

/** The order is the one in which they are applied: what empties the environment before what adds to it. */
export const attributes: readonly FlagGroup<Job>[] = [
  {
    title: 'Environment',
    note: 'Without one of these the program inherits everything. With any of them it gets what they say, and nothing else.',
    flags: [
      { name: 'clean-env', help: 'nothing at all', call: 'clearEnv', apply: ({ command }) => command.clearEnv() },
      {
        name: 'env-common',
        help: 'LC_ALL=C, and PATH, HOME, USER, LOGNAME, TMPDIR and the variables of the loader as they are here',
        call: 'addEnvPassCommon',
        apply: ({ command }) => command.addEnvPassCommon(),
      },
      {
        name: 'env-pass',
        value: 'NAME',
        repeat: true,
        help: 'this variable as it is here, if it is set',
        complete: 'variable',
        call: 'addEnvPass',
        apply: ({ command }, name) => command.addEnvPass(name),
      },
      {
        name: 'env-xdg',
        value: 'DIR',
        help: 'XDG_DATA_HOME, XDG_CACHE_HOME and XDG_CONFIG_HOME below a directory',
        complete: 'directory',
        call: 'addEnvXdg',
        apply: ({ command }, directory) => command.addEnvXdg(directory),
      },
      {
        name: 'env',
        value: 'NAME=VALUE',
        repeat: true,
        help: 'this variable',
        call: 'addEnvString',
        apply: ({ command }, text) => command.addEnvString(text),
      },
    ],
  },
  {
    title: 'Identity and privileges',
    flags: [
      {
        name: 'user',
        short: 'u',
        value: 'USER',
        help: 'run as this user, by name or number, with its groups',
        complete: 'user',
        call: 'setUid',
        apply: setUser,
      },
      {
        name: 'group',
        short: 'g',
        value: 'GROUP',
        help: 'with this group, by name or number, instead of the primary one of the user',
        complete: 'group',
        call: 'setGid',
        apply: setGroup,
      },
      {
        name: 'groups',
        value: 'GROUP,...',
        help: "with these supplementary groups instead of the user's; '' for none",
        complete: 'group',
        call: 'setGroups',
        apply: ({ command, backend }, names) =>
          command.setGroups(list(names).map((name) => accounts.group(name, backend))),
      },
      {
        name: 'clear-caps',
        help: 'drop all capabilities',
        call: 'clearCaps',
        apply: ({ command }) => command.clearCaps(),
      },
      {
        name: 'cap',
        value: 'CAP,...',
        repeat: true,
        help: 'but keep these, for instance net_bind_service',
        complete: 'capability',
        call: 'allowCap',
        apply: ({ command }, names) => {
          for (const name of list(names)) command.allowCap(capability(name));
        },
      },
      {
        name: 'no-new-privs',
        help: 'neither it nor what it starts gains privileges by executing a file',
        call: 'setNoNewPrivs',
        words: [['setNoNewPrivs() protects', '--no-new-privs protects']],
        apply: ({ command }) => command.setNoNewPrivs(),
      },
      {
        name: 'selinux',
        value: 'LABEL',
        help: 'the SELinux label to execute with',
        call: 'setSelinuxLabel',
        apply: ({ command }, label) => command.setSelinuxLabel(label),
      },
      {
        name: 'apparmor',
        value: 'PROFILE',
        help: 'the AppArmor profile to execute in',
        call: 'setAppArmorProfile',
        apply: ({ command }, profile) => command.setAppArmorProfile(profile),
      },
    ],
  },
  {
    title: 'Process',
    flags: [
      {
        name: 'cwd',
        short: 'C',
        value: 'DIR',
        help: 'the working directory',
        complete: 'directory',
        call: 'setWorkingDirectory',
        apply: ({ command }, directory) => command.setWorkingDirectory(directory),
      },
      {
        name: 'argv0',
        value: 'NAME',
        help: 'what the program sees as its own name',
        call: 'setArgv0',
        apply: ({ command }, name) => command.setArgv0(name),
      },
      {
        name: 'umask',
        value: 'MASK',
        help: 'the file mode creation mask, in octal',
        call: 'setUmask',
        apply: ({ command }, mask) => command.setUmask(octal(mask)),
      },
      {
        name: 'limit',
        value: 'NAME=N[:HARD]',
        repeat: true,
        help: `a resource limit: ${limitNames.join(', ')}; a number, a size like 64M, or unlimited`,
        complete: 'limit',
        call: 'setLimit',
        words: Object.entries(limits).map(([name, [key]]) => [RegExp(`^${key}(?=: )|(?<=\\blimit )${key}\\b`), name]),
        apply: limit,
      },
      {
        name: 'nice',
        value: 'N',
        help: 'the scheduling priority, from -20 (first) to 19 (last)',
        call: 'setNice',
        apply: ({ command }, nice) => command.setNice(whole(nice)),
      },
      {
        name: 'affinity',
        value: 'CPUS',
        help: 'the processors that it may use, for instance 0-3,6',
        call: 'setAffinity',
        apply: ({ command }, cpus) => command.setAffinity(processors(cpus)),
      },
      {
        name: 'core-sched',
        value: 'alone|PID',
        help: 'share a processor core with nobody, or only with the group of a process',
        complete: ['alone'],
        call: 'setRunAmong',
        apply: ({ command }, among) => (among === 'alone' ? command.setRunAlone() : command.setRunAmong(whole(among))),
      },
      {
        name: 'session',
        help: 'a session of its own, without a terminal',
        call: 'setSession',
        apply: (job) => {
          job.session = true;
          job.command.setSession();
        },
      },
      {
        name: 'process-group',
        value: 'own|ours',
        help: 'a process group of its own, or the one of vircommand; default: ours at a terminal, own elsewhere',
        complete: ['own', 'ours'],
        call: 'setProcessGroup',
        words: [
          ['false cannot be had with setSession() or daemonize()', "'ours' cannot be had with --session or --daemon"],
        ],
        apply: ({ command }, which) => command.setProcessGroup(word(which, ['own', 'ours']) === 'own'),
      },
      {
        name: 'die-with-parent',
        help: 'the kernel ends it when vircommand dies, in whatever way',
        words: [['killOnParentExit cannot be had', '--die-with-parent cannot be had']],
        apply: (job) => {
          job.dieWithParent = true;
        },
      },
      {
        name: 'hook',
        value: 'FILE[#NAME]',
        help: 'call a function of a module before the program is executed: its default export, or this one',
        complete: 'file',
        call: 'setPreExecHook',
        apply: (job, text) => {
          const [, file = text, name] = /^(.*)#([^#/]+)$/.exec(text) ?? [];
          job.hook = { module: path.resolve(file), ...(name !== undefined && { export: name }) };
        },
      },
      {
        name: 'hook-data',
        value: 'JSON',
        help: 'what that function is called with',
        words: [[/^data (?=.*; it must be JSON$)/, '--hook-data ']],
        apply: (job, text) => {
          job.hookData = text;
        },
      },
    ],
  },
];

/** Further descriptors; apart, because a recording cannot have them. */
export const passedFds: FlagGroup<Job>['flags'][number] = {
  name: 'pass-fd',
  value: 'FD[:AS]',
  repeat: true,
  help: 'give it this descriptor too, by another number if one is said; all others are closed',
  call: 'passFd',
  words: [["setInputFd() and the like, or 'as'", '--stdin and the like, or FD:AS']],
  apply: passFd,
};
