/** Each call into libc fails once, one after the other: the result is right or the error is typed, and nothing is left. */
import { CommandError, type RunOptions } from '@vircommand/core';
import { bindCommand, type Backend } from '@vircommand/core/backend';
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { chosenDriver } from '../src/ffi';
import { makeHandle } from '../src/handle';
import { libcThrough, type Libc, type LibcName } from '../src/libc';
import { LINUX } from '../src/linux';
import { waitSync } from '../src/blocking-run';
import { startProcess } from '../src/spawn';
import { featuresWith } from '../src/features';
import { inheritable, openFds } from './plans';
import { nothingNew, until } from './started';

const real = libcThrough(chosenDriver(undefined));
const { errno } = constants;

type Call = (...args: (number | Uint8Array | null)[]) => number;
/** What a call does instead: the errors are named, and the two others are done in part. */
type Fault = keyof typeof errno | 'one byte';

/** What can happen to each, as its manual says. Not that a program that may be killed cannot be. */
const faults: Partial<Record<LibcName, readonly Fault[]>> = {
  pipe2: ['EMFILE', 'ENFILE', 'ENOMEM'],
  read: ['EINTR', 'EAGAIN', 'EIO', 'one byte'],
  write: ['EINTR', 'EAGAIN', 'EPIPE', 'one byte'],
  close: ['EINTR', 'EIO'],
  dup2: ['EMFILE', 'EINTR'],
  dup3: ['EMFILE', 'EBUSY', 'EINTR'],
  fcntl: ['EMFILE', 'EPERM'],
  openat: ['EMFILE', 'ENOMEM', 'EINTR'],
  poll: ['EINTR', 'ENOMEM', 'EINVAL'],
  epoll_create1: ['EMFILE', 'ENOMEM'],
  epoll_ctl: ['ENOMEM', 'ENOSPC'],
  epoll_wait: ['EINTR', 'EINVAL'],
  madvise: ['EAGAIN', 'EINVAL', 'ENOMEM'],
  wait4: ['EINTR'],
  waitid: ['EINTR', 'EINVAL'],
  kill: ['EPERM'],
  getpgid: ['ESRCH'],
  getrusage: ['EINVAL'],
  getrlimit: ['EINVAL'],
  syscall: ['EINTR', 'EMFILE', 'ENOMEM', 'ENOSYS'],
  posix_spawn: ['EAGAIN', 'ENOMEM', 'EMFILE', 'EINVAL', 'ENOSYS', 'ETXTBSY'],
  posix_spawn_file_actions_init: ['ENOMEM'],
  posix_spawn_file_actions_destroy: ['EINVAL'],
  posix_spawn_file_actions_adddup2: ['ENOMEM', 'EBADF'],
  posix_spawn_file_actions_addclose: ['ENOMEM', 'EBADF'],
  posix_spawn_file_actions_addfchdir_np: ['ENOMEM', 'EBADF'],
  posix_spawn_file_actions_addclosefrom_np: ['ENOMEM', 'EBADF'],
  posix_spawnattr_init: ['ENOMEM'],
  posix_spawnattr_setflags: ['EINVAL'],
  posix_spawnattr_setsigmask: ['EINVAL'],
  posix_spawnattr_setsigdefault: ['EINVAL'],
};

/** These cannot fail. */
const harmless: ReadonlySet<string> = new Set(['getenv', 'getuid', 'getppid', 'strlen']);

/** These do what they are asked for also when they report an error. */
const done: ReadonlySet<LibcName> = new Set(['close', 'posix_spawn_file_actions_destroy']);

function can(name: LibcName, fault: Fault, args: Parameters<Call>): boolean {
  if (name === 'kill') return args[1] !== constants.signals.SIGKILL;
  // waitid() is interrupted, and nothing else can happen to it; pidfd_open() is not.
  if (name === 'syscall') return (args[0] === LINUX.SYS_waitid) === (fault === 'EINTR');
  return true;
}

function faulty(name: LibcName, fault: Fault, call: Call, args: Parameters<Call>): number {
  if (fault === 'one byte') return call(args[0] ?? 0, args[1] ?? null, 1);
  if (done.has(name)) call(...args);
  return name.startsWith('posix_spawn') ? errno[fault] : -errno[fault];
}

/** libc with each call looked at: by its name, its number among those of the name, and its arguments. */
function libcWith(look: (name: LibcName, call: Call, args: Parameters<Call>) => number): Libc {
  const libc: Record<string, unknown> = { ...real };
  for (const name of Object.keys(real) as LibcName[]) {
    const call = real[name] as Call | undefined;
    if (typeof call !== 'function' || (name as string) === 'has') continue;
    libc[name] = (...args: Parameters<Call>) => look(name, call, args);
  }
  return libc as unknown as Libc;
}

function backendOn(libc: Libc): Backend {
  return {
    contract: 1,
    name: 'posix',
    features: featuresWith(real),
    start: (plan) =>
      new Promise((resolve) => {
        resolve(makeHandle(plan, startProcess(plan, libc), libc));
      }),
    startAndWaitSync: (plan, request) => waitSync(startProcess(plan, libc), request, libc),
  };
}

