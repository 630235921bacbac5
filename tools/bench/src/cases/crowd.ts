/** Many programs at once: what each costs, and for how long nothing else could run meanwhile. */
import type { Case, Subject } from '../case';
import { everybody, inVariant, type Task } from '../everybody';
import { direct, posixName as posix, thread } from '../peers';

const program = ['/bin/true'];
const sizes = [
  { amount: 1, iterations: 20, rounds: 15, warmUp: 100 },
  { amount: 32, iterations: 2, rounds: 9, warmUp: 2 },
  { amount: 64, iterations: 1, rounds: 9, warmUp: 1 },
  { amount: 256, iterations: 1, rounds: 6, warmUp: 0 },
  { amount: 1000, iterations: 1, rounds: 6, warmUp: 0 },
];

/** What the spawner thread is for; each way alone is a subject of its own there. */
const burst = 64;
const subjects = (task: Task): Subject[] => [
  ...everybody(task),
  ...(task.amount === burst ? [inVariant(direct, task), inVariant(thread, task)] : []),
];

export const crowd = (): Case[] =>
  sizes.map(({ amount, iterations, rounds, warmUp }) => {
    const name = `crowd/${amount}`;
    const many = amount.toLocaleString('en');
    return {
      name,
      what:
        amount === 1
          ? 'one /bin/true, until it has ended'
          : `${many} times /bin/true at once, until all have ended: the time of each`,
      iterations,
      rounds,
      operations: amount,
      subjects: subjects({ way: 'crowd', amount, program, warmUp }),
      bars: amount === burst ? [{ subject: thread, than: direct, atMost: 1.15 }] : [],
      // One program is over before a timer of 1 ms has told anything.
      also:
        amount === 1
          ? []
          : [
              {
                name: `${name}-longest`,
                figure: 'longest',
                what: `${many} at once: the longest time between two turns of a 1 ms timer`,
                bars: [
                  { subject: posix, atMost: 5 },
                  ...(amount === 1000 ? [{ subject: posix, than: 'child_process', atMost: 0.5 }] : []),
                  ...(amount === burst ? [{ subject: thread, atMost: 5 }] : []),
                ],
              },
              {
                name: `${name}-late`,
                figure: 'late',
                what: `${many} at once: how late a 1 ms timer is, 99th percentile`,
              },
              {
                name: `${name}-utilisation`,
                figure: 'utilization',
                unit: '%' as const,
                what: `${many} at once: event-loop utilisation`,
                bars: amount === burst ? [posix, thread].map((subject) => ({ subject, atMost: 35 })) : [],
              },
            ],
    };
  });
