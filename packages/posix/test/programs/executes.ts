/**
 * Becomes a program, after it has done what processes of Node do: written to its streams, listened to signals, started a
 * worker, opened files. If it fails, it says so, and whether everything still works.
 */
import { spawnSync } from 'node:child_process';
import { openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { Command, CommandStartError, type CommandOptions } from '@vircommand/core';
import { createPosixBackend } from '../../src/backend';
import type { DriverName } from '../../src/ffi';
import { libcThrough } from '../../src/libc';
import { inheritable } from '../plans';

export interface Work {
  readonly driver: DriverName;
  readonly program: string;
  readonly args: readonly string[];
  readonly options: CommandOptions;
  /** Files that it passes, by the number in the program; its own number of a file is what comes of opening it. */
  readonly files?: Readonly<Record<number, string>>;
  readonly inWorker?: boolean;
}

/** Of a process that has not become a program. */
export interface Said {
  readonly stage: string;
  readonly code: string;
  readonly reason: string;
  /** Descriptors, their flags and the signals, before and after. */
  readonly before: State;
  readonly after: State;
  /** What was read from stdin afterwards, and from a file, and what a child said. */
  readonly works: readonly [stdin: string, file: string, child: string];
}
interface State {
  readonly fds: Readonly<Record<string, string>>;
  readonly signals: readonly string[];
}

const work = (isMainThread ? JSON.parse(process.argv[2] ?? '') : workerData) as Work;
const libc = libcThrough(work.driver);

function state(): State {
  const status = readFileSync('/proc/self/status', 'latin1');
  const fds = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      // Which file, and its flags and those of the descriptor.
      const [flags = ''] = /^flags.*$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')) ?? [];
      return [[fd, `${readlinkSync(`/proc/self/fd/${fd}`)} ${flags}`]];
    } catch {
      return []; // The one that the listing itself was.
    }
  });
  return {
    fds: Object.fromEntries(fds) as Record<string, string>,
    signals: status.match(/^Sig(Blk|Ign|Cgt).*$/gm) ?? [],
  };
}

function execute(): CommandStartError {
  try {
    const backend = createPosixBackend({ driver: work.driver });
    const command = new Command(work.program, work.args, { ...work.options, backend });
    for (const [as, file] of Object.entries(work.files ?? {})) command.passFd(openSync(file, 'r'), { as: Number(as) });
    return command.exec();
  } catch (error) {
    if (error instanceof CommandStartError) return error;
    throw error;
  }
}

async function main(): Promise<void> {
  process.on('SIGTERM', () => undefined);
  process.on('exit', () => process.stdout.write('an exit listener ran\n'));
  setInterval(() => undefined, 1000).unref();
  let input = '';
  const line = new Promise<void>((resolve) =>
    process.stdin.on('data', (chunk) => {
      input += String(chunk);
      if (input.endsWith('\n')) resolve();
    }),
  );
  process.stdout.write('begun\n');
  const worker = new Worker('setInterval(() => undefined, 1000)', { eval: true });
  await new Promise((resolve) => worker.once('online', resolve));
  const fd = inheritable(libc, '/etc/passwd', 40);
  const before = state();
  const { stage, code, reason } = execute();
  const after = state();
  await line;
  const file = await readFile(`/proc/self/fd/${fd}`, 'latin1');
  process.stdin.destroy();
  await worker.terminate();
  const child = spawnSync('/bin/echo', ['child']).stdout.toString();
  const said: Said = { stage, code, reason, before, after, works: [input, file.slice(0, 4), child] };
  process.stdout.write(JSON.stringify(said) + '\n');
}

if (!isMainThread) process.stdout.write(execute().reason);
else if (work.inWorker === true) new Worker(__filename, { workerData: work });
else void main();