/** Input, send buffer, both outputs, a passed descriptor, a directory; more than pipes hold; and a status of its own. */
const busy =
  'wc -c; wc -c <&7; head -n 1 <&8 | cut -c 1-4; pwd; echo error >&2; head -c 200000 /dev/zero | tr "\\0" x; exit 3';

interface Scenario {
  readonly script: string;
  readonly options: RunOptions;
  /** Calls of one function that fail in their turn; those that follow are like these. */
  readonly most: number;
}

const scenarios: Readonly<Record<string, Scenario>> = {
  'a run to the end': { script: busy, options: { check: false }, most: 24 },
  'a run to the end with a deadline': { script: busy, options: { check: false, timeout: 60_000 }, most: 24 },
  'a deadline that ends a tree': {
    script: 'sleep 1000 & sleep 1000',
    options: { check: false, timeout: 30, killDelay: 2000 },
    most: 2,
  },
};

/** Runs twice, so that also what is used again is met by a fault; how each ended, shortened. */
async function run(libc: Libc, { script, options }: Scenario, sync: boolean): Promise<string[]> {
  const backend = backendOn(libc);
  const ends: string[] = [];
  for (let round = 0; round < 2; round++) {
    const fd = inheritable(real, '/etc/passwd');
    const command = new (bindCommand(backend))('/bin/sh', ['-c', script], {
      stdin: { input: 'i'.repeat(70_000) },
      stdout: 'text',
      stderr: 'text',
      cwd: '/usr',
      passFds: [{ fd, as: 8 }],
      sendBuffers: [{ fd: 7, data: 'ten bytes.' }],
    });
    try {
      const { stdout, stderr, exitCode, outputComplete } = sync ? command.runSync(options) : await command.run(options);
      const rest = stdout.replaceAll('x', '');
      ends.push(`${rest}${stdout.length - rest.length} ${stderr} ${exitCode} ${outputComplete}`);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      ends.push(`${error.name} ${String(Reflect.get(error, 'stage'))} ${String(Reflect.get(error, 'code'))}`);
    } finally {
      real.close(fd);
    }
  }
  return ends;
}

/** Errors that a fault may become: of the start, or of the pipes. */
const typed = /^(CommandStartError (stdio|cwd|fork|exec) E[A-Z]+|CommandIoError undefined ERR_COMMAND_IO)$/;
/** What a program shows whose input or output was really lost. */
const lossy: ReadonlySet<Fault> = new Set(['EIO', 'EPIPE']);

describe('one failing call into libc', function () {
  this.timeout(600_000);

  /** What the event loop holds of it. */
  const leftovers = (): number =>
    process.listenerCount('SIGCHLD') +
    process.getActiveResourcesInfo().filter((name) => /Pipe|Signal/.test(name)).length;
  const children = (): string[] => readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').split(' ');
  for (const [title, scenario] of Object.entries(scenarios)) {
    for (const sync of [false, true]) {
      it(`does no harm to ${title}, ${sync ? 'blocking' : 'on the event loop'}`, async function () {
        const idle = leftovers();
        await run(real, scenario, sync);
        await until(() => leftovers() <= idle);
        const before = { fds: openFds(), children: children() };
        const counts = new Map<LibcName, number>();
        const right = await run(
          libcWith((name, call, args) => {
            counts.set(name, (counts.get(name) ?? 0) + 1);
            return call(...args);
          }),
          scenario,
          sync,
        );
        expect(right.join('; ')).to.match(/^70000\n10\nroot\n\/usr\n200000 error\n 3 true; |^CommandTimeoutError/);
        expect(Array.from(counts.keys()).filter((name) => !(name in faults) && !harmless.has(name))).to.deep.equal([]);
        let injected = 0;
        for (const [name, count] of counts) {
          for (const fault of faults[name] ?? []) {
            // Where calls depend on the time, the last ones may not come.
            for (let at = 0; at < Math.min(count, scenario.most); at++) {
              let met = -1;
              let calls = 0;
              const libc = libcWith((each, call, args) => {
                if (each !== name || met >= 0 || !can(name, fault, args) || calls++ < at) return call(...args);
                met = calls;
                injected++;
                return faulty(name, fault, call, args);
              });
              const ends = await run(libc, scenario, sync);
              const where = `${name}() number ${met}: ${fault}`;
              const wrong = ends.filter((each) => !right.includes(each) && !typed.test(each));
              if (!lossy.has(fault)) expect(wrong, where).to.deep.equal([]);
              expect(ends.filter((each) => typed.test(each)).length, where).to.be.at.most(1);
              await until(() => nothingNew(openFds(), before.fds) && nothingNew(children(), before.children));
            }
          }
        }
        await until(() => leftovers() <= idle);
        if (this.test !== undefined) this.test.title += ` (${injected} faults)`;
        expect(injected).to.be.greaterThan(50);
      });
    }
  }
});
