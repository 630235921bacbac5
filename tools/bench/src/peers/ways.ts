/** What a library is asked for, and what several of them need to answer. */
import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Role } from '../case';

type Args = readonly string[];

/** A program that answers what it is told. */
export interface Conversation {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly ended: PromiseLike<unknown>;
}

/** What one library does; what it cannot do at all is left out. */
export interface Ways {
  /** Starts a program with nothing on stdin, stdout and stderr, and waits for it. */
  readonly start: (program: string, args: Args) => PromiseLike<unknown>;
  readonly startSync?: (program: string, args: Args) => unknown;
  /** As `start`, with a umask of 027. */
  readonly startUmask?: (program: string, args: Args) => PromiseLike<unknown>;
  /** As `startUmask`, and with a niceness and limits of descriptors and core files. */
  readonly startLimited?: (program: string, args: Args) => PromiseLike<unknown>;
  /** How many bytes (or characters, where it knows no bytes) the program wrote. */
  readonly capture: (program: string, args: Args) => Promise<number>;
  readonly captureSync?: (program: string, args: Args) => number;
  /** As `capture`, but nothing is kept. */
  readonly stream?: (program: string, args: Args) => Promise<number>;
  /** How many lines the program wrote, one by one. */
  readonly lines?: (program: string, args: Args) => Promise<number>;
  /** Feeds stdin; the number that the program writes. */
  readonly feed?: (program: string, args: Args, input: Buffer) => Promise<number>;
  /** Starts a program to talk to. */
  readonly talk?: (program: string, args: Args) => Conversation | Promise<Conversation>;
}

export interface Library {
  readonly name: string;
  readonly role: Role;
  /** Called once; what it throws is the reason why the library is not here. */
  readonly load: () => Promise<Ways>;
}

export async function count(lines: AsyncIterable<unknown>): Promise<number> {
  let found = 0;
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  for await (const _ of lines) found++;
  return found;
}

/** Reads a stream and drops it. */
export const sizeOf = (stream: Readable): Promise<number> =>
  new Promise((resolve, reject) => {
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
    stream.once('end', () => resolve(bytes)).once('error', reject);
  });

/** What is written where Node alone is used. */
export const exit = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`exit code ${String(code)}`));
    });
  });

export async function collect(child: ChildProcess): Promise<Buffer> {
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  await exit(child);
  return Buffer.concat(chunks);
}

/** What a child that has both has. */
export function conversation(
  { stdin, stdout }: { readonly stdin?: Writable | null; readonly stdout?: Readable | null },
  ended: PromiseLike<unknown>,
): Conversation {
  if (!stdin || !stdout) throw new Error('no pipes');
  return { stdin, stdout, ended };
}

export const quiet = { stdio: 'ignore' } as const;
export const captured = (): { stdio: ['ignore', 'pipe', 'ignore'] } => ({ stdio: ['ignore', 'pipe', 'ignore'] });
export const piped = (): { stdio: ['pipe', 'pipe', 'ignore'] } => ({ stdio: ['pipe', 'pipe', 'ignore'] });
