/** Runs a program in the foreground of a terminal; survives Ctrl-C itself, and says how the program ended. */
import { subjectOf } from '../../src/subjects';

const script = 'trap "echo interrupted; exit 7" INT; echo ready; while :; do sleep 0.05; done';

async function main(): Promise<void> {
  process.on('SIGINT', () => undefined);
  const { Command } = subjectOf(process.argv[2] ?? '');
  const { exitCode } = await new Command('/bin/sh', ['-c', script], { stdout: { fd: 1 } }).run({ check: false });
  process.stdout.write(`exit code ${exitCode}\n`);
}

void main();
