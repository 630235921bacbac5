/** The starts of one class: those that wait, those that its thread has, and the thread. */
import type { ChildHandle, LaunchPlan } from '@vircommand/core/backend';
import { lookAtEnd } from '../direct';
import { spawnError } from '../exec-error';
import { makeHandle } from '../handle';
import { errorOf } from '../launcher/protocol';
import type { Libc } from '../libc';
import { closedStdio } from '../above-stdio';
import { LINUX } from '../linux';
import { withUmaskOf, type Moment } from '../moment';
import { unwantedStart } from '../pace';
import type { Gate } from '../prepare';
import { expectMore, lookSoon } from '../reap';
import type { Order, Result, ThreadClass, ToSpawner } from './protocol';
import { Slot, type Shared } from './slot';
import { Thread, type Refusal } from './thread';

/** So many are prepared: the thread never waits for the next one, and no more descriptors than that wait for the thread. */
const most = 8;
/** More are prepared when so few are left, since each message wakes a thread. */
const few = 4;

interface Job {
  readonly plan: LaunchPlan;
  /** When it was asked for. */
  readonly moment: Moment;
  readonly resolve: (handle: ChildHandle | Promise<ChildHandle>) => void;
  readonly reject: (error: unknown) => void;
  /** Starts it in another way. */
  readonly instead: (why: string) => ChildHandle | Promise<ChildHandle>;
  /** Where it is held before it is executed. */
  readonly gate: Gate | undefined;
}

interface RunningJob extends Job {
  readonly slot: Slot;
  readonly thread: Thread;
}

export class Lane {
  private thread: Thread | undefined;
  /** That of this thread when it made the other one. */
  private nice = 0;
  private readonly waiting: Job[] = [];
  private readonly running = new Map<number, RunningJob>();
  private readonly free: Slot[] = [];
  /** Why there can be no such thread. */
  private refused: string | undefined;
  private lastId = 0;
  private progress: (() => void)[] = [];

  constructor(
    private readonly kind: ThreadClass,
    private readonly shared: Shared,
  ) {}

  /** A start would not wait for the thread to be made. */
  get ready(): boolean {
    return this.thread?.ready === true;
  }

  get busy(): boolean {
    return this.waiting.length + this.running.size > 0;
  }

