/** Keep everything that a program writes. */
import type { Case } from '../case';
import { expectEqual, subjectsFor } from '../subjects';

const mebibyte = 1 << 20;
const sizes = [
  { mebibytes: 1, iterations: 10, rounds: 15 },
  { mebibytes: 100, iterations: 1, rounds: 11 },
  { mebibytes: 1000, iterations: 1, rounds: 6 },
];

export const capture = (): Case[] =>
  sizes.map(({ mebibytes, iterations, rounds }) => {
    const bytes = mebibytes * mebibyte;
    return {
      name: `capture/${mebibytes}MiB`,
      what: `keep ${mebibytes} MiB of output, as bytes where the library can`,
      iterations,
      rounds,
      subjects: subjectsFor(({ capture }) => async () => {
        expectEqual(await capture('head', ['-c', String(bytes), '/dev/zero']), bytes);
      }),
    };
  });
