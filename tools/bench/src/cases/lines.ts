/** Look at each line that a program writes. */
import type { Case, Settings } from '../case';
import { everybody } from '../everybody';

export const lines = ({ lines: count }: Settings): Case[] => [
  {
    name: 'lines/seq',
    what: `${count.toLocaleString('en')} lines of seq, one by one`,
    iterations: 1,
    rounds: 6,
    subjects: everybody({ way: 'lines', program: ['seq', String(count)], bytes: count, warmUp: 0 }),
  },
];
