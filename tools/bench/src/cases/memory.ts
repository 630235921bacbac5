/** What memory costs a start: Node forks, which copies page tables, `posix_spawn` does not. */
import type { Case } from '../case';
import { foreign, inC, inOwnProcess, type Task } from '../everybody';
import { childProcessName, posixName } from '../peers';

const sizes = [50, 500, 2048];
const small = 'posix, small process';
const program = ['/bin/true'];
const warmUp = 20;

const libraries = [
  [posixName, 'ours'],
  [childProcessName, 'ours'],
  ['child_process', 'peer'],
] as const;

/** Libraries over child_process pay what it pays; Python, Bun and Deno do not start like it. */
const subjects = (task: Task) => [
  inC(task),
  inOwnProcess(posixName, 'limit', { ...task, memory: 0 }, small),
  ...libraries.map(([library, role]) => inOwnProcess(library, role, task)),
  ...foreign(task),
];

export const memory = (): Case[] =>
  (['start', 'startSync'] as const).flatMap((way) =>
    sizes.map((memory) => ({
      name: `memory/${way === 'start' ? 'async' : 'sync'}-${memory}MiB`,
      what: `start /bin/true and wait, ${way === 'start' ? 'not blocking' : 'blocking'}, holding ${memory.toLocaleString('en')} MiB of Buffers`,
      iterations: 5,
      rounds: 11,
      subjects: subjects({ way, program, memory, warmUp }),
      bars: [{ subject: posixName, than: small, atMost: 1.1 }],
    })),
  );
