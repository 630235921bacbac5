/**
 * To be run in a pid namespace of its own: gives numbers of programs that somebody else reaped to strangers, and then
 * signals those programs. Prints what became of the strangers, and what is told of the programs.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { backend, Command, CommandAbortedError } from '@vircommand/child-process';
import { failure, planOf } from '../plans';
import { stealNext } from '../stolen';

/** A process that has this number. A thread or a process that starts at the same moment can take it, and then ends. */
async function strangerAt(pid: number): Promise<ChildProcess> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));
    // In a group of its own, which has the number too.
    const stranger = spawn('/bin/sleep', ['1000'], { detached: true });
    await once(stranger, 'spawn');
    if (stranger.pid === pid) return stranger;
    await end(stranger);
  }
  throw new Error(`number ${pid} is never free`);
}

async function end(stranger: ChildProcess): Promise<void> {
  stranger.kill('SIGKILL');
  await once(stranger, 'exit');
}

/** Whether it is still there when a process that was started after it was signalled has come and gone. */
async function told(name: string, stranger: ChildProcess, status: unknown): Promise<void> {
  await once(spawn('/bin/true'), 'exit');
  await new Promise((resolve) => setImmediate(resolve));
  const hit = stranger.exitCode !== null || stranger.signalCode !== null;
  console.log(`${name} ${hit ? 'hit' : 'survived'}: ${JSON.stringify(status)}`);
  if (!hit) await end(stranger);
}

/** As somebody else has its number. */
async function lost<T>(start: () => Promise<T>): Promise<T> {
  let taken = (): void => undefined;
  const gone = new Promise<void>((resolve) => {
    taken = resolve;
  });
  stealNext(taken);
  const running = await start();
  await gone;
  return running;
}

const sleep = ['/bin/sleep', '0.2'] as const;

async function main(): Promise<void> {
  for (const target of ['process', 'tree'] as const) {
    for (const group of ['auto', 'session'] as const) {
      const child = await lost(() => backend.start(planOf(sleep, { group })));
      const stranger = await strangerAt(child.pid ?? 0);
      const { sent } = child.signal('SIGKILL', target);
      const { exitCode, signal } = await child.exited;
      await told(`${target}, ${group}`, stranger, [sent, exitCode, signal]);
    }
  }
  const running = await lost(() => new Command(sleep[0], [sleep[1]]).runAsync());
  const stranger = await strangerAt(running.pid ?? 0);
  await running.abort();
  const error = await failure(running.wait());
  if (!(error instanceof CommandAbortedError)) throw error;
  const { exitCode, signal, ended } = error.result;
  await told('abort', stranger, [exitCode, signal, ended]);
}

void main();
