/** As the first process of a container, which gets all orphans: ends a program, and says what became of an orphan. */
import { readFileSync } from 'node:fs';
import { Command, type CommandAbortedError } from '@vircommand/child-process';
import { failure, isAlive, until } from '../plans';

async function main(): Promise<void> {
  // It has no parent, group or session in common with the program.
  const script = `(setsid sh -c 'echo $$; exec sleep 60' &); exec sleep 60`;
  const running = await new Command('sh', ['-c', script], { stdout: 'pipe' }).runAsync({ killDelay: 300 });
  let text = '';
  running.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await until(() => text.includes('\n'), 'the orphan runs');
  const orphan = Number(text);
  const isOurs = (): boolean => readFileSync(`/proc/${orphan}/status`, 'latin1').includes(`\nPPid:\t${process.pid}\n`);
  await until(isOurs, 'it has lost its parent');
  const error = failure(running.wait());
  await running.abort();
  const { ended } = ((await error) as CommandAbortedError).result;
  console.log(JSON.stringify({ pid: process.pid, ended, alive: isAlive(orphan) }));
}

void main();
