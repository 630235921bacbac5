/** Tests against a mock: what a call costs that starts nothing. */
import { createMock } from '@vircommand/mock';
import type { Case } from '../case';

const operations = 200;

export const mock = (): Case[] => [
  {
    name: 'mock/run',
    what: 'a scripted call, from run() to its result',
    iterations: 5,
    unit: 'µs',
    operations,
    subjects: [
      {
        name: 'vircommand mock',
        role: 'ours',
        async run() {
          const backend = createMock();
          const { Command } = backend;
          backend.on('git').reply({ stdout: 'abc\n' }).always();
          for (let i = 0; i < operations; i++)
            await new Command('git', ['rev-parse', 'HEAD'], { stdout: 'text' }).run();
        },
      },
    ],
  },
];
