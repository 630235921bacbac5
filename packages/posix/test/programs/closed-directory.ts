/** `closed-directory DRIVER DIRECTORY`: a server that root starts in a directory of his, and that becomes somebody else. */
import { bindCommand } from '@vircommand/core/backend';
import { createPosixBackend } from '../../src/backend';
import type { DriverName } from '../../src/ffi';

const Command = bindCommand(createPosixBackend({ driver: process.argv[2] as DriverName }));
const nobody = 65_534;

async function burst(): Promise<void> {
  const runs = Array.from({ length: 40 }, () => new Command('true').run());
  await Promise.all(runs);
}

async function main(): Promise<void> {
  process.chdir(process.argv[3] ?? '');
  await burst();
  process.setgroups?.([]);
  process.setgid?.(nobody);
  process.setuid?.(nobody);
  for (let round = 0; round < 2; round++) await burst();
  process.stdout.write('done\n');
}

void main();
