/**
 * The launcher: a fresh process of Node that does to itself what `posix_spawn` cannot do, in libvirt's order, and then
 * becomes the program.
 *
 * It never touches `process.stdin`, `process.stdout`, `process.stderr` or `console`, and its own descriptors 0 to 2 are
 * `/dev/null`: Node would make the program's files non-blocking.
 */
import { fstatSync, readSync, unlinkSync } from 'node:fs';
import { chdir } from 'node:process';
import { CommandStartError, startError, type Stage } from '@vircommand/core/backend';
import { errno, systemError } from '../errno';
import { loadDriver } from '../ffi';
import { loadKoffiAddon } from '../ffi/koffi';
import { libcOver, type Libc } from '../libc';
import { LINUX } from '../linux';
import { lockPidFile } from '../pidfile/acquire';
import { Rusage } from '../rusage';
import { SIGKILL } from '../signal-numbers';
import { SIZE } from '../struct';
import { LauncherDescriptors } from './descriptors';
import { ExecImage } from './exec';
import { runHook } from './hook';
import { encodeReport, ExecFailure, failureOf, type Order, type Report } from './protocol';
import { closeInspector, DefaultSignals } from './signals';
import { raiseHardLimits, setLimits } from './steps/limits';
import { changeRights } from './steps/rights';
import { setScheduling } from './steps/scheduling';
import { setUmask } from './steps/umask';
import { thrownError } from './thrown';

/** Milliseconds. */
const watchEvery = 200;
/** virCommand's exit code for everything that fails before exec. Only a debugger sees it. */
const notStarted = 125;

/** Everything of one start. */
class Launcher {
  /** What is being done, for what ends this process without a word. */
  private stage: Stage = 'launcher';
  private readonly descriptors: LauncherDescriptors;
  private over = false;
  /** The descriptor of the locked pid file. It may not be moved or closed: that drops the lock. */
  private pidFile: number | undefined;

  constructor(
    private readonly libc: Libc,
    private readonly order: Order,
    private readonly image: ExecImage,
  ) {
    this.descriptors = new LauncherDescriptors(libc, order);
  }

