/** Start a small program and wait for it. */
import type { Case } from '../case';
import { limitSubject } from '../limit';
import { subjectsFor } from '../subjects';

const program = '/bin/true';

export const start = (): Case[] => [
  {
    name: 'start/async',
    what: 'start /bin/true and wait, without blocking the thread',
    iterations: 20,
    subjects: [
      limitSubject(program),
      ...subjectsFor(
        ({ start }) =>
          async () =>
            void (await start(program, [])),
      ),
    ],
  },
  {
    name: 'start/sync',
    what: 'start /bin/true and wait, blocking the thread',
    iterations: 20,
    subjects: [
      limitSubject(program),
      ...subjectsFor(({ startSync }) => (startSync === undefined ? undefined : () => startSync(program, []))),
    ],
  },
];
