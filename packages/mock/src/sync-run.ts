/** A synchronous run of a fake program: core's lifecycle in small, on stepped time. */
import type { LaunchPlan, SyncOutcome, SyncRequest } from '@vircommand/core/backend';
import type { OutputName, Part } from './answer';
import type { Call } from './calls';
import { FakeProcess, type Facts } from './engine';
import { MockError, usage } from './errors';
import { SteppedTime, type Timeline } from './timeline';

/** What is kept of one stream. */
interface Kept {
  readonly chunks: Uint8Array[];
  size: number;
  ended: boolean;
  complete: boolean;
  readonly awaited: boolean;
  destroy(): void;
}

/** Runs a program to its end without waiting; `timeline` then moves on by the time that the program took. */
export function runSync(
  plan: LaunchPlan,
  request: SyncRequest,
  part: Part,
  context: {
    readonly timeline: Timeline;
    readonly facts: Facts;
    readonly call: Call;
    readonly pid: number | undefined;
  },
): SyncOutcome {
  if (part.body !== undefined) {
    throw usage('runSync()', `${plan.text} is a program in JavaScript, which cannot run while the thread is blocked`);
  }
  const run = new SyncRun(plan, request, context.facts, context.call, context.pid);
  const outcome = run.perform(part);
  context.timeline.block(run.elapsed);
  return outcome;
}

class SyncRun {
  private readonly time = new SteppedTime();
  private readonly process: FakeProcess;
  private ending: SyncOutcome['ending'] = 'exit';
  private exceeded: SyncOutcome['exceeded'];
  private ended: SyncOutcome['ended'] = 'none';
  private exit: Pick<SyncOutcome, 'exitCode' | 'signal' | 'coreDumped' | 'usage'> | undefined;
  private gaveUp = false;
  private readonly stdout: Kept;
  private readonly stderr: Kept;

  constructor(
    private readonly plan: LaunchPlan,
    private readonly request: SyncRequest,
    facts: Facts,
    call: Call,
    private readonly pid: number | undefined,
  ) {
    // The input is in the log of the call already.
    const log = { ...call.log, stdin: [], sendBuffers: [] };
    this.process = new FakeProcess(plan, this.time, facts, log, pid, (status) => {
      this.exit = status;
      this.time.after(request.drainDelay, () => {
        this.gaveUp = true;
      });
    });
    this.stdout = this.keep('stdout');
    this.stderr = this.keep('stderr');
    this.process.feed(request.input, request.sendBuffers);
  }

  get elapsed(): number {
    return this.time.now();
  }

  perform(part: Part): SyncOutcome {
    const { request } = this;
    if (request.timeout !== undefined) {
      this.time.after(request.timeout, () => {
        if (this.exit === undefined) this.end('timeout');
      });
    }
    this.process.perform(part);
    while (!this.over) {
      if (this.time.step()) continue;
      throw new MockError(
        'ERR_MOCK_NEVER_ENDS',
        `runSync() of ${this.plan.text} would block for ever: the program never ends, and there is no timeout`,
      );
    }
    for (const output of this.outputs) output.complete &&= output.ended || !output.awaited;
    const stdout = this.bytes(this.stdout, 'stdout');
    const stderr = this.bytes(this.stderr, 'stderr');
    for (const output of this.outputs) output.destroy();
    const { exitCode, signal, coreDumped, usage: used } = this.exit ?? noStatus;
    const { ending, exceeded, ended, pid } = this;
    const outcome = { pid, exitCode, signal, coreDumped, usage: used, stdout, stderr, ending, exceeded, ended };
    return { ...outcome, ...this.completeness() };
  }

  private get outputs(): readonly Kept[] {
    return [this.stdout, this.stderr];
  }

  private completeness(): Pick<SyncOutcome, 'outputComplete' | 'incomplete'> {
    const [stdout, stderr] = [this.stdout.complete, this.stderr.complete];
    return {
      outputComplete: stdout && stderr,
      incomplete: stdout === stderr ? undefined : stdout ? 'stderr' : 'stdout',
    };
  }

  private get over(): boolean {
    return this.exit !== undefined && (this.gaveUp || this.outputs.every(({ ended, awaited }) => ended || !awaited));
  }

  private keep(name: OutputName): Kept {
    const { stderrTail, limit } = this.request;
    const tail = name === 'stderr' ? stderrTail : undefined;
    const kept: Kept = {
      chunks: [],
      size: 0,
      ended: false,
      complete: true,
      awaited: tail === undefined && this.plan[name].type === 'pipe',
      destroy: () => undefined,
    };
    const source = this.process.capture(
      name,
      (chunk) => {
        if (tail !== undefined) kept.chunks.push(chunk);
        else this.take(name, kept, chunk, limit);
      },
      () => {
        kept.ended = true;
      },
    );
    kept.destroy = () => {
      source.destroy();
    };
    return kept;
  }

  private take(name: OutputName, kept: Kept, chunk: Uint8Array, limit: SyncRequest['limit']): void {
    const own = limit[name] - kept.size;
    const total = limit.total - this.stdout.size - this.stderr.size;
    const piece = chunk.subarray(0, Math.max(0, Math.min(own, total)));
    kept.chunks.push(piece);
    kept.size += piece.length;
    if (piece.length === chunk.length) return;
    kept.complete = false;
    if (limit.onExceed === 'kill' && this.ending === 'exit') {
      this.exceeded = own <= total ? name : 'total';
      this.end('output-limit');
    }
  }

  private end(why: 'timeout' | 'output-limit'): void {
    if (this.ending !== 'exit') return;
    this.ending = why;
    const kill = (): void => {
      if (this.exit === undefined) this.signal('SIGKILL');
    };
    if (this.request.killDelay === 0) kill();
    else {
      this.signal('SIGTERM');
      this.signal('SIGCONT');
      this.time.after(this.request.killDelay, kill);
    }
  }

  private signal(name: 'SIGTERM' | 'SIGCONT' | 'SIGKILL'): void {
    const { sent, reached } = this.process.signal(name, 'tree');
    if (sent) this.ended = reached;
  }

  private bytes(kept: Kept, name: OutputName): Uint8Array | undefined {
    if (this.plan[name].type !== 'pipe') return undefined;
    const bytes = Buffer.concat(kept.chunks);
    const tail = name === 'stderr' ? this.request.stderrTail : undefined;
    return tail === undefined ? bytes : bytes.subarray(-tail);
  }
}

const noStatus = { exitCode: undefined, signal: undefined, coreDumped: undefined, usage: undefined };
