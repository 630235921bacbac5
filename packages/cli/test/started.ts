/** The command while it runs: alone, or at a terminal. */
import type { Readable, Writable } from 'node:stream';
import { Command, type RunningCommand, type SignalName } from '@vircommand/child-process';
import { quoteForShell } from '@vircommand/core/backend';
import { bin, environment } from './installed';

/** One that runs. What it writes is gathered. */
export class Started {
  text = '';
  private readonly waiting = new Set<() => void>();
  private ended = false;

  constructor(
    private readonly running: RunningCommand,
    private readonly stdin: Writable,
    stdout: Readable,
  ) {
    stdin.on('error', () => undefined);
    stdout.on('data', (chunk: Buffer) => {
      this.text += chunk.toString();
      this.look();
    });
    stdout.once('close', () => {
      this.ended = true;
      this.look();
    });
  }

  private look(): void {
    for (const check of this.waiting) check();
  }

  get pid(): number {
    return this.running.pid ?? 0;
  }

  /** Waits until it has written this. */
  async wrote(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = pattern.exec(this.text);
        if (found === null && !this.ended) return;
        this.waiting.delete(check);
        if (found === null) reject(new Error(`it ended without ${String(pattern)}: ${this.text}`));
        else resolve(found);
      };
      this.waiting.add(check);
      check();
    });
  }

  type(text: string): void {
    this.stdin.write(text);
  }

  send(signal: SignalName): void {
    this.running.kill(signal);
  }

  /** Its end. Nothing more comes from us. */
  async end(): Promise<{
    readonly status: number | undefined;
    readonly signal: string | undefined;
    readonly text: string;
  }> {
    const { exitCode, signal } = await this.running.wait();
    return { status: exitCode, signal, text: this.text };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.running.abort({ killDelay: 0 });
    // A descendant that outlived it could hold its output, and so this process, open.
    await this.running[Symbol.asyncDispose]();
  }
}

export async function start(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Started> {
  const command = new Command(program, args, { stdin: 'pipe', stdout: 'pipe', session: true });
  command.setErrorFd('stdout').clearEnv().rawStatus();
  for (const [name, value] of Object.entries(environment(env)))
    if (value !== undefined) command.addEnvPair(name, value);
  const running = await command.runAsync({ timeout: 50_000 });
  return new Started(running, running.stdin, running.stdout);
}

/** The command, with pipes and without a terminal. */
export const startAlone = (args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Started> =>
  start(process.execPath, [bin(), ...args], env);

const node = (): string => [process.execPath, bin()].map(quoteForShell).join(' ');

/** A line of shell in a terminal of its own, by script(1). `vircommand` in it is the command. */
export const startAtTerminal = (line: string, env?: NodeJS.ProcessEnv): Promise<Started> =>
  start('script', ['-qefc', line.replaceAll('vircommand', node()), '/dev/null'], { TERM: 'xterm', ...env });
