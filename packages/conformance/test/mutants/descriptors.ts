/** Descriptors of the caller. */
import { closeSync, constants, openSync } from 'node:fs';
import type { LaunchPlan } from '@vircommand/core/backend';
import { hangs, withPlan, withStart, type Mutant } from './mutant';

const kept: number[] = [];

/** libuv changes 0, 1 and 2, and nothing else. */
function stdinAsItIs(plan: LaunchPlan): LaunchPlan {
  const { stdin, program, argv } = plan;
  if (stdin.type !== 'fd') return plan;
  return {
    ...plan,
    program: '/bin/sh',
    argv: ['sh', '-c', 'exec "$@" <&9 9<&-', 'sh', program, ...argv.slice(1)],
    stdin: { type: 'null' },
    passFds: [...plan.passFds, { fd: stdin.fd, as: 9 }],
  };
}

export const descriptorMutants: readonly Mutant[] = [
  {
    does: 'closes the caller’s descriptor',
    caughtBy: 'contract.descriptors-stay',
    break: withStart(async (good, plan) => {
      const handle = await good.start(plan);
      if (plan.stdout.type === 'fd') closeSync(plan.stdout.fd);
      return handle;
    }),
  },
  {
    does: 'hands on a nonblocking stdin as it is',
    caughtBy: 'descriptor-stdio.blocking',
    break: withPlan(stdinAsItIs),
  },
  {
    does: 'hands on a nonblocking stdin as it is when it blocks',
    caughtBy: 'descriptor-stdio.blocking.sync',
    break: withPlan(stdinAsItIs),
  },
  {
    does: 'opens a named pipe that it hands on as stdin once more',
    caughtBy: 'descriptor-stdio.named',
    bound: hangs,
    break: withStart(async (good, plan) => {
      if (plan.stdin.type !== 'fd') return good.start(plan);
      const fd = openSync(`/proc/self/fd/${plan.stdin.fd}`, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        return await good.start({ ...plan, stdin: { type: 'fd', fd } });
      } finally {
        closeSync(fd);
      }
    }),
  },
  {
    does: 'keeps a copy of a passed descriptor',
    caughtBy: 'passed.closed-in-parent',
    bound: hangs,
    break: withStart((good, plan) => {
      for (const { fd } of plan.passFds) kept.push(openSync(`/proc/self/fd/${fd}`, 'a'));
      return good.start(plan);
    }),
    cleanUp: () => kept.splice(0).forEach(closeSync),
  },
  {
    does: 'gives a passed descriptor the number that it has here',
    caughtBy: 'passed.other-number',
    break: withPlan((plan) => ({ ...plan, passFds: plan.passFds.map(({ fd }) => ({ fd, as: fd })) })),
  },
  {
    does: 'copies crossed descriptors one after the other',
    caughtBy: 'passed.crossed',
    break: withPlan((plan) => {
      const at = new Map<number, number>();
      const passFds = plan.passFds.map(({ fd, as }) => {
        const source = at.get(fd) ?? fd;
        at.set(as, source);
        return { fd: source, as };
      });
      return { ...plan, passFds };
    }),
  },
  {
    does: 'passes one descriptor only',
    caughtBy: 'passed.twice',
    break: withPlan((plan) => ({ ...plan, passFds: plan.passFds.slice(0, 1) })),
  },
  {
    does: 'passes no descriptor with a high number',
    caughtBy: 'passed.high-number',
    break: withPlan((plan) => ({ ...plan, passFds: plan.passFds.filter(({ as }) => as < 256) })),
  },
  {
    does: 'leaves out a passed descriptor that is not open',
    caughtBy: 'passed.closed',
    break: withPlan((plan) => ({
      ...plan,
      passFds: plan.passFds.filter(({ fd }) => {
        try {
          closeSync(openSync(`/proc/self/fd/${fd}`, 'r'));
          return true;
        } catch {
          return false;
        }
      }),
    })),
  },
];
