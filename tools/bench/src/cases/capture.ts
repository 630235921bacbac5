/** Read everything that a program writes: keep it, or drop it. */
import type { Case } from '../case';
import { everybody, limitName as inC } from '../everybody';
import { posixName as posix } from '../peers';

const mebibyte = 1 << 20;
const sizes = [
  { mebibytes: 1, iterations: 10, rounds: 15, warmUp: 10 },
  { mebibytes: 100, iterations: 1, rounds: 9, warmUp: 1 },
  { mebibytes: 1000, iterations: 1, rounds: 6, warmUp: 0 },
];

const zeros = (bytes: number): string[] => ['head', '-c', String(bytes), '/dev/zero'];
const usual = 100 * mebibyte;

/** A dozen subjects, some of which need several times the output and do not give it back before they need more. */
const fills = (mebibytes: number): number => Math.min(40 * mebibytes, 8192);

const kept = (): Case[] =>
  sizes.map(({ mebibytes, iterations, rounds, warmUp }) => {
    const bytes = mebibytes * mebibyte;
    return {
      name: `capture/${mebibytes}MiB`,
      what: `keep ${mebibytes.toLocaleString('en')} MiB of output, as bytes where the library can`,
      iterations,
      rounds,
      fills: fills(mebibytes),
      // Chunks, their sum, and what the runtime is slow to give back.
      subjects: everybody({ way: 'capture', program: zeros(bytes), bytes, warmUp, needs: 4 * mebibytes }),
      bars:
        mebibytes === 100
          ? [
              { subject: posix, than: inC, atMost: 1 / 0.75 },
              { subject: posix, than: 'child_process', atMost: 1 / 1.3 },
            ]
          : [],
    };
  });

/** All cases of the group. */
export const capture = (): Case[] => [
  ...kept(),
  {
    name: 'capture/sync-100MiB',
    what: 'keep 100 MiB of output, blocking the thread',
    iterations: 1,
    rounds: 9,
    fills: fills(100),
    subjects: everybody({ way: 'captureSync', program: zeros(usual), bytes: usual, needs: 400 }),
    bars: [
      { subject: posix, than: inC, atMost: 1 / 0.75 },
      { subject: posix, than: 'child_process', atMost: 1 / 1.3 },
    ],
  },
  {
    name: 'capture/stream-100MiB',
    what: 'read 100 MiB of output through a stream and drop it',
    iterations: 1,
    rounds: 11,
    subjects: everybody({ way: 'stream', program: zeros(usual), bytes: usual }),
    bars: [{ subject: posix, than: 'child_process', atMost: 1 / 1.4 }],
  },
  {
    name: 'capture/peak-100MiB',
    what: 'what resident memory grows by at its highest to keep 100 MiB of output, in a fresh process',
    iterations: 1,
    rounds: 6,
    unit: 'MiB',
    subjects: everybody({ way: 'peak', of: 'peak', program: zeros(usual), bytes: usual, fresh: true, needs: 400 }),
    bars: [{ subject: posix, atMost: 130 }],
  },
];
