/** `ends-refused DRIVER PROGRAM`: an ordinary user, who gives a deadline to what he may not signal. Says what that reached. */
import { CommandTimeoutError } from '@vircommand/core';
import { bindCommand } from '@vircommand/core/backend';
import { createPosixBackend } from '../../src/backend';
import type { DriverName } from '../../src/ffi';

const [, , driver, program = ''] = process.argv;
const Command = bindCommand(createPosixBackend({ driver: driver as DriverName }));
const nobody = 65_534;

/** How it was ended, and the pid of who lives. */
async function ended(way: 'run' | 'runSync', argv: readonly [string, ...string[]]): Promise<readonly [string, number]> {
  const [name, ...args] = argv;
  // A slow machine needs more time until it may not be signalled.
  for (let timeout = 150; ; timeout *= 4) {
    try {
      await new Command(name, args, { stdout: 'text' })[way]({ timeout, killDelay: 50, drainDelay: 50 });
      throw new Error('it ended by itself');
    } catch (error) {
      if (!(error instanceof CommandTimeoutError)) throw error;
      if (error.result.stdout !== '') return [error.result.ended, Number(error.result.stdout)];
    }
  }
}

async function main(): Promise<void> {
  process.setgroups?.([]);
  process.setgid?.(nobody);
  process.setuid?.(nobody);
  const commands = [[program], ['sh', '-c', `${program}; :`]] as const;
  const rows = [];
  for (const argv of commands) for (const way of ['run', 'runSync'] as const) rows.push(await ended(way, argv));
  // They are still to be reaped, which would keep this process.
  process.stdout.write(JSON.stringify(rows), () => process.exit());
}

void main();
