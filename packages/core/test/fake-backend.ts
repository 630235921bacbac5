/** A backend without programs: a test plays the program. */
import { PassThrough, Writable } from 'node:stream';
import { setImmediate } from 'node:timers';
import {
  bindCommand,
  FEATURES,
  type Backend,
  type ChildHandle,
  type CommandConstructor,
  type ExitStatus,
  type Feature,
  type LaunchPlan,
  type Reach,
  type SignalName,
  type SyncOutcome,
  type SyncRequest,
} from '@vircommand/core/backend';
import { VirtualClock } from './virtual-clock';

type OutputName = 'stdout' | 'stderr';

/** Keeps what is written to it. */
class Sink extends Writable {
  readonly chunks: Buffer[] = [];
  /** Takes nothing any more, as a full pipe. */
  stalled = false;
  private waiting: (() => void) | undefined;
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const take = (): void => {
      this.chunks.push(chunk);
      done();
    };
    if (this.stalled) this.waiting = take;
    else take();
  }
  /** Somebody reads. */
  flow(): void {
    this.stalled = false;
    this.waiting?.();
  }
  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

/** A program that a test plays. */
export class FakeProgram implements ChildHandle {
  readonly pid: number;
  readonly stdin: Sink | undefined;
  readonly stdout: PassThrough | undefined;
  readonly stderr: PassThrough | undefined;
  readonly sendBuffers: readonly Sink[];
  readonly exited: Promise<ExitStatus>;
  readonly handshake: ChildHandle['handshake'];
  /** `SIGTERM tree`, in their order. */
  readonly signals: string[] = [];
  /** Signals that it traps and survives. */
  readonly traps = new Set<string>();
  reach: Reach = 'group';
  disposed = 0;
  /** Descendants that are still alive. */
  descendants = 0;
  over = false;
  private settle!: { resolve(status: ExitStatus): void; reject(error: unknown): void };

  constructor(
    readonly plan: LaunchPlan,
    pid: number,
  ) {
    this.pid = pid;
    this.stdin = plan.stdin.type === 'pipe' ? new Sink() : undefined;
    this.stdout = plan.stdout.type === 'pipe' ? new PassThrough() : undefined;
    this.stderr = plan.stderr.type === 'pipe' ? new PassThrough() : undefined;
    this.sendBuffers = plan.sendBuffers.map(() => new Sink());
    this.exited = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    this.exited.catch(() => undefined);
    this.handshake = plan.handshake ? { wait: () => Promise.resolve(), notify: () => Promise.resolve() } : undefined;
  }

  treeAlive(): boolean {
    return this.descendants > 0;
  }

  write(stream: OutputName, data: string | Uint8Array): this {
    this[stream]?.write(data);
    return this;
  }

  close(...streams: OutputName[]): this {
    for (const stream of streams) this[stream]?.end();
    return this;
  }

  /** Ends by itself or by a signal; its pipes end with it unless somebody else holds them. */
  exit(how: number | SignalName = 0, held: 'pipes closed' | 'pipes held' = 'pipes closed'): this {
    if (this.over) return this;
    this.over = true;
    if (held === 'pipes closed') this.close('stdout', 'stderr');
    this.settle.resolve({
      exitCode: typeof how === 'number' ? how : undefined,
      signal: typeof how === 'number' ? undefined : how,
      coreDumped: false,
      usage: undefined,
    });
    return this;
  }

  /** The backend lost it. */
  lose(error: unknown): void {
    this.over = true;
    this.settle.reject(error);
  }

  signal(name: SignalName, target: 'process' | 'tree'): { readonly sent: boolean; readonly reached: Reach } {
    this.signals.push(`${name} ${target}`);
    if (this.over && this.descendants === 0) return { sent: false, reached: 'process' };
    if (!this.traps.has(name) && name !== 'SIGCONT') {
      if (target === 'tree') this.descendants = 0;
      this.exit(name);
    }
    return { sent: true, reached: target === 'tree' ? this.reach : 'process' };
  }

  dispose(): void {
    this.disposed++;
    if (!this.over) this.exit('SIGKILL');
    this.stdin?.destroy();
    this.stdout?.destroy();
    this.stderr?.destroy();
  }
}

interface FakeOptions {
  readonly features?: readonly Feature[];
  /** Instead of starting at once. */
  readonly start?: (program: FakeProgram) => Promise<ChildHandle>;
  readonly sync?: (plan: LaunchPlan, request: SyncRequest) => Partial<SyncOutcome>;
  readonly exec?: (plan: LaunchPlan) => Error;
}

export interface Fake {
  readonly Command: CommandConstructor;
  readonly backend: Backend;
  readonly clock: VirtualClock;
  /** Every program that was started, in order. */
  readonly programs: FakeProgram[];
  /** The last one. */
  readonly program: FakeProgram;
  readonly plan: LaunchPlan;
}

/** A backend whose programs all do the same as soon as they run; by default they exit with 0. */
export function fake(
  play: (program: FakeProgram) => void = (program) => program.exit(),
  options: FakeOptions = {},
): Fake {
  const clock = new VirtualClock();
  const programs: FakeProgram[] = [];
  const plans: LaunchPlan[] = [];
  let pid = 100;
  const backend: Backend = {
    contract: 1,
    name: 'fake',
    features: Object.freeze(options.features ?? FEATURES),
    clock,
    async start(plan) {
      plans.push(plan);
      const program = new FakeProgram(plan, pid++);
      const handle = options.start === undefined ? program : await options.start(program);
      programs.push(program);
      setImmediate(() => {
        play(program);
      });
      return handle;
    },
    exec(plan) {
      plans.push(plan);
      return options.exec?.(plan) ?? new Error('executed');
    },
    startAndWaitSync(plan, request) {
      plans.push(plan);
      const ended = { exitCode: 0, signal: undefined, coreDumped: false, usage: undefined, pid: pid++ };
      const pipes = { stdout: pipe(plan.stdout.type), stderr: pipe(plan.stderr.type) };
      const how = { ending: 'exit', outputComplete: true, ended: 'none' } as const;
      return { ...ended, ...pipes, ...how, ...options.sync?.(plan, request) };
    },
  };
  return {
    Command: bindCommand(backend),
    backend,
    clock,
    programs,
    get program() {
      return last(programs);
    },
    get plan() {
      return last(plans);
    },
  };
}

const pipe = (type: string): Uint8Array | undefined => (type === 'pipe' ? new Uint8Array() : undefined);

function last<T>(items: readonly T[]): T {
  const item = items.at(-1);
  if (item === undefined) throw new Error('nothing was started');
  return item;
}
