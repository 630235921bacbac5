/** Keep everything that a program writes. */
import type { Case } from '../case';
import { everybody, inC } from '../agent';
import { expectEqual, subjectsFor } from '../subjects';

const mebibyte = 1 << 20;
const sizes = [
  { mebibytes: 1, iterations: 10, rounds: 15 },
  { mebibytes: 100, iterations: 1, rounds: 11 },
  { mebibytes: 1000, iterations: 1, rounds: 6 },
];

const zeros = (bytes: number): string[] => ['-c', String(bytes), '/dev/zero'];
const streamed = 100 * mebibyte;

const kept = (): Case[] =>
  sizes.map(({ mebibytes, iterations, rounds }) => {
    const bytes = mebibytes * mebibyte;
    return {
      name: `capture/${mebibytes}MiB`,
      what: `keep ${mebibytes} MiB of output, as bytes where the library can`,
      iterations,
      rounds,
      // In processes of their own: what one has kept is not for the next one's garbage collection.
      subjects: everybody('capture', ['head', ...zeros(bytes)], { bytes }),
      bars:
        mebibytes === 100
          ? [
              { subject: 'vircommand posix', than: 'posix_spawn in C', atMost: 1 / 0.75 },
              { subject: 'vircommand posix', than: 'child_process', atMost: 1 / 1.3 },
            ]
          : [],
    };
  });

/** All cases of the group. */
export const capture = (): Case[] => [
  ...kept(),
  {
    name: 'capture/stream-100MiB',
    what: 'read 100 MiB of output through a stream and drop it',
    iterations: 1,
    rounds: 11,
    subjects: [
      inC('stream', ['head', ...zeros(streamed)], { bytes: streamed }),
      ...subjectsFor(({ stream }) =>
        stream === undefined
          ? undefined
          : async () => {
              expectEqual(await stream('head', zeros(streamed)), streamed);
            },
      ),
    ],
    bars: [{ subject: 'vircommand posix', than: 'child_process', atMost: 1 / 1.4 }],
  },
];
