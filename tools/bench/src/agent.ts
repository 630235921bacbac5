/**
 * Subjects in processes of their own: the limit in C, other languages and runtimes, and Node with much memory or an event
 * loop to itself. Each stays while its case runs, does the work once for each line that it is sent, and takes the time
 * itself, so that talking to it is no part of the figure.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { figure, NotHere, type Figures, type Role, type Subject } from './case';

/** One run may take so many milliseconds. */
const longest = 20_000;
/** How much of what an agent complains is kept. */
const kept = 8192;

class Agent {
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  private readonly closed: Promise<unknown>;
  private readonly lines: Interface;
  private complaints = '';
  private readonly answers: AsyncIterator<string>;

  constructor([program = '', ...args]: readonly string[]) {
    this.child = spawn(program, args, { stdio: 'pipe' });
    // What cannot be started gives no answer, which is told where one is awaited.
    this.child.on('error', ({ message }) => (this.complaints = message)).stdin.on('error', () => undefined);
    this.closed = new Promise((resolve) => this.child.once('close', resolve));
    this.child.stderr.on(
      'data',
      (chunk: Buffer) => (this.complaints = `${this.complaints}${chunk.toString()}`.slice(-kept)),
    );
    this.lines = createInterface({ input: this.child.stdout });
    this.answers = this.lines[Symbol.asyncIterator]();
  }

  async ask(): Promise<Figures> {
    const timer = setTimeout(() => {
      this.complaints = `no answer after ${longest / 1000} s`;
      this.child.kill('SIGKILL');
    }, longest);
    this.child.stdin.write('go\n');
    const answer = await this.answers.next();
    clearTimeout(timer);
    if (answer.done === true) {
      await this.closed;
      throw new Error(`it failed: ${this.complaint()}`);
    }
    return JSON.parse(answer.value) as Figures;
  }

  /** The line that names an error, or else the last one. */
  private complaint(): string {
    const lines = this.complaints.trim().split('\n');
    return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? 'no answer';
  }

  async end(): Promise<void> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.stdin.end();
      await gone;
    }
    this.lines.close();
  }
}

/** A command line, or what makes it when it is needed. @throws NotHere */
export type Program = readonly string[] | (() => readonly string[]);

export const commandOf = (program: Program): readonly string[] => (typeof program === 'function' ? program() : program);

/** What is read from the answers. */
export interface Reading {
  /** Runs before the first round: a process of its own has compiled nothing yet. Default 1. */
  readonly warmUp?: number;
  /** The figure of the case. Default `taken`. */
  readonly of?: string;
  /** How many bytes (or lines) there must be. Default: it is not looked at. */
  readonly bytes?: number;
  /** A new process for each run. */
  readonly fresh?: boolean;
  /** What it may need at its highest, in MiB. */
  readonly needs?: number;
}

/** A subject that an agent does. */
export function agentSubject(name: string, role: Role, program: Program, reading: Reading = {}): Subject {
  const { of = 'taken', bytes, warmUp = 1, fresh = false, needs = 0 } = reading;
  let agent: Agent | undefined;

  const read = (answer: Figures) => {
    if (bytes !== undefined && answer.bytes !== bytes) {
      throw new Error(`${answer.bytes ?? 'nothing'} instead of ${bytes}`);
    }
    return figure(answer[of] ?? NaN, answer);
  };

  async function once(): Promise<Figures> {
    const started = new Agent(commandOf(program));
    try {
      return await started.ask();
    } finally {
      await started.end();
    }
  }

  return {
    name,
    role,
    async setup() {
      const available = Math.floor(process.availableMemory() / 2 ** 20);
      if (available < needs) throw new NotHere(`it may need ${needs} MiB of memory, and ${available} are free`);
      if (fresh) {
        commandOf(program);
        return undefined;
      }
      const started = (agent = new Agent(commandOf(program)));
      try {
        for (let run = 0; run < warmUp; run++) await started.ask();
      } catch (error) {
        await started.end();
        throw error;
      }
      return () => started.end();
    },
    run: async () => read((await (fresh ? once() : agent?.ask())) ?? {}),
  };
}

/** One after the other, as one. */
export function inSequence(name: string, role: Role, parts: readonly Subject[]): Subject {
  return {
    name,
    role,
    async setup() {
      const teardowns: (() => unknown)[] = [];
      for (const part of parts) teardowns.push((await part.setup?.()) ?? (() => undefined));
      return async () => {
        for (const teardown of teardowns) await teardown();
      };
    },
    async run() {
      let sum = 0;
      for (const part of parts)
        sum += ((await part.run()) as { readonly overriddenDuration: number }).overriddenDuration;
      return figure(sum);
    },
  };
}
