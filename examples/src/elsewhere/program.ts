/** A program that runs elsewhere, as core sees it. */
import { Readable, Writable } from 'node:stream';
import { signalNumber, startError, type ChildHandle, type ExitStatus, type LaunchPlan } from '@vircommand/core/backend';
import type { FarError, Order, Output, Report } from './protocol';

type About<Message> = Message extends unknown ? Omit<Message, 'id'> : never;
interface Settle<Value> {
  resolve(value: Value): void;
  reject(error: Error): void;
}

const systemError = ({ message, code }: FarError): NodeJS.ErrnoException => Object.assign(new Error(message), { code });

export class FarProgram implements ChildHandle {
  /** No number of this machine: `local-pid` is not declared. */
  readonly pid = undefined;
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  readonly started: Promise<ChildHandle>;
  readonly exited: Promise<ExitStatus>;
  private start!: Settle<ChildHandle>;
  private exit!: Settle<ExitStatus>;
  private written: ((error?: Error) => void) | undefined;
  private readonly open = new Set<'program' | Output>(['program']);

  /** `order` sends one; `over` is called when there is nothing more to hear of it. */
  constructor(
    plan: LaunchPlan,
    private readonly order: (order: About<Order>) => void,
    private readonly over: () => void,
  ) {
    this.started = new Promise((resolve, reject) => (this.start = { resolve, reject }));
    this.exited = new Promise((resolve, reject) => (this.exit = { resolve, reject }));
    if (plan.stdin.type === 'pipe') this.stdin = this.input();
    if (plan.stdout.type === 'pipe') this.stdout = this.output('stdout');
    if (plan.stderr.type === 'pipe') this.stderr = this.output('stderr');
    // Who never had the program does not look at its end.
    this.exited.catch(() => undefined);
    order({ do: 'start', plan });
  }

  private input(): Writable {
    return new Writable({
      write: (bytes: Buffer, _encoding, done) => {
        this.written = done;
        this.order({ do: 'write', bytes: bytes.toString('base64') });
      },
      // After its end, too, a stream is destroyed; each write was answered by then.
      destroy: (error, done) => {
        this.order({ do: 'close', stream: 'stdin' });
        done(error);
      },
    });
  }

  private output(from: Output): Readable {
    this.open.add(from);
    return new Readable({
      read: () => this.order({ do: 'read', from }),
      destroy: (error, done) => {
        this.order({ do: 'close', stream: from });
        done(error);
      },
    });
  }

  take(report: Report): void {
    switch (report.is) {
      case 'started':
        this.start.resolve(this);
        break;
      case 'failed':
        this.start.reject(startError(report.stage, systemError(report.error), report.path));
        this.over();
        break;
      case 'output':
        this[report.from]?.push(Buffer.from(report.bytes, 'base64'));
        break;
      case 'end':
        this[report.from]?.push(null);
        this.close(report.from);
        break;
      case 'written':
        this.written?.(report.error === undefined ? undefined : systemError(report.error));
        break;
      case 'exited':
        this.exit.resolve(report.status);
        this.close('program');
        break;
    }
  }

  private close(what: 'program' | Output): void {
    this.open.delete(what);
    if (this.open.size === 0) this.over();
  }

  /** The connection broke. */
  lose(error: Error): void {
    this.start.reject(error);
    this.exit.reject(error);
  }

  signal: ChildHandle['signal'] = (name, target) => {
    const sent = this.open.has('program') && signalNumber(name) !== undefined;
    if (sent) this.order({ do: 'signal', name, target });
    // It may have reached more, but nobody here knows: `kill-tree` is not declared.
    return { sent, reached: 'process' };
  };

  dispose(): void {
    this.order({ do: 'dispose' });
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream?.destroy();
  }
}
