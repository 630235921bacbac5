/**
 * To be run in a pid namespace of its own with the `/proc` of another one: does what numbers from there are used for, and
 * prints what became of it. Arguments: the numbers of two processes outside, a parent and its child.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync, writeFileSync } from 'node:fs';
import { Command, type CommandAbortedError } from '../../src';
import { acquirePath, forceCleanupPath } from '../../src/pidfile';
import { runsExecutable } from '../../src/pidfile/executable';
import { ownDescriptor } from '../../src/pidfile/own';

/** Starts until it gets this number: threads begin, too. */
async function startAt<Started>(pid: number, start: () => Promise<Started>, pidOf: (started: Started) => unknown) {
  for (let attempt = 0; attempt < 1000; attempt++) {
    writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));
    const started = await start();
    if (pidOf(started) === pid) return started;
  }
  throw new Error(`number ${pid} is never given`);
}

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException).code;

async function main([parent = 0, child = 0]: number[], file: string): Promise<void> {
  console.log('foreign', readlinkSync('/proc/self') !== String(process.pid));

  const daemon = new Command('sleep', ['1000'], { daemon: true, pidFile: file });
  const started = await daemon.run({ timeout: 30_000 }).catch(String);
  console.log('daemon', typeof started === 'object' && started.exitCode);
  console.log('group', await forceCleanupPath(file, { group: true }).catch(codeOf));
  console.log('cleanup', (await forceCleanupPath(file)).signal);

  // A burst makes the threads that start programs, which would take the wanted number.
  await Promise.all(Array.from({ length: 10 }, () => new Command('true').run()));
  const stranger = await startAt(
    child,
    async () => {
      const sleeper = spawn('sleep', ['1000'], { stdio: 'ignore' });
      await once(sleeper, 'spawn');
      return sleeper;
    },
    ({ pid }) => pid,
  );
  const strangersEnd = once(stranger, 'exit') as Promise<[null, string]>;
  console.log('executable', runsExecutable(parent, `/proc/${parent}/exe`));
  const program = await startAt(
    parent,
    () => new Command('sleep', ['1000']).runAsync(),
    ({ pid }) => pid,
  );
  const end = program.wait().catch((error: unknown) => error);
  await program.abort();
  const { ended, signal } = ((await end) as CommandAbortedError).result;
  // What was sent to it has come by the time that its own signal has ended it.
  stranger.kill('SIGUSR1');
  const [, strangers] = await strangersEnd;
  console.log('ended', ended, signal, strangers);

  const lock = acquirePath(file);
  console.log('locked', ownDescriptor(file) !== undefined);
  lock.release();
}

const [file = '', ...numbers] = process.argv.slice(2);
main(numbers.map(Number), file)
  .catch(console.error)
  .finally(() => process.exit());