  /**
   * Starts are made in the order of the calls.
   *
   * @param instead what is done where there can be no such thread
   * @param gate where it is held before it is executed
   */
  start(plan: LaunchPlan, moment: Moment, instead: Job['instead'], gate?: Gate): Promise<ChildHandle> {
    // The niceness of a process is that of each thread. It cannot be lowered again.
    if (this.thread !== undefined && this.nice !== niceness(this.shared.libc)) {
      return Promise.resolve(instead('this process has another niceness now'));
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ plan, moment, resolve, reject, instead, gate });
      this.work();
    });
  }

  /** Ends a start that waits. One that the thread has takes no time. */
  cancel(plan: LaunchPlan): void {
    const index = this.waiting.findIndex((job) => job.plan === plan);
    if (index < 0) return;
    const [job] = this.waiting.splice(index, 1);
    job?.reject(unwantedStart());
    this.work();
  }

  /** Why no thread can be made now. */
  refusal(): string | undefined {
    return this.thread === undefined ? (this.refused ?? closedStdio(this.shared.libc)) : undefined;
  }

  /** Has the thread made; nothing waits for it. */
  prepare(): void {
    if (this.thread !== undefined || this.refusal() !== undefined) return;
    this.nice = niceness(this.shared.libc);
    this.thread = new Thread(this.shared.libc.driver.name, this.kind, {
      said: (said) => {
        if (said.type === 'done') this.done(said.results);
        else this.work();
      },
      gone: (thread, why, refused) => {
        this.gone(thread, why, refused);
      },
    });
  }

  /** Ends the thread, once it has done what it has begun. The next start makes another one. */
  async dispose(): Promise<void> {
    const { thread } = this;
    if (thread === undefined) return;
    this.thread = undefined;
    this.work();
    while (Array.from(this.running.values()).some((job) => job.thread === thread)) {
      await new Promise<void>((resolve) => this.progress.push(resolve));
    }
    await thread.terminate();
  }

  private work(): void {
    if (this.waiting.length > 0) this.prepare();
    const refusal = this.waiting.length > 0 ? this.refusal() : undefined;
    if (refusal !== undefined) this.giveUp(refusal);
    const { thread } = this;
    if (thread?.ready === true && this.running.size <= few) this.refill(thread);
    thread?.keepAlive(this.busy);
    expectMore(this.shared.libc, this.busy);
  }

  private refill(thread: Thread): void {
    const orders: Order[] = [];
    while (this.running.size < most) {
      const job = this.waiting.shift();
      if (job === undefined) break;
      const why = whyNot(job, thread);
      if (why !== undefined) {
        this.startInstead(job, why);
        continue;
      }
      const slot = this.free.pop() ?? new Slot(this.shared);
      const id = ++this.lastId;
      try {
        if (job.gate !== undefined) this.shared.gatehouse.link(thread);
        orders.push(slot.order(job.plan, id, job.moment, thread.shares !== undefined, job.gate));
        this.running.set(id, { ...job, slot, thread });
      } catch (error) {
        this.free.push(slot);
        job.reject(error);
      }
    }
    if (orders.length > 0) thread.post({ type: 'orders', orders } satisfies ToSpawner);
  }

  private done(results: readonly Result[]): void {
    for (const result of results) {
      const job = this.running.get(result.id);
      this.running.delete(result.id);
      if (job !== undefined) this.settle(job, result);
    }
    this.work();
    for (const notify of this.progress.splice(0)) notify();
  }

  private settle(job: RunningJob, { result, stopped }: Omit<Result, 'id'>): void {
    const { plan, slot, resolve, reject } = job;
    const { libc } = this.shared;
    const { started, program } = slot;
    slot.release(started !== undefined);
    this.free.push(slot);
    if (started === undefined) {
      if (stopped?.type === 'impossible') this.startInstead(job, stopped.why);
      else reject(stopped === undefined ? spawnError(result, program) : errorOf(stopped));
      return;
    }
    const handle = makeHandle(plan, started, libc);
    // It may have exited before anybody watched.
    lookSoon(libc);
    lookAtEnd(handle, libc);
    resolve(handle);
  }

  /** A program that was started has its pid in its slot; whatever was not started is left to the next thread. */
  private gone(thread: Thread, why: string, refused: Refusal): void {
    if (this.thread === thread) this.thread = undefined;
    this.shared.gatehouse.unlink(thread);
    if (refused === 'for good') this.refused = why;
    if (refused === 'for now') this.giveUp(why);
    const again: Job[] = [];
    for (const [id, job] of this.running) {
      if (job.thread !== thread) continue;
      this.running.delete(id);
      if (job.slot.started !== undefined) this.settle(job, { result: 0, stopped: undefined });
      else {
        job.slot.release(false);
        this.free.push(job.slot);
        again.push(job);
      }
    }
    this.waiting.unshift(...again);
    this.work();
    for (const notify of this.progress.splice(0)) notify();
  }

  private giveUp(why: string): void {
    for (const job of this.waiting.splice(0)) this.startInstead(job, why);
  }

  private startInstead({ resolve, reject, instead }: Job, why: string): void {
    try {
      resolve(instead(why));
    } catch (error) {
      reject(error);
    }
  }
}

/** `os.getPriority()` takes ten times as long. */
const niceness = (libc: Libc): number => libc.getpriority(LINUX.PRIO_PROCESS, 0);

/** Why this thread cannot make this start, which needs the directory and the umask of its call. */
function whyNot({ plan, moment }: Job, { shares }: Thread): string | undefined {
  if (shares !== undefined) return withUmaskOf(plan, moment).privileged.umask === undefined ? undefined : shares;
  const unknown = plan.cwd === undefined && moment.directory.fd < 0;
  return unknown ? 'the working directory cannot be opened' : undefined;
}
