/** `burst HOW`: a burst of starts, and what is done meanwhile. Says `done` when it has gone well. */
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { bindCommand } from '@vircommand/core/backend';
import { createPosixBackend } from '../../src/backend';

const [, , how = '', number = '0'] = process.argv;
const backend = createPosixBackend();
const Command = bindCommand(backend);
const burst = (): Promise<number>[] =>
  Array.from({ length: 30 }, async () => (await new Command('/bin/true').run()).exitCode ?? -1);
const threads = (): number => readdirSync('/proc/self/task').length;
const done = (): void => {
  process.stdout.write('done\n');
};

/** From the moment when there is one more. */
async function afterThread(before: number, milliseconds: number): Promise<void> {
  while (threads() === before) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const ways: Readonly<Record<string, () => Promise<void>>> = {
  /** The backend is disposed again and again, at other moments of the making of its thread. */
  async dispose() {
    for (let round = 0; round < 25; round++) {
      const runs = burst();
      const until = performance.now() + round;
      while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
      await backend.dispose();
      await Promise.all(runs);
    }
    done();
  },

  /** The process ends so many milliseconds after it has begun to make a thread. */
  async exit() {
    const before = threads();
    void Promise.all(burst());
    await afterThread(before, Number(number));
    done();
    process.exit();
  },

  /** An ordinary user who may have hardly any more threads. To be run with a low limit, as root. */
  async limit() {
    process.setgroups?.([]);
    process.setgid?.(65_533);
    process.setuid?.(65_533);
    const results = await Promise.allSettled(burst());
    const errors = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as { code: string }] : [],
    );
    if (errors.every(({ code }) => code === 'EAGAIN')) done();
  },

  /** So many MiB of address space are left, again and again. */
  async room() {
    for (let round = 0; round < 5; round++) {
      const kB = /^VmSize:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
      execFileSync('prlimit', [`--pid=${process.pid}`, `--as=${Number(kB) * 1024 + Number(number) * 2 ** 20}:`]);
      await Promise.all([new Command('/bin/true', [], { nice: 5 }).run(), ...burst()]);
      await backend.dispose();
    }
    done();
  },

  /** Time is faked before the first start, and real again after it. */
  async faked() {
    const real = setTimeout(() => process.exit(1), 20_000);
    mock.timers.enable({ apis: ['setImmediate', 'setTimeout', 'setInterval'] });
    await Promise.all(burst());
    mock.timers.reset();
    await Promise.all(burst());
    clearTimeout(real);
    done();
  },

  /** The threads of libuv's pool, which are made after ours, have directory and umask of the process. */
  async pool() {
    await new Command('/bin/true', [], { umask: 0o77 }).run();
    const directory = mkdtempSync(join(tmpdir(), 'vircommand-pool-'));
    process.chdir(directory);
    process.umask(0o27);
    await writeFile('made', '');
    if ((statSync(join(directory, 'made')).mode & 0o777) === 0o640) done();
    rmSync(directory, { recursive: true });
  },

  /** Somebody has closed stdin, and nothing that waiting starts keep has its number. */
  async closed() {
    closeSync(0);
    for (let round = 0; round < 3; round++) {
      const runs = burst();
      if (existsSync('/proc/self/fd/0')) throw new Error(readlinkSync('/proc/self/fd/0'));
      await Promise.all(runs);
    }
    done();
  },
};

void ways[how]?.();
