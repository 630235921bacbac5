/** How soon the caller is released where a program does not want to end. */
import type { CommandConstructor } from '@vircommand/core';
import { NotHere, type Case, type Subject } from '../case';
import { childProcessName, posixName } from '../peers';

const stubborn = { script: 'trap "" TERM; sleep 60', options: { timeout: 300, killDelay: 200 } };
/** It tells what it leaves behind. */
const heldOpen = { script: 'sleep 60 & echo $!', options: { drainDelay: 200 } };

const subject = (
  name: string,
  load: () => Promise<CommandConstructor>,
  work: (Command: CommandConstructor) => Promise<unknown>,
): Subject => {
  let Command: CommandConstructor | undefined;
  return {
    name,
    role: 'ours',
    async setup() {
      Command = await load();
      return undefined;
    },
    run: () => Command && work(Command),
  };
};

async function posix(): Promise<CommandConstructor> {
  const { Command, whyNot } = await import('@vircommand/posix');
  const reason = whyNot();
  if (reason !== undefined) throw new NotHere(reason);
  return Command;
}
const childProcess = async (): Promise<CommandConstructor> => (await import('@vircommand/child-process')).Command;

const ours = (work: (Command: CommandConstructor) => Promise<unknown>): Subject[] => [
  subject(posixName, posix, work),
  subject(childProcessName, childProcess, work),
];

export const endings = (): Case[] => [
  {
    name: 'endings/stubborn',
    what: 'sh -c \'trap "" TERM; sleep 60\', with a timeout of 300 ms and a grace of 200 ms',
    iterations: 1,
    rounds: 6,
    subjects: ours(async (Command) => {
      const { script, options } = stubborn;
      const found: unknown = await new Command('sh', ['-c', script]).run(options).catch((error: unknown) => error);
      if (!(found instanceof Error && found.name === 'CommandTimeoutError'))
        throw new Error(`no timeout: ${String(found)}`);
    }),
    bars: [posixName, childProcessName].map((name) => ({ subject: name, atMost: 1000 })),
  },
  {
    name: 'endings/held-open',
    what: "sh -c 'sleep 60 & echo $!', with a drain of 200 ms: a grandchild holds the pipe",
    iterations: 1,
    rounds: 6,
    subjects: ours(async (Command) => {
      const { script, options } = heldOpen;
      const { stdout } = await new Command('sh', ['-c', script], { stdout: 'text' }).run(options);
      if (!(Number(stdout) > 1)) throw new Error(`it wrote ${stdout}`);
      process.kill(Number(stdout), 'SIGKILL');
    }),
    bars: [posixName, childProcessName].map((name) => ({ subject: name, atMost: 300 })),
  },
];
