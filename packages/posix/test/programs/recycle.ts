/**
 * To be run in a pid namespace of its own: gives numbers of ended programs to strangers, and then signals those programs.
 * Prints what became of the strangers.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { chosenDriver } from '../../src/ffi';
import { libcThrough } from '../../src/libc';
import { pidsWith, shell, stateOf, through, until } from '../started';

const { start } = through(libcThrough(chosenDriver(undefined)));
const quiet = { stdout: { type: 'null' }, stderr: { type: 'null' } } as const;

/** Time as `/proc` tells it, in hundredths of a second. */
const ticks = (): string => readFileSync('/proc/uptime', 'latin1').split(' ')[0] ?? '';

/** A process whose number is this one if it is free. */
async function nextAt(pid: number): Promise<ChildProcess> {
  // Two processes of one number are told apart by their start: so short a time between them is no case of real life.
  const before = ticks();
  await until(() => ticks() !== before);
  writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));
  const next = spawn('/bin/sleep', ['1000'], { detached: true });
  await once(next, 'spawn');
  return next;
}

async function end(stranger: ChildProcess): Promise<void> {
  stranger.kill('SIGKILL');
  if (stranger.exitCode === null && stranger.signalCode === null) await once(stranger, 'exit');
}

/** A process that has this number. A thread or a process that starts at the same moment can take it, and then ends. */
async function strangerAt(pid: number): Promise<ChildProcess> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const stranger = await nextAt(pid);
    if (stranger.pid === pid) return stranger;
    await end(stranger);
  }
  throw new Error(`number ${pid} is never free; its state is ${String(stateOf(pid))}`);
}

/** Whether it is still there when a process that was started after it was signalled has come and gone. */
async function told(name: string, stranger: ChildProcess): Promise<void> {
  await once(spawn('/bin/true'), 'exit');
  await new Promise((resolve) => setImmediate(resolve));
  const hit = stranger.exitCode !== null || stranger.signalCode !== null;
  console.log(`${name} ${hit ? 'hit' : 'survived'}`);
  await end(stranger);
}

/** While nothing can be opened. */
function withoutDescriptors(body: () => void): void {
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch {
    body();
  }
  taken.forEach(closeSync);
}

async function survives(name: string, pid: number, signal: () => void): Promise<void> {
  const stranger = await strangerAt(pid);
  signal();
  await told(name, stranger);
}

async function main(): Promise<void> {
  const over = start(['/bin/true'], quiet);
  await over.exited;
  await survives('program', over.pid ?? 0, () => {
    over.signal('SIGKILL', 'process');
    over.signal('SIGKILL', 'tree');
    over.dispose();
  });

  // A descendant that is known by its number has ended; the program itself still runs.
  const parent = start(shell('sleep 4321 & trap "" TERM; while :; do wait; sleep 0.01; done'), quiet);
  await until(() => pidsWith('4321').length === 1);
  const [child = 0] = pidsWith('4321');
  parent.signal('SIGSTOP', 'tree');
  parent.signal('SIGCONT', 'tree');
  process.kill(child, 'SIGKILL');
  await until(() => stateOf(child) === undefined);
  await survives('descendant', child, () => {
    // The program ignores it.
    withoutDescriptors(() => parent.signal('SIGTERM', 'tree'));
    parent.signal('SIGKILL', 'tree');
  });
  await parent.exited;
  // Until then the number is pinned.
  await until(() => parent.treeAlive?.() === false);
  await survives('group', parent.pid ?? 0, () => parent.signal('SIGKILL', 'tree'));
  parent.dispose();

  // The leader has ended after a signal to its tree, which lives on: its number must not be free.
  const lasting = 'trap "" TERM; sleep 5432 & trap "exit 0" TERM; sleep 6543 & while :; do sleep 0.01; done';
  const leader = start(shell(lasting), quiet);
  await until(() => pidsWith('6543').length === 1 && pidsWith('5432').length === 1);
  leader.signal('SIGTERM', 'tree');
  await leader.exited;
  const next = await nextAt(leader.pid ?? 0);
  leader.signal('SIGKILL', 'tree');
  await until(() => pidsWith('5432').length === 0);
  if (next.pid === leader.pid) console.log('the number was free');
  await told('pinned', next);
}

void main();
