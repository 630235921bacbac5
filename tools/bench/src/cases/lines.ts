/** Look at each line that a program writes. */
import type { Case, Settings } from '../case';
import { expectEqual, subjectsFor } from '../subjects';

export const lines = ({ lines: count }: Settings): Case[] => [
  {
    name: 'lines/seq',
    what: `${count.toLocaleString('en')} lines of seq, one by one`,
    iterations: 1,
    rounds: 6,
    subjects: subjectsFor(({ lines }) =>
      lines === undefined
        ? undefined
        : async () => {
            expectEqual(await lines('seq', [String(count)]), count);
          },
    ),
  },
];
