/**
 * A parent that starts a program and then ends. Arguments: the backend, `true` or `guaranteed`, and how it ends. Writes the
 * pids of the program and of its child.
 */
import { createInterface } from 'node:readline';
import { subjectOf } from '../../src/subjects';

const [backend = '', kill = '', end = ''] = process.argv.slice(2);

/** How it ends; by a signal it is ended from outside. */
const ends: Readonly<Record<string, () => void>> = {
  'process.exit()': () => process.exit(0),
  'an uncaught error': () => {
    throw new Error('uncaught');
  },
  'an unhandled rejection': () => void Promise.reject(new Error('unhandled')),
  'SIGTERM with a handler': () => process.once('SIGTERM', () => process.exit(143)),
};

async function main(): Promise<void> {
  const { Command } = subjectOf(backend);
  const running = await new Command('/bin/sh', ['-c', 'sleep 60 & echo $$ $!; wait'], { stdout: 'pipe' }).runAsync({
    killOnParentExit: kill === 'guaranteed' ? kill : true,
  });
  const { value } = (await running.lines().next()) as { value: string };
  process.stdout.write(`${value}\n`);
  createInterface(process.stdin).once('line', () => {
    ends[end]?.();
    process.stdout.write('now\n');
  });
}

void main();
