/** What goes into a program: much at once, and little, often. */
import type { Case } from '../case';
import { everybody } from '../everybody';

const fed = 100 << 20;
const trips = 1000;

export const talk = (): Case[] => [
  {
    name: 'stdin/100MiB',
    what: 'feed 100 MiB to the stdin of wc -c',
    iterations: 1,
    rounds: 9,
    subjects: everybody({ way: 'feed', amount: fed, program: ['wc', '-c'], bytes: fed, needs: 400 }),
  },
  {
    name: 'talk/64B',
    what: 'send 64 bytes to a running cat and wait until they are back',
    iterations: 2,
    rounds: 11,
    unit: 'µs',
    operations: trips,
    subjects: everybody({ way: 'talk', amount: trips, program: ['cat'] }),
  },
];
