/**
 * Starts through the launcher: everything that the direct way can prepare is prepared here, the rest is ordered from a fresh
 * process, which says how it went on a pipe.
 */
import { readlinkSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { startError, type LaunchPlan, type PlanString } from '@vircommand/core/backend';
import { Arena } from '../arena';
import { Attributes } from '../attributes';
import { DescriptorSet } from '../descriptor-set';
import { Environment } from '../environment';
import { errno, nulError, systemError } from '../errno';
import { koffiAddon } from '../ffi/koffi';
import { FileActions } from '../file-actions';
import type { Libc } from '../libc';
import { LINUX } from '../linux';
import { nameOfPlace, placeOf, planSince, type Moment } from '../moment';
import { programMoves, softLimit } from '../moves';
import { ownProgram } from '../own-program';
import { ownVariable } from '../own-variable';
import { checkPermission, workingDirectory } from '../program';
import type { StartedProcess } from '../spawn';
import { cString } from '../struct';
import type { Order } from './protocol';
import { programStrings } from './strings';

/** Also for an executable that was replaced since this process began. */
const executable = '/proc/self/exe';

const nul = Buffer.alloc(1);

/** What has begun, and the pipes to it. */
export interface BegunLauncher {
  /** Of a daemon: the shell between us and the launcher. */
  readonly process: StartedProcess;
  /** Reports are read here. Not blocking. */
  readonly report: number;
  /** A byte is written here. Its end tells the launcher that nobody is there. */
  readonly go: number;
  /** Where the program was found. */
  readonly program: PlanString;
  /** Absolute. */
  readonly pidFile: string | undefined;
}

type LauncherNumbers = Pick<Order, 'report' | 'go' | 'stdio' | 'others'>;

class LauncherSpawner {
  private readonly arena: Arena;
  private readonly attributes: Attributes;
  private readonly environment: Environment;
  private readonly actions: FileActions;
  private readonly descriptors: DescriptorSet;
  private readonly pid = Buffer.allocUnsafeSlow(4);
  private readonly addon: string | undefined;

  constructor(private readonly libc: Libc) {
    this.arena = new Arena(libc.driver);
    this.attributes = new Attributes(libc);
    this.environment = new Environment(libc);
    this.actions = new FileActions(libc);
    this.descriptors = new DescriptorSet(libc);
    this.addon = libc.driver.name === 'koffi' ? koffiAddon() : undefined;
  }

  begin(asked: LaunchPlan, moment?: Moment): BegunLauncher {
    checkPermission();
    const file = launcherFile();
    const plan = planSince(asked, moment);
    const env = moment?.env ?? plan.env;
    const { libc, descriptors, attributes, arena } = this;
    const { bytes, program, ...counts } = programStrings(plan, env, this.environment);
    const pidFile = absolutePidFile(plan, moment);
    let started = false;
    try {
      const parentEnds = descriptors.prepare(plan, moment);
      const report = descriptors.pipe(true, true);
      const go = descriptors.pipe(false);
      const moves = programMoves(libc, plan, descriptors);
      const others = moves.others.map(({ target }) => target);
      const free = numbersBeside(others);
      const orderNumber = free();
      const numbers: LauncherNumbers = { report: free(), go: free(), stdio: [free(), free(), free()], others };
      const order = descriptors.keep(
        this.memoryFile({ ...this.order(plan, moment, pidFile), ...numbers, ...counts }, bytes),
      );
      const [stdin, stdout, stderr] = moves.stdio;
      // The program's 0 to 2 come last: Node touches its own when it begins. All else it finds taken, and leaves alone.
      const none = descriptors.nullDevice();
      this.actions.fill(
        [none, none, none],
        [
          { source: order, target: orderNumber },
          { source: report.childs, target: numbers.report },
          { source: go.childs, target: numbers.go },
          { source: stdin, target: numbers.stdio[0] },
          { source: stdout, target: numbers.stdio[1] },
          { source: stderr, target: numbers.stdio[2] },
          ...moves.others,
        ],
        placeOf(moment),
      );
      const [path, argv] = launcherCommand(file, plan.daemon, orderNumber);
      arena.pack(path, argv, launcherEnvironment());
      const group = plan.daemon ? 'session' : attributes.group(plan.group);
      const result = libc.posix_spawn(
        this.pid,
        arena.path,
        this.actions.buffer,
        attributes.of(group),
        arena.argv,
        arena.envp,
      );
      if (result !== 0)
        throw startError(plan.daemon ? 'daemon' : 'launcher', systemError(result, 'posix_spawn', path), path);
      started = true;
      const process = { pid: this.pid.readInt32LE(0), leadsGroup: group !== 'none', parentEnds };
      return { process, report: report.ours, go: go.ours, program, pidFile };
    } finally {
      descriptors.release(started);
    }
  }

  /** All but the numbers of descriptors, and how many strings there are. */
  private order(
    plan: LaunchPlan,
    moment: Moment | undefined,
    pidFile: string | undefined,
  ): Omit<Order, keyof LauncherNumbers | 'argc' | 'envc'> {
    const { privileged, daemon, handshake, preExecHook } = plan;
    return {
      driver: this.libc.driver.name,
      addon: this.addon,
      plan: { privileged, cwd: directoryFor(plan, moment), daemon, handshake, preExecHook, pidFile },
      parent: plan.killOnParentExit === 'guaranteed' ? process.pid : undefined,
      softFiles: softLimit(this.libc),
    };
  }

  /** In memory, since a pipe holds 64 KiB only, and without a name, since there may be secrets in it. */
  private memoryFile(order: Order, strings: Buffer): number {
    const { libc } = this;
    const fd = libc.memfd_create(cString('vircommand'), LINUX.MFD_CLOEXEC);
    if (fd < 0) throw launcherError(-fd, 'memfd_create');
    const bytes = Buffer.concat([Buffer.from(JSON.stringify(order)), nul, strings]);
    for (let offset = 0; offset < bytes.length;) {
      const count = libc.write(fd, bytes.subarray(offset), bytes.length - offset);
      if (count === -errno.EINTR) continue;
      if (count <= 0) {
        libc.close(fd);
        throw launcherError(-count, 'write', -count === errno.EFBIG ? tooSmallFor(bytes.length) : undefined);
      }
      offset += count;
    }
    return fd;
  }
}

const spawners = new WeakMap<Libc, LauncherSpawner>();

/**
 * Starts the launcher of a plan; it has the order then, and nothing else has happened.
 *
 * @param moment when it was asked for, if that was not just now
 * @throws CommandStartError. Then nothing is left: no process, no descriptor.
 */
export function beginLauncher(plan: LaunchPlan, libc: Libc, moment?: Moment): BegunLauncher {
  let spawner = spawners.get(libc);
  if (spawner === undefined) spawners.set(libc, (spawner = new LauncherSpawner(libc)));
  return spawner.begin(plan, moment);
}

/** A hook may be somewhere else by the time it is entered. */
function directoryFor({ cwd, preExecHook }: LaunchPlan, moment: Moment | undefined): string | undefined {
  if (cwd === undefined || preExecHook === undefined || isAbsolute(cwd)) return cwd;
  return `${nameOfPlace(moment) ?? workingDirectory()}/${cwd}`;
}

/** A daemon's directory is the root by the time the file is opened. */
function absolutePidFile({ pidFile }: LaunchPlan, moment: Moment | undefined): string | undefined {
  if (pidFile === undefined) return undefined;
  if (pidFile.includes('\0')) throw startError('pid-file', nulError('open', pidFile), pidFile);
  if (isAbsolute(pidFile)) return resolve(pidFile);
  const directory = nameOfPlace(moment);
  if (directory !== undefined) return resolve(directory, pidFile);
  throw startError(
    'pid-file',
    systemError(errno.ENOENT, 'open', pidFile, 'the working directory was deleted'),
    pidFile,
  );
}

/**
 * A daemon's launcher is started in the background by a shell that leads the session and ends at once: so it can never get
 * a terminal, and has another parent. The shell is another program, and cannot find ours by `/proc/self`, but by what that
 * leads to: where `/proc` is that of another pid namespace, the number that we have here is a stranger's there.
 */
function launcherCommand(
  file: string,
  daemon: boolean,
  orderNumber: number,
): readonly [path: string, argv: readonly string[]] {
  const argv = [file, String(orderNumber)];
  if (!daemon) return [executable, ['node', ...argv]];
  return ['/bin/sh', ['sh', '-c', '"$@" &', 'sh', `/proc/${numberInProc()}/exe`, ...argv]];
}

function numberInProc(): string {
  try {
    return readlinkSync('/proc/self');
  } catch (error) {
    throw startError('daemon', error as NodeJS.ErrnoException);
  }
}

/** One after the other the lowest numbers that the program does not get. */
function numbersBeside(others: readonly number[]): () => number {
  let next = 3;
  return () => {
    while (others.includes(next)) next++;
    return next++;
  };
}

/** Nothing of the caller's that could change what the launcher does; only what Node itself may need to start. */
function launcherEnvironment(): [name: string, value: string][] {
  const environment: [string, string][] = [];
  const libraries = ownVariable('LD_LIBRARY_PATH');
  if (libraries !== undefined) environment.push(['LD_LIBRARY_PATH', libraries]);
  if (process.versions.electron !== undefined) environment.push(['ELECTRON_RUN_AS_NODE', '1']);
  return environment;
}

function launcherFile(): string {
  try {
    return ownProgram('launcher');
  } catch (error) {
    throw startError('launcher', error as NodeJS.ErrnoException);
  }
}

function launcherError(number: number, syscall: string, why?: string): Error {
  return startError('launcher', systemError(number, syscall, undefined, why));
}

/** Memory is a file to the kernel. */
const tooSmallFor = (bytes: number): string =>
  `the limit of the size of files, RLIMIT_FSIZE, is below the ${bytes} bytes that the launcher has to be told`;
