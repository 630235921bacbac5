/**
 * What the library adds to bare `child_process.spawn`: the same work by hand, with the same streams, in the same process.
 * The bar is 10 %.
 */
import { spawn } from 'node:child_process';
import type { CommandConstructor } from '@vircommand/core';
import type { Case, Subject } from '../case';
import { expectEqual } from '../subjects';

const size = 16 << 20;
const input = Buffer.alloc(size, 'vircommand');
type Stdio = 'ignore' | 'pipe';

interface Gathered {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** By hand, as careful as it must be: errors, exit code, both streams, a program that does not read its stdin. */
function bare(
  program: string,
  args: readonly string[],
  stdio: [Stdio, Stdio, Stdio],
  data?: Buffer,
): Promise<Gathered> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio });
    const [stdout, stderr]: Buffer[][] = [[], []];
    child.stdout?.on('data', (chunk: Buffer) => stdout?.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr?.push(chunk));
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(data);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve({ stdout: Buffer.concat(stdout ?? []), stderr: Buffer.concat(stderr ?? []) });
      else reject(new Error(`${program}: ${String(code ?? signal)}`));
    });
  });
}

type Work = (Command: CommandConstructor) => Promise<unknown>;

const pair = (byHand: () => Promise<unknown>, ours: Work): Subject[] => {
  let run: (() => Promise<unknown>) | undefined;
  return [
    { name: 'child_process.spawn', role: 'limit', run: byHand },
    {
      name: 'vircommand child-process',
      role: 'ours',
      async setup() {
        const { Command } = await import('@vircommand/child-process');
        run = () => ours(Command);
      },
      run: () => run?.(),
    },
  ];
};

const zeros = ['-c', String(size), '/dev/zero'];
interface Comparison {
  readonly name: string;
  readonly what: string;
  readonly iterations: number;
  readonly byHand: () => Promise<unknown>;
  readonly ours: Work;
}

const works: readonly Comparison[] = [
  {
    name: 'start',
    what: 'start /bin/true and wait',
    iterations: 20,
    byHand: () => bare('/bin/true', [], ['ignore', 'ignore', 'ignore']),
    ours: (Command) => new Command('/bin/true', [], { stderr: 'null' }).run(),
  },
  {
    name: 'start-tail',
    what: 'start /bin/true and wait, with stderr for the error message',
    iterations: 20,
    byHand: () => bare('/bin/true', [], ['ignore', 'ignore', 'pipe']),
    ours: (Command) => new Command('/bin/true').run(),
  },
  {
    name: 'capture-small',
    what: 'capture one line of stdout',
    iterations: 20,
    byHand: async () => (await bare('/bin/echo', ['hello'], ['ignore', 'pipe', 'ignore'])).stdout.toString(),
    ours: (Command) => new Command('/bin/echo', ['hello'], { stdout: 'text', stderr: 'null' }).run(),
  },
  {
    name: 'capture-16MiB',
    what: 'capture 16 MiB of stdout as bytes',
    iterations: 3,
    byHand: async () => {
      expectEqual((await bare('head', zeros, ['ignore', 'pipe', 'ignore'])).stdout.length, size);
    },
    ours: async (Command) => {
      expectEqual((await new Command('head', zeros, { stdout: 'bytes', stderr: 'null' }).run()).stdout.length, size);
    },
  },
  {
    name: 'stdin-16MiB',
    what: 'feed 16 MiB to stdin',
    iterations: 3,
    byHand: async () => {
      const { stdout } = await bare('wc', ['-c'], ['pipe', 'pipe', 'ignore'], input);
      expectEqual(Number(stdout.toString()), size);
    },
    ours: async (Command) => {
      const wc = new Command('wc', ['-c'], { stdin: { input }, stdout: 'text', stderr: 'null' });
      expectEqual(Number((await wc.run()).stdout), size);
    },
  },
];

export const overhead = (): Case[] =>
  works.map(({ name, what, iterations, byHand, ours }) => ({
    name: `overhead/${name}`,
    what,
    iterations,
    rounds: 25,
    bars: [{ subject: 'vircommand child-process', than: 'child_process.spawn', atMost: 1.1 }],
    subjects: pair(byHand, ours),
  }));
