/**
 * To be run as the first process of a pid namespace of its own: gives numbers of ended programs to strangers, and then
 * signals those programs. Prints what became of the strangers.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { pidsWith, shell, start, stateOf, until } from '../started';

const quiet = { stdout: { type: 'null' }, stderr: { type: 'null' } } as const;

/** A process that has this number. Whatever else is started at the same moment can take it first. */
async function strangerAt(pid: number): Promise<ChildProcess> {
  for (;;) {
    writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));
    const stranger = spawn('/bin/sleep', ['1000'], { detached: true });
    await once(stranger, 'spawn');
    if (stranger.pid === pid) return stranger;
    stranger.kill('SIGKILL');
    await once(stranger, 'exit');
  }
}

async function survives(name: string, pid: number, signal: () => void): Promise<void> {
  const stranger = await strangerAt(pid);
  let ended = false;
  stranger.once('exit', () => (ended = true));
  signal();
  // A signal that was sent has arrived when the next process has come and gone.
  await once(spawn('/bin/true'), 'exit');
  await new Promise((resolve) => setImmediate(resolve));
  console.log(`${name} ${ended || stateOf(pid) !== 'S' ? 'hit' : 'survived'}`);
  stranger.kill('SIGKILL');
  if (!ended) await once(stranger, 'exit');
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
  await survives('descendant', child, () => parent.signal('SIGKILL', 'tree'));
  await parent.exited;
  await survives('group', parent.pid ?? 0, () => parent.signal('SIGKILL', 'tree'));
  parent.dispose();

  // The leader has ended after a signal to its tree, which lives on: its number must not be free.
  const leader = start(shell('trap "" TERM; sleep 5432 & trap "exit 0" TERM; while :; do sleep 0.01; done'), quiet);
  await until(() => pidsWith('5432').length === 1);
  leader.signal('SIGTERM', 'tree');
  await leader.exited;
  writeFileSync('/proc/sys/kernel/ns_last_pid', String((leader.pid ?? 0) - 1));
  const next = spawn('/bin/sleep', ['1000']);
  await once(next, 'spawn');
  leader.signal('SIGKILL', 'tree');
  await until(() => pidsWith('5432').length === 0);
  console.log(`pinned ${next.pid === leader.pid || stateOf(next.pid ?? 0) !== 'S' ? 'hit' : 'survived'}`);
  next.kill('SIGKILL');
}

void main();
