/** Start a small program and wait for it; everybody in a process of its own. */
import { everybody } from '../agent';
import type { Case } from '../case';

const program = '/bin/true';
const posix = 'vircommand posix';
const inC = 'posix_spawn in C';

export const start = (): Case[] => [
  {
    name: 'start/async',
    what: `start ${program} and wait, without blocking the thread`,
    iterations: 20,
    subjects: everybody('start', [program], { warmUp: 200 }),
    bars: [
      { subject: posix, than: inC, atMost: 1.4 },
      { subject: posix, than: 'Bun.spawn', atMost: 1 },
    ],
  },
  {
    name: 'start/sync',
    what: `start ${program} and wait, blocking the thread`,
    iterations: 20,
    subjects: everybody('startSync', [program], { warmUp: 200 }),
  },
  {
    name: 'start/sync-captured',
    what: `start ${program} and wait, blocking the thread, with stdout captured`,
    iterations: 20,
    subjects: everybody('captureSync', [program], { warmUp: 200 }),
    bars: [
      { subject: posix, than: inC, atMost: 1.15 },
      { subject: posix, than: 'child_process', atMost: 0.5 },
    ],
  },
];
