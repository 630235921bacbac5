/** No descriptor is free any more as soon as an end has begun. */
import { closeSync, openSync } from 'node:fs';
import { Command, type CommandAbortedError } from '@vircommand/child-process';
import { end, failure, isAlive, until } from '../plans';

const taken: number[] = [];

function takeAll(): void {
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch {
    // Now there are none.
  }
}

async function main(): Promise<void> {
  const deaf = `trap 'exit 0' TERM; setsid sh -c 'trap "" TERM; echo $$; exec sleep 60' & wait`;
  const running = await new Command('sh', ['-c', deaf], { stdout: 'pipe' }).runAsync({
    killDelay: 300,
    drainDelay: 100,
  });
  let text = '';
  running.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await until(() => text.includes('\n'), 'the descendant runs');
  const pid = Number(text);
  const error = failure(running.wait());
  void running.abort();
  takeAll();
  const timer = setInterval(takeAll, 1);
  const { ended, signal } = ((await error) as CommandAbortedError).result;
  clearInterval(timer);
  for (const fd of taken) closeSync(fd);
  await until(() => !isAlive(pid), 'the descendant is gone').finally(() => {
    if (isAlive(pid)) end(pid);
  });
  console.log(JSON.stringify({ ended, signal: signal ?? null }));
}

void main();