  /** Returns only if the program was not executed, and then for good: it ends the process. */
  async launch(): Promise<void> {
    const hooked = this.order.plan.preExecHook !== undefined;
    if (hooked) this.guard();
    try {
      this.say({ type: 'begun', pid: process.pid });
      this.before();
      if (hooked) await this.hook();
      this.after();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Up to the hook: with the rights of the caller. */
  private before(): void {
    const { libc, descriptors } = this;
    const { plan } = this.order;
    closeInspector(libc);
    descriptors.closeAllOnExec();
    if (plan.daemon) this.leaveParent();
    setUmask(libc, plan);
    if (plan.pidFile !== undefined) this.lock(plan.pidFile);
    raiseHardLimits(libc, plan);
    setScheduling(libc, plan);
  }

  private async hook(): Promise<void> {
    const { preExecHook } = this.order.plan;
    if (preExecHook === undefined) return;
    this.stage = 'hook';
    // It may wait for ever, and then nobody may wait for it any longer.
    const watching = setInterval(() => {
      if (this.isAbandoned()) this.end(false);
    }, watchEvery);
    watching.unref();
    await runHook(preExecHook);
    clearInterval(watching);
    this.stage = 'launcher';
  }

  /** Whether the caller is gone, or has given it up: the other end of its pipe is closed. */
  private isAbandoned(): boolean {
    const set = Buffer.alloc(SIZE.pollfd);
    set.writeInt32LE(this.order.go);
    return this.libc.poll(set, 1, 0) > 0;
  }

  /** From the hook to exec: privileges go, and nothing of JavaScript's is left behind. */
  private after(): void {
    const { libc, order, descriptors } = this;
    const { plan } = order;
    changeRights(libc, plan);
    // After the ids: a change of them clears it.
    if (order.parent !== undefined) this.dieWithParent(order.parent);
    if (plan.handshake) this.hold();
    // The process that gave it up may not be allowed to signal it by now.
    if (this.isAbandoned()) throw callerGone('launcher');
    descriptors.place(this.pidFile);
    this.execute();
  }

  /** With limits in force there may be no memory for anything: all that is needed is laid out before. */
  private execute(): void {
    const { libc, image, order } = this;
    const usage = new Rusage();
    libc.getrusage(LINUX.RUSAGE_SELF, usage.buffer);
    const word = encodeReport({ type: 'exec', baseline: usage.used() });
    const failure = new ExecFailure();
    const signals = new DefaultSignals(libc);
    setLimits(libc, order.plan, order.softFiles);
    // SIGPIPE is ignored until here: a caller that is gone is an error, and the pid file is tidied up.
    this.write(word);
    signals.set();
    const failed = image.execute();
    this.over = true;
    this.write(failure.bytes(failed));
    this.end(this.wait());
  }

  /** The parent is the shell that started this in the background of its session; the root keeps nothing mounted. */
  private leaveParent(): void {
    const { libc } = this;
    this.stage = 'daemon';
    const session = libc.getsid(0);
    while (libc.getppid() === session) libc.poll(null, 0, 1);
    chdir('/');
    this.stage = 'launcher';
  }

  private lock(path: string): void {
    try {
      this.pidFile = lockPidFile(this.libc, path, process.pid);
    } catch (error) {
      throw startError('pid-file', error as NodeJS.ErrnoException, path);
    }
  }

  private dieWithParent(parent: number): void {
    const { libc } = this;
    const result = libc.prctl(LINUX.PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (result < 0) throw startError('parent-death', systemError(-result, 'prctl'));
    // It died before the kernel was told.
    if (libc.getppid() !== parent) throw startError('parent-death', 'the parent is gone');
  }

  private hold(): void {
    this.say({ type: 'held' });
    if (!this.wait()) throw callerGone('handshake');
  }

  /** Waits for the caller; whether there is one. */
  private wait(): boolean {
    const byte = Buffer.alloc(1);
    for (;;) {
      const count = this.libc.read(this.order.go, byte, 1);
      if (count !== -errno.EINTR) return count === 1;
    }
  }

  private say(report: Report): void {
    this.write(encodeReport(report));
  }

  private write(bytes: Buffer): void {
    for (let offset = 0; offset < bytes.length;) {
      const count = this.libc.write(this.order.report, bytes.subarray(offset), bytes.length - offset);
      if (count === -errno.EINTR) continue;
      if (count <= 0) throw startError('launcher', systemError(-count, 'write', undefined, 'the caller is gone'));
      offset += count;
    }
  }

  /** A hook may end the process, throw an error that is not caught, or wait for something that never comes. */
  private guard(): void {
    const during = (what: string) => (error: unknown) => {
      this.fail(thrownError(this.stage, error, undefined, what));
    };
    process.on('uncaughtException', during('an error that nothing caught'));
    process.on('unhandledRejection', during('a rejection that nothing caught'));
    process.on('exit', () => {
      this.fail(startError(this.stage, 'the hook ended the process, or waits for something that cannot happen'));
    });
  }

  /** Tells the caller why, waits until the caller has removed what has to be removed, and ends. */
  private fail(error: unknown): void {
    if (this.over) return;
    this.over = true;
    try {
      const failure =
        error instanceof CommandStartError ? error : startError(this.stage, error as NodeJS.ErrnoException);
      this.say({ type: 'failed', pidFile: this.pidFile !== undefined, ...failureOf(failure) });
      this.end(this.wait());
    } catch {
      this.end(false);
    }
  }

  /** @param tidied the caller has removed the pid file, while the lock was still held */
  private end(tidied: boolean): void {
    const { pidFile } = this.order.plan;
    try {
      // If the rights are left for that. Unlocked it is stale, and the next one takes it over.
      if (!tidied && this.pidFile !== undefined && pidFile !== undefined) unlinkSync(pidFile);
    } catch {
      // It stays.
    }
    this.libc._exit(notStarted);
  }
}

const callerGone = (stage: Stage): CommandStartError =>
  startError(stage, systemError(errno.EPIPE, 'read', undefined, 'the caller is gone'));

function readOrder(): { readonly order: Order; readonly strings: Buffer } {
  const fd = Number(process.argv[2]);
  const { size } = fstatSync(fd);
  const bytes = Buffer.allocUnsafeSlow(size);
  for (let offset = 0; offset < size;) {
    offset += readSync(fd, bytes, offset, size - offset, offset);
  }
  const end = bytes.indexOf(0);
  return { order: JSON.parse(bytes.toString('utf8', 0, end)) as Order, strings: bytes.subarray(end + 1) };
}

/** The hook sees the program's environment, and nothing that was there for the start of Node or that a shell set. Changes are its own. */
function showEnvironment(entries: readonly string[]): void {
  for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name);
  for (const entry of entries) {
    const at = entry.indexOf('=');
    if (at > 0) process.env[entry.slice(0, at)] = entry.slice(at + 1);
  }
}

const { order, strings } = readOrder();
const driver = order.addon === undefined ? loadDriver(order.driver) : loadKoffiAddon(order.addon);
const libc = libcOver(driver);
if (order.plan.preExecHook !== undefined) {
  showEnvironment(
    strings
      .toString()
      .split('\0')
      .slice(1 + order.argc, -1),
  );
}
void new Launcher(libc, order, new ExecImage(libc, strings, order.argc, order.envc)).launch();
