/** Describe a command and turn it into text: what it costs before anything is started. */
import type { CommandConstructor } from '@vircommand/core';
import type { Case, Subject } from '../case';

const operations = 1000;
const args = ['log', '--format=%h %s', '-n', '20', '--', 'a file'];

const subject = (name: string, role: Subject['role'], load: () => Promise<(i: number) => unknown>): Subject => {
  let one: ((i: number) => unknown) | undefined;
  return {
    name,
    role,
    async setup() {
      one = await load();
    },
    run() {
      let length = 0;
      for (let i = 0; i < operations; i++) length += String(one?.(i)).length;
      // The text is used, so that nothing of the work can be left out.
      if (length < operations) throw new Error('no text');
    },
  };
};

const core = async (): Promise<CommandConstructor> => (await import('@vircommand/core')).Command;

export const build = (): Case[] => [
  {
    name: 'build/text',
    what: 'a command with 6 arguments and 2 variables, as shell text',
    iterations: 5,
    unit: 'µs',
    operations,
    subjects: [
      subject('vircommand, setters', 'ours', async () => {
        const Command = await core();
        return (i) => new Command('git').addArgs(args).addEnvPair('LC_ALL', 'C').addEnvPair('N', String(i)).toString();
      }),
      subject('vircommand, options', 'ours', async () => {
        const Command = await core();
        return (i) => new Command('git', args, { env: { LC_ALL: 'C', N: String(i) } }).toString();
      }),
      subject('zx quote', 'peer', async () => {
        const { quote } = await import('zx');
        return (i) => `LC_ALL=C N=${quote(String(i))} git ${args.map(quote).join(' ')}`;
      }),
    ],
  },
];
