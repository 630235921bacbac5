/** Start a small program and wait for it; everybody in a process of its own. */
import type { Bar, Case } from '../case';
import { compile } from '../compile';
import { allLibraries, everybody, inVariant, limitName as inC, type Way } from '../everybody';
import { ffiNapi, posixName as posix } from '../peers';

const program = ['/bin/true'];
const linkedStatically = () => [compile('true.c', '-static')];
const warmUp = 200;
const iterations = 20;
const ways: readonly Way[] = ['start', 'startSync'];

const withFfiNapi: readonly Bar[] = [
  { subject: ffiNapi, than: posix, atMost: 1.6 },
  { subject: ffiNapi, than: 'child_process', atMost: 1 },
];
const aheadOfAll: readonly Bar[] = [
  'child_process',
  'execa 9',
  'tinyexec',
  'nano-spawn',
  'zx',
  'Deno.Command',
  'Bun.spawn',
].map((than) => ({ subject: posix, than, atMost: 1 }));

export const start = (): Case[] => [
  {
    name: 'start/async',
    what: 'start /bin/true and wait, without blocking the thread',
    iterations,
    subjects: [...everybody({ way: 'start', program, warmUp }), inVariant(ffiNapi, { way: 'start', program, warmUp })],
    bars: [{ subject: posix, than: inC, atMost: 1.4 }, ...aheadOfAll, ...withFfiNapi],
  },
  {
    name: 'start/sync',
    what: 'start /bin/true and wait, blocking the thread',
    iterations,
    subjects: everybody({ way: 'startSync', program, warmUp }),
  },
  {
    name: 'start/sync-captured',
    what: 'start /bin/true and wait, blocking the thread, with stdout captured',
    iterations,
    subjects: [
      ...everybody({ way: 'captureSync', program, warmUp }),
      inVariant(ffiNapi, { way: 'captureSync', program, warmUp }),
    ],
    bars: [
      { subject: posix, than: inC, atMost: 1.15 },
      { subject: posix, than: 'child_process', atMost: 0.5 },
      ...withFfiNapi,
    ],
  },
  ...ways.map((way) => ({
    name: way === 'start' ? 'start/static-async' : 'start/static-sync',
    what: `the same with a statically linked program, ${way === 'start' ? 'not blocking' : 'blocking'} the thread`,
    iterations,
    subjects: everybody({ way, program: linkedStatically, warmUp }),
  })),
  {
    name: 'start/block',
    what: 'for how long one start holds the event loop (in C: the call to posix_spawn alone)',
    iterations,
    unit: 'µs',
    subjects: everybody({ way: 'block', program, warmUp }),
    bars: [{ subject: posix, than: inC, atMost: 1.1 }],
  },
  {
    name: 'start/first',
    what: 'load the library in a new process, start /bin/true and wait: what a script of one command pays',
    iterations: 2,
    subjects: allLibraries({ way: 'first', program, fresh: true }),
  },
];
