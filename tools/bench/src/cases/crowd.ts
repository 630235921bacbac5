/** Many programs at once: how long all of them take, and for how long nothing else could run meanwhile. */
import { inOwnProcess } from '../agent';
import type { Case } from '../case';

const libraries = [
  ['vircommand posix', 'ours'],
  ['vircommand child-process', 'ours'],
  ['child_process', 'peer'],
  ['execa 9', 'peer'],
  ['tinyexec', 'peer'],
  ['nano-spawn', 'peer'],
] as const;

const subjects = (of: 'taken' | 'longestTurn') =>
  libraries.map(([library, role]) => inOwnProcess({ library, role }, 'crowd', ['/bin/true'], { of }));

export const crowd = (): Case[] => [
  {
    name: 'crowd/1000',
    what: '1,000 times /bin/true at once, until all have ended',
    iterations: 1,
    rounds: 6,
    subjects: subjects('taken'),
  },
  {
    name: 'crowd/longest-turn',
    what: 'the longest turn of the event loop meanwhile',
    iterations: 1,
    rounds: 6,
    subjects: subjects('longestTurn'),
    bars: [
      { subject: 'vircommand posix', atMost: 5 },
      { subject: 'vircommand posix', than: 'child_process', atMost: 0.5 },
    ],
  },
];
