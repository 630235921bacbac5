/** Backends that say something else about themselves than what is true. */
import type { Feature } from '@vircommand/core/backend';
import { both, declaring, withHandle, withSync, type Mutant } from './mutant';

/** Declared and then ignored: the program runs as if nobody had asked. */
const lies: readonly (readonly [feature: Feature, caughtBy: string])[] = [
  ['process-group', 'group.own'],
  ['send-buffer', 'send-buffer.read'],
  ['close-other-fds', 'close-others.inheritable'],
  ['resource-usage', 'status.usage'],
  ['core-dump-bit', 'status.core-dump'],
  ['umask', 'privileges.umask'],
  ['limits', 'privileges.limits'],
  ['nice', 'privileges.nice'],
  ['affinity', 'privileges.affinity'],
  ['no-new-privs', 'privileges.no-new-privileges'],
  ['handshake', 'handshake.held'],
  ['hook', 'hook.called'],
  ['exec', 'exec.missing'],
  ['kill-on-parent-exit', 'parent-exit.normal'],
];

export const declarationMutants: readonly Mutant[] = [
  ...lies.map(([feature, caughtBy]): Mutant => ({
    does: `declares ${feature}, and ignores it`,
    caughtBy,
    bound: 3000,
    break: declaring(feature),
  })),
  {
    does: 'declares uid-gid, and leaves another user the capabilities of this process',
    caughtBy: 'privileges.capabilities-of-user',
    needs: 'root',
    break: declaring('uid-gid'),
  },
  ...['parent-exit.death-signal', 'parent-exit.guaranteed'].map((caughtBy): Mutant => ({
    does: 'declares parent-death-signal, and ignores it',
    caughtBy,
    needs: 'setpriv',
    break: declaring('parent-death-signal'),
  })),
  {
    does: 'declares two ways to end programs with this process, and has neither',
    caughtBy: 'parent-exit.normal',
    needs: 'setpriv',
    break: declaring('kill-on-parent-exit', 'parent-death-signal'),
  },
  {
    does: 'declares a feature that does not exist',
    caughtBy: 'contract.declaration',
    break: (good) => ({ ...good, features: Object.freeze([...good.features, 'pass-fds' as Feature]) }),
  },
  {
    does: 'declares a feature twice',
    caughtBy: 'contract.declaration',
    break: declaring('cwd'),
  },
  {
    does: 'has features that can be written to',
    caughtBy: 'contract.features-fixed',
    break: (good) => ({ ...good, features: [...good.features] }),
  },
  {
    does: 'has other features after the first start',
    caughtBy: 'output.empty',
    break: (good) => {
      let { features } = good;
      return {
        ...good,
        get features() {
          return features;
        },
        start(plan) {
          features = Object.freeze(features.filter((feature) => feature !== 'cwd'));
          return good.start(plan);
        },
      };
    },
  },
  {
    does: 'declares synchronous runs, and has no function for them',
    caughtBy: 'contract.synchronous-part',
    break: (good) => ({ contract: 1, name: good.name, features: good.features, start: (plan) => good.start(plan) }),
  },
  {
    does: 'has a pid, and hides that it is one of this machine',
    caughtBy: 'absent.local-pid',
    break: (good) => ({ ...good, features: Object.freeze(good.features.filter((feature) => feature !== 'local-pid')) }),
  },
  {
    does: 'says that there was no core dump, which it cannot know',
    caughtBy: 'absent.core-dump-bit',
    break: withHandle(({ exited }) => ({ exited: exited.then((status) => ({ ...status, coreDumped: false })) })),
  },
  {
    does: 'says of every end that there was no core dump',
    caughtBy: 'status.core-dumped',
    needs: 'coreDumps',
    break: both(
      withHandle(({ exited }) => ({ exited: exited.then((status) => ({ ...status, coreDumped: false })) })),
      declaring('core-dump-bit'),
    ),
  },
  {
    does: 'says of every end that there was no core dump, where the thread blocks',
    caughtBy: 'status.core-dumped.sync',
    needs: 'coreDumps',
    break: both(
      withSync((good, plan, request) => ({ ...good(plan, request), coreDumped: false })),
      declaring('core-dump-bit'),
    ),
  },
  {
    does: 'has figures of zero for what was used',
    caughtBy: 'absent.resource-usage',
    break: withHandle(({ exited }) => ({
      exited: exited.then((status) => ({
        ...status,
        usage: {
          userMs: 0,
          systemMs: 0,
          maxRssKiB: 0,
          voluntaryContextSwitches: 0,
          involuntaryContextSwitches: 0,
        },
      })),
    })),
  },
  {
    does: 'adds up what all programs have used',
    caughtBy: 'status.usage',
    break: both(
      withHandle(({ exited }) => ({
        exited: exited.then((status) => {
          const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
          return {
            ...status,
            usage: {
              userMs: userCPUTime / 1000,
              systemMs: systemCPUTime / 1000,
              maxRssKiB: maxRSS,
              voluntaryContextSwitches: undefined,
              involuntaryContextSwitches: undefined,
            },
          };
        }),
      })),
      declaring('resource-usage'),
    ),
  },
];
