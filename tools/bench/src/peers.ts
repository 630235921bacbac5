/**
 * Ours and what a user would take instead, each asked for the same work in its own way. `load` is called once; what it
 * throws is the reason why the subject is not here.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { CommandConstructor } from '@vircommand/core';
import { NotHere, type Role } from './case';

/** What one library does; what it cannot do at all is left out. */
export interface Ways {
  /** Starts a program with nothing on stdin, stdout and stderr, and waits for it. */
  readonly start: (program: string, args: readonly string[]) => PromiseLike<unknown>;
  readonly startSync?: (program: string, args: readonly string[]) => unknown;
  /** How many bytes (or characters, where it knows no bytes) the program wrote. */
  readonly capture: (program: string, args: readonly string[]) => Promise<number>;
  readonly captureSync?: (program: string, args: readonly string[]) => number;
  /** As `capture`, but nothing is kept. */
  readonly stream?: (program: string, args: readonly string[]) => Promise<number>;
  /** How many lines the program wrote, one by one. */
  readonly lines?: (program: string, args: readonly string[]) => Promise<number>;
}

export interface Library {
  readonly name: string;
  readonly role: Role;
  readonly load: () => Promise<Ways>;
}

async function count(lines: AsyncIterable<unknown>): Promise<number> {
  let found = 0;
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  for await (const _ of lines) found++;
  return found;
}

const ours = (Command: CommandConstructor): Ways => ({
  start: (program, args) => new Command(program, args, { stderr: 'null' }).run(),
  startSync: (program, args) => new Command(program, args, { stderr: 'null' }).runSync(),
  capture: async (program, args) => (await new Command(program, args, { stdout: 'bytes' }).run()).stdout.length,
  captureSync: (program, args) =>
    new Command(program, args, { stdout: 'bytes', stderr: 'null' }).runSync().stdout.length,
  async stream(program, args) {
    const running = await new Command(program, args, { stdout: 'pipe', stderr: 'null' }).runAsync();
    const [bytes] = await Promise.all([sizeOf(running.stdout), running.wait()]);
    return bytes;
  },
  lines: (program, args) => count(new Command(program, args).runLines()),
});

/** Reads a stream and drops it. */
const sizeOf = (stream: Readable): Promise<number> =>
  new Promise((resolve, reject) => {
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
    stream.once('end', () => resolve(bytes)).once('error', reject);
  });

/** What everybody writes who uses Node alone. */
const exit = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`exit code ${String(code)}`));
    });
  });

async function collect(child: ChildProcess): Promise<number> {
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  await exit(child);
  return Buffer.concat(chunks).length;
}

const quiet = { stdio: 'ignore' } as const;
const captured = (): { stdio: ['ignore', 'pipe', 'ignore'] } => ({ stdio: ['ignore', 'pipe', 'ignore'] });

export const libraries: readonly Library[] = [
  {
    name: 'vircommand posix',
    role: 'ours',
    async load() {
      const { Command, whyNot } = await import('@vircommand/posix');
      const reason = whyNot();
      if (reason !== undefined) throw new NotHere(reason);
      return ours(Command);
    },
  },
  {
    name: 'vircommand child-process',
    role: 'ours',
    load: async () => ours((await import('@vircommand/child-process')).Command),
  },
  {
    name: 'child_process',
    role: 'peer',
    async load() {
      const { createInterface } = await import('node:readline');
      return {
        start: (program, args) => exit(spawn(program, args, quiet)),
        startSync: (program, args) => spawnSync(program, args, quiet),
        capture: (program, args) => collect(spawn(program, args, captured())),
        captureSync: (program, args) => spawnSync(program, args, { ...captured(), maxBuffer: Infinity }).stdout.length,
        async stream(program, args) {
          const child = spawn(program, args, captured());
          const [bytes] = await Promise.all([sizeOf(child.stdout), exit(child)]);
          return bytes;
        },
        async lines(program, args) {
          const child = spawn(program, args, captured());
          const [found] = await Promise.all([count(createInterface({ input: child.stdout })), exit(child)]);
          return found;
        },
      };
    },
  },
  { name: 'execa 9', role: 'peer', load: async () => waysOfExeca(await import('execa')) },
  {
    name: 'execa 10',
    role: 'peer',
    async load() {
      if (Number(process.versions.node.split('.')[0]) < 22) throw new NotHere('it needs Node.js 22');
      // Its interface is that of 9 as far as it is used here; its types would need newer types of Node.
      return waysOfExeca((await import(['execa', '10'].join('-'))) as typeof import('execa'));
    },
  },
  {
    name: 'tinyexec',
    role: 'peer',
    async load() {
      const { x, xSync } = await import('tinyexec');
      return {
        start: (program, args) => x(program, [...args], { nodeOptions: quiet }),
        startSync: (program, args) => xSync(program, [...args], { nodeOptions: quiet }),
        captureSync: (program, args) => xSync(program, [...args], { nodeOptions: captured() }).stdout.length,
        capture: async (program, args) => (await x(program, [...args], { nodeOptions: captured() })).stdout.length,
        lines: (program, args) => count(x(program, [...args], { nodeOptions: captured() })),
      };
    },
  },
  {
    name: 'nano-spawn',
    role: 'peer',
    async load() {
      const { default: nanoSpawn } = await import('nano-spawn');
      return {
        start: (program, args) => nanoSpawn(program, args, quiet),
        capture: async (program, args) => (await nanoSpawn(program, args, captured())).stdout.length,
        lines: (program, args) => count(nanoSpawn(program, args, captured())),
      };
    },
  },
  {
    name: 'zx',
    role: 'peer',
    async load() {
      const { $ } = await import('zx');
      const shell = $({ quiet: true, stdio: 'ignore' });
      const pipe = $({ quiet: true, ...captured() });
      return {
        start: (program, args) => shell`${program} ${args}`,
        startSync: (program, args) => $.sync({ quiet: true, stdio: 'ignore' })`${program} ${args}`,
        capture: async (program, args) => (await pipe`${program} ${args}`.buffer()).length,
        lines: (program, args) => count(pipe`${program} ${args}`),
      };
    },
  },
  {
    name: 'cross-spawn',
    role: 'peer',
    async load() {
      const { default: crossSpawn } = await import('cross-spawn');
      return {
        start: (program, args) => exit(crossSpawn(program, [...args], quiet)),
        startSync: (program, args) => crossSpawn.sync(program, [...args], quiet),
        capture: (program, args) => collect(crossSpawn(program, [...args], captured())),
      };
    },
  },
];

function waysOfExeca({ execa, execaSync }: typeof import('execa')): Ways {
  return {
    start: (program, args) => execa(program, args, quiet),
    startSync: (program, args) => execaSync(program, args, quiet),
    captureSync(program, args) {
      const options = { stdin: 'ignore', stderr: 'ignore', encoding: 'buffer', maxBuffer: 2 ** 31 } as const;
      return execaSync(program, args, options).stdout.length;
    },
    async capture(program, args) {
      const options = { stdin: 'ignore', stderr: 'ignore', encoding: 'buffer', maxBuffer: 2 ** 31 } as const;
      return (await execa(program, args, options)).stdout.length;
    },
    lines: (program, args) => count(execa(program, args, { stdin: 'ignore', stderr: 'ignore', buffer: false })),
  };
}
