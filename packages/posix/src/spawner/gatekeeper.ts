/**
 * The gatekeeper: a thread that stops a program before it is executed, does to it what can be done from outside, and lets it
 * go. It is a thread of its own, since the one that called `posix_spawn` is blocked until then, and the one that ordered it may be,
 * too.
 *
 * The program's last file actions are an open that blocks, since we hold a lease on that file, and an open that fails unless
 * a descriptor of ours is a directory by then. Whatever happens to this thread or to the process, lease and directory are
 * gone, and the program ends instead of being executed.
 */
import { constants, openSync, readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { CommandStartError, procIsOurs, startError } from '@vircommand/core/backend';
import { errno, systemError } from '../errno';
import { failureOf } from '../launcher/protocol';
import { setLimits, raiseHardLimits } from '../launcher/steps/limits';
import { setScheduling } from '../launcher/steps/scheduling';
import type { Libc } from '../libc';
import { LINUX } from '../linux';
import { cString } from '../struct';
import { enter, HOLD, waitWhile, type GateLink } from './hold';
import type { HeldAttributes, HoldRequest, Said, Verdict } from './protocol';

/** Between two looks at the gate, in milliseconds. */
const lookDelay = 0.05;
/** So often somebody else may have the file open for writing: a program between fork and exec, with copies of everything. */
const leaseTries = 100;

const say = (said: Said): void => parentPort?.postMessage(said);

/** Why it cannot be used, though it might be later. */
class Impossible extends Error {}

class Gatekeeper {
  readonly lease: number;
  readonly token: number;
  private readonly nothing: number;
  private readonly directory: number;

  /** Throws if there can be no gate. */
  constructor(private readonly libc: Libc) {
    if (!procIsOurs()) throw new Impossible('/proc is that of other processes');
    // Node closes these when the thread ends, however it ends. The token comes first.
    this.token = openSync('/dev/null', constants.O_RDONLY);
    this.nothing = openSync('/dev/null', constants.O_RDONLY);
    this.directory = openSync('/', constants.O_RDONLY | LINUX.O_DIRECTORY);
    const memory = libc.memfd_create(cString('vircommand-gate'), LINUX.MFD_CLOEXEC);
    if (memory < 0) throw new Impossible(systemError(-memory, 'memfd_create').message);
    this.lease = openSync(`/proc/self/fd/${memory}`, constants.O_RDONLY);
    libc.close(memory);
    this.children(libc.syscall(LINUX.SYS_gettid, 0, 0, 0, 0, 0));
    this.close();
    this.open();
  }

  /** One start, from the request to what became of it. */
  hold({ tid, attributes }: HoldRequest, words: Int32Array): Verdict {
    let before: ReadonlySet<string>;
    try {
      this.checkAccess();
      before = new Set(this.children(tid));
      this.close();
    } catch (error) {
      return { type: 'impossible', why: error instanceof Error ? error.message : String(error) };
    }
    let verdict: Verdict = { type: 'impossible', why: 'the program did not come to the gate' };
    try {
      enter(words, HOLD.closed);
      if (this.hasCome(words)) verdict = this.treat(tid, before, attributes);
      if (verdict.type === 'gone') this.setToken(this.directory);
    } finally {
      this.open();
    }
    waitWhile(words, HOLD.closed);
    if (verdict.type === 'gone') this.setToken(this.nothing);
    return verdict;
  }

  /** Blocks until somebody waits for the lease, or nobody will. */
  private hasCome(words: Int32Array): boolean {
    const { libc, lease } = this;
    for (;;) {
      if (libc.fcntl(lease, LINUX.F_GETLEASE, 0) !== LINUX.F_RDLCK) return true;
      if (waitWhile(words, HOLD.closed, lookDelay) !== HOLD.closed) return false;
    }
  }

  private treat(tid: number, before: ReadonlySet<string>, privileged: HeldAttributes): Verdict {
    try {
      const come = this.children(tid).filter((pid) => !before.has(pid));
      const pid = Number(come[0]);
      if (come.length !== 1) throw new Impossible(`${come.length} processes have come instead of one`);
      const libc = libcOf(this.libc, pid);
      raiseHardLimits(libc, { privileged });
      setScheduling(libc, { privileged });
      setLimits(libc, { privileged });
      return { type: 'gone' };
    } catch (error) {
      if (error instanceof Impossible) return { type: 'impossible', why: error.message };
      const failure = error instanceof CommandStartError ? error : startError('limits', error as NodeJS.ErrnoException);
      return { type: 'failed', ...failureOf(failure) };
    }
  }

  /** The program must be able to look at our descriptors, and we to change its limits: both are about ids. */
  private checkAccess(): void {
    const { libc } = this;
    if (libc.getuid() !== libc.geteuid() || libc.getgid() !== libc.getegid()) throw new Impossible('ids differ');
    if (libc.prctl(LINUX.PR_GET_DUMPABLE, 0, 0, 0, 0) !== 1) throw new Impossible('the process is not dumpable');
  }

  private children(tid: number): string[] {
    return readFileSync(`/proc/self/task/${tid}/children`, 'latin1').split(' ').filter(Boolean);
  }

  private close(): void {
    const { libc, lease } = this;
    let result = -1;
    for (let tries = 0; tries < leaseTries; tries++) {
      result = libc.fcntl(lease, LINUX.F_SETLEASE, LINUX.F_RDLCK);
      if (result !== -errno.EAGAIN) break;
      libc.poll(null, 0, 1);
    }
    // Nothing sends the waiting thread SIGIO any more, which would end the process.
    if (result >= 0) result = libc.fcntl(lease, LINUX.F_SETOWN, 0);
    if (result >= 0) return;
    this.open();
    throw new Impossible(systemError(-result, 'fcntl(F_SETLEASE)').message);
  }

  private open(): void {
    this.libc.fcntl(this.lease, LINUX.F_SETLEASE, LINUX.F_UNLCK);
  }

  private setToken(fd: number): void {
    const result = this.libc.dup3(fd, this.token, LINUX.O_CLOEXEC);
    if (result < 0) throw startError('limits', systemError(-result, 'dup3'));
  }
}

/** What the launcher does to itself, done to another process. */
function libcOf(
  libc: Libc,
  pid: number,
): Pick<Libc, 'getrlimit' | 'setrlimit' | 'setpriority' | 'sched_setaffinity' | 'sched_getaffinity'> {
  return {
    getrlimit: (resource, limit) => libc.prlimit(pid, resource, null, limit),
    setrlimit: (resource, limit) => libc.prlimit(pid, resource, limit, null),
    setpriority: (which, _who, nice) => libc.setpriority(which, pid, nice),
    sched_setaffinity: (_pid, size, mask) => libc.sched_setaffinity(pid, size, mask),
    sched_getaffinity: (_pid, size, mask) => libc.sched_getaffinity(pid, size, mask),
  };
}

/** Serves the spawner threads whose links come, one start at a time. */
export function keepGate(libc: Libc): void {
  let keeper: Gatekeeper;
  try {
    keeper = new Gatekeeper(libc);
  } catch (error) {
    say({ type: 'refused', why: error instanceof Error ? error.message : String(error) });
    return;
  }
  parentPort?.on('message', ({ port, words }: GateLink) => {
    port.on('message', (request: HoldRequest) => {
      const verdict = keeper.hold(request, words);
      port.postMessage(verdict);
      enter(words, HOLD.over);
    });
  });
  say({ type: 'ready', shares: undefined, lease: keeper.lease, token: keeper.token });
}
