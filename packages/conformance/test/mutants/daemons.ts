/** Backends that start daemons, as far as their caller sees, and do one thing wrongly with them. */
import type { Backend, ChildHandle, ExitStatus } from '@vircommand/core/backend';
import { both, declaring, hangs, withHandle, withPlan, type Mutant } from './mutant';

const begun: ExitStatus = { exitCode: 0, signal: undefined, coreDumped: undefined, usage: undefined };

/** A child that nobody waits for, with what is wrong with it. */
const daemons = (wrong: (handle: ChildHandle) => Partial<ChildHandle>): Mutant['break'] =>
  both(
    declaring('daemon'),
    withHandle((handle, { daemon }) => {
      if (!daemon) return {};
      const letGo = {
        exited: Promise.resolve(begun),
        signal: () => ({ sent: false, reached: 'process' as const }),
        dispose: () => {
          handle.stdin?.destroy();
          handle.stdout?.destroy();
          handle.stderr?.destroy();
        },
      };
      return Object.defineProperties({ ...letGo }, Object.getOwnPropertyDescriptors(wrong(handle)));
    }),
  );

/** Held by nobody. */
const unheld = (good: Backend): Backend =>
  both(
    declaring('handshake', 'pid-file'),
    withHandle((_, { handshake }) =>
      handshake ? { handshake: { wait: () => Promise.resolve(), notify: () => Promise.resolve() } } : {},
    ),
  )(good);

export const daemonMutants: readonly Mutant[] = [
  {
    does: 'waits for the end of a daemon',
    caughtBy: 'daemon.pipes',
    bound: hangs,
    break: daemons(({ exited }) => ({ exited })),
  },
  {
    does: 'gives a daemon no stdin',
    caughtBy: 'daemon.sent',
    bound: hangs,
    break: both(
      withPlan((plan) => (plan.daemon ? { ...plan, stdin: { type: 'null' } } : plan)),
      daemons(() => ({})),
    ),
  },
  {
    does: 'closes the pipes of a daemon that has begun',
    caughtBy: 'daemon.pipes',
    break: daemons(({ stdin }) => ({
      exited: Promise.resolve(begun).finally(() => {
        stdin?.destroy();
      }),
    })),
  },
  {
    does: 'ends a daemon that is disposed',
    caughtBy: 'daemon.let-go',
    bound: hangs,
    break: daemons((handle) => ({
      dispose: () => {
        handle.dispose();
      },
    })),
  },
  {
    does: 'does not hold a daemon',
    caughtBy: 'daemon.held',
    bound: hangs,
    break: both(
      unheld,
      daemons(() => ({})),
    ),
  },
  {
    does: 'lets a daemon run that is ended while it is held',
    caughtBy: 'daemon.held-ended',
    bound: hangs,
    break: both(
      unheld,
      daemons(() => ({})),
    ),
  },
  {
    does: 'does not tell that a daemon was ended while it was held',
    caughtBy: 'daemon.held-ended',
    bound: hangs,
    break: both(
      withPlan((plan) => (plan.handshake ? { ...plan, program: '/bin/sleep', argv: ['sleep', '1000'] } : plan)),
      both(
        unheld,
        daemons((handle) => ({
          exited: new Promise(() => undefined),
          signal: (name, target) => handle.signal(name, target),
          dispose: () => {
            handle.dispose();
          },
        })),
      ),
    ),
  },
  {
    does: 'looks for a daemon’s program before it is told to go on',
    caughtBy: 'daemon.held-fails',
    break: both(
      unheld,
      daemons(() => ({})),
    ),
  },
];
