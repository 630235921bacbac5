/** What memory costs a start: Node forks, which copies page tables, `posix_spawn` does not. */
import { inOwnProcess } from '../agent';
import type { Case } from '../case';

const large = 2048;
const libraries = [
  ['vircommand posix', 'ours'],
  ['vircommand child-process', 'ours'],
  ['child_process', 'peer'],
] as const;

export const memory = (): Case[] =>
  (['start', 'startSync'] as const).map((way) => ({
    name: way === 'start' ? 'memory/async' : 'memory/sync',
    what: `start /bin/true and wait, in a process that holds ${large} MiB of Buffers`,
    iterations: 5,
    rounds: 11,
    subjects: [
      inOwnProcess({ library: 'vircommand posix', role: 'limit', name: 'posix, small process' }, way, ['/bin/true']),
      ...libraries.map(([library, role]) => inOwnProcess({ library, role, memory: large }, way, ['/bin/true'])),
    ],
    bars: [{ subject: 'vircommand posix', than: 'posix, small process', atMost: 1.1 }],
  }));
