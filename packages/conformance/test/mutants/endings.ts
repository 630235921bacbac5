/** How programs end, and how they are ended. */
import { readdirSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { systemClock, type ChildHandle, type ExitStatus, type SyncOutcome } from '@vircommand/core/backend';
import { both, declaring, hangs, withHandle, withSync, type Mutant } from './mutant';

const withStatus = (change: (status: ExitStatus) => ExitStatus): Mutant['break'] =>
  both(
    withHandle(({ exited }) => ({ exited: exited.then(change) })),
    withSync((good, plan, request) => {
      const outcome = good(plan, request);
      return { ...outcome, ...change(outcome) };
    }),
  );

const numberOf = (signal: ExitStatus['signal']): number =>
  Object.entries(constants.signals).find(([name]) => name === signal)?.[1] ?? 0;

/** Blocks for a program that wrote half a character and was cut, as far as the test sees, and tells of it. */
const cutting = (incomplete: SyncOutcome['incomplete']): Mutant['break'] =>
  both(
    withSync(() => ({
      exitCode: 0,
      signal: undefined,
      coreDumped: undefined,
      usage: undefined,
      pid: undefined,
      stdout: Buffer.from('caf\xc3', 'latin1'),
      stderr: Buffer.from('12345'),
      ending: 'exit',
      outputComplete: false,
      incomplete,
      ended: 'none',
    })),
    declaring('sync-deadline'),
  );

const withSignal = (
  change: (good: ChildHandle['signal'], handle: ChildHandle) => ChildHandle['signal'],
): Mutant['break'] =>
  withHandle((handle) => ({ signal: change((name, target) => handle.signal(name, target), handle) }));

const atExit: (() => void)[] = [];

function endAtExit(handle: ChildHandle): () => void {
  const end = (): void => handle.dispose();
  atExit.push(end);
  process.on('exit', end);
  return end;
}

const stopListening = (): void => atExit.splice(0).forEach((listener) => process.off('exit', listener));

/** Signals everybody who has what the program has as its output by now. */
function signalHolders({ pid = 0 }: ChildHandle, name: Parameters<ChildHandle['signal']>[0]): void {
  const outputOf = (of: number | string): string | undefined => {
    try {
      return readlinkSync(`/proc/${of}/fd/1`);
    } catch {
      return undefined; // No process, or not ours.
    }
  };
  const output = outputOf(pid);
  const others = readdirSync('/proc').filter((each) => Number(each) > 0 && Number(each) !== pid);
  if (!output?.startsWith('pipe:')) return;
  for (const other of others) if (outputOf(other) === output) process.kill(Number(other), name);
}

const byOutput: Mutant['break'] = both(
  withSignal((good, handle) => (name, target) => {
    if (target === 'tree') signalHolders(handle, name);
    return { ...good(name, target), reached: target };
  }),
  declaring('kill-tree'),
);

/** Deadlines come early, so that a case need not be waited for that tries long ones, too. */
const hurried: Mutant['break'] = (good) => ({
  ...good,
  clock: { now: () => systemClock.now(), after: (ms, callback) => systemClock.after(ms / 8, callback) },
});

/** The end of the program is known when a signal is sent, and not before. */
const tellingLate: Mutant['break'] = withHandle((handle) => {
  let signalled = (): void => undefined;
  const late = new Promise<void>((resolve) => {
    signalled = resolve;
  });
  return {
    exited: late.then(() => handle.exited),
    signal: (name, target) => {
      signalled();
      return handle.signal(name, target);
    },
  };
});

const streamsOf = ({ stdin, stdout, stderr }: ChildHandle) => [stdin, stdout, stderr];

export const endingMutants: readonly Mutant[] = [
  {
    does: 'reports a death by signal as exit code 0',
    caughtBy: 'status.signal',
    break: withStatus((status) =>
      status.signal === undefined ? status : { ...status, signal: undefined, exitCode: 0 },
    ),
  },
  {
    does: 'reports a death by signal as exit code 128 and its number, as shells do',
    caughtBy: 'status.raw',
    break: withStatus((status) =>
      status.signal === undefined ? status : { ...status, signal: undefined, exitCode: 128 + numberOf(status.signal) },
    ),
  },
  {
    does: 'takes exit codes above 128 for deaths by signal',
    caughtBy: 'status.exit-codes',
    break: withStatus((status) =>
      (status.exitCode ?? 0) > 128 ? { ...status, signal: 'SIGTERM', exitCode: undefined } : status,
    ),
  },
  {
    does: 'reports another exit code',
    caughtBy: 'status.checked',
    break: withStatus((status) => ({ ...status, exitCode: status.exitCode === 0 ? 0 : 1 })),
  },
  {
    does: 'reports success before the program has ended',
    caughtBy: 'status.checked',
    break: withHandle(() => ({
      exited: Promise.resolve({ exitCode: 0, signal: undefined, coreDumped: undefined, usage: undefined }),
    })),
  },
  {
    does: 'calls every signal SIGKILL',
    caughtBy: 'status.signals',
    break: withStatus((status) => (status.signal === undefined ? status : { ...status, signal: 'SIGKILL' })),
  },
  {
    does: 'declares that it sees core dumps, and reports a death by a real-time signal as exit code 0',
    caughtBy: 'status.real-time-signal',
    break: both(
      withStatus((status) => ({ ...status, coreDumped: false })),
      declaring('core-dump-bit'),
    ),
  },
  {
    does: 'never says that the program has ended',
    caughtBy: 'status.unchecked',
    bound: hangs,
    break: withHandle(() => ({ exited: new Promise(() => undefined) })),
  },
  {
    does: 'reaps twice: whoever asks again is told nothing',
    caughtBy: 'contract.dispose-after',
    break: withHandle(({ exited }) => {
      const nothing = { exitCode: undefined, signal: undefined, coreDumped: undefined, usage: undefined };
      let times = 0;
      return {
        get exited() {
          return times++ === 0 ? exited : Promise.resolve(nothing);
        },
      };
    }),
  },
  {
    does: 'waits for the pipes before it says that the program has ended',
    caughtBy: 'contract.exit-with-held-pipe',
    bound: hangs,
    break: withHandle((handle) => ({
      exited: handle.exited.then(async (status) => {
        const { stdout } = handle;
        if (stdout?.closed === false) await new Promise((resolve) => stdout.once('close', resolve));
        return status;
      }),
    })),
  },
  {
    does: 'has the pid of something else',
    caughtBy: 'status.pid',
    break: withHandle(() => ({ pid: process.pid })),
  },
  {
    does: 'throws from signal() when the program is over',
    caughtBy: 'contract.signal-never-throws',
    break: withSignal((good) => (name, target) => {
      const told = good(name, target);
      if (!told.sent) throw Object.assign(new Error('ESRCH: no such process'), { code: 'ESRCH' });
      return told;
    }),
  },
  {
    does: 'signals a pid that was reaped already',
    caughtBy: 'contract.signal-never-throws',
    break: withSignal((good) => (name, target) => ({ ...good(name, target), sent: true })),
  },
  {
    does: 'never says that a signal was sent',
    caughtBy: 'kill.default',
    break: withSignal((good) => (name, target) => ({ ...good(name, target), sent: false })),
  },
  {
    does: 'sends SIGTERM whatever is asked for',
    caughtBy: 'kill.named',
    break: withSignal(
      (good) => (name, target) => good(name === 'SIGUSR1' || name === 'SIGHUP' ? 'SIGTERM' : name, target),
    ),
  },
  {
    does: 'sends SIGTERM in place of SIGUSR2',
    caughtBy: 'kill.numbered',
    break: withSignal((good) => (name, target) => good(name === 'SIGUSR2' ? 'SIGTERM' : name, target)),
  },
  {
    does: 'sends SIGKILL in place of SIGTERM',
    caughtBy: 'abort.graceful',
    break: withSignal((good) => (name, target) => good(name === 'SIGTERM' ? 'SIGKILL' : name, target)),
  },
  {
    does: 'sends SIGKILL in place of SIGTERM, and is not aborted',
    caughtBy: 'precedence.deadline-then-exit',
    break: both(
      hurried,
      withSignal((good) => (name, target) => good(name === 'SIGTERM' ? 'SIGKILL' : name, target)),
    ),
  },
  {
    does: 'tells of an exit only when it sends a signal',
    caughtBy: 'precedence.exit-then-deadline',
    break: both(hurried, tellingLate),
  },
  {
    does: 'sends no signal to the tree',
    caughtBy: 'abort.no-grace',
    bound: hangs,
    break: withSignal(
      (good) => (name, target) => (target === 'tree' ? { sent: true, reached: 'group' } : good(name, target)),
    ),
  },
  {
    does: 'says that it reached the tree, which it cannot',
    caughtBy: 'absent.kill-tree',
    break: withSignal((good) => (name, target) => ({
      ...good(name, target),
      reached: target === 'tree' ? 'tree' : 'process',
    })),
  },
  {
    does: 'declares that it ends descendants, and ends the program only',
    caughtBy: 'tree.captured',
    bound: hangs,
    break: both(
      withSignal((good) => (name, target) => ({
        ...good(name, target),
        reached: target === 'tree' ? 'tree' : 'process',
      })),
      declaring('kill-tree'),
    ),
  },
  {
    does: 'knows descendants by what the program has as its output when it is ended, and ends strangers',
    caughtBy: 'tree.stranger',
    break: byOutput,
  },
  {
    does: 'knows descendants by what the program has as its output when it is ended, and misses some',
    caughtBy: 'tree.redirected',
    bound: hangs,
    break: byOutput,
  },
  {
    does: 'says that a stream which somebody held is complete, since the other one was cut at its limit',
    caughtBy: 'drain.inside-a-character.sync',
    break: cutting('stderr'),
  },
  {
    does: 'does not say which of two streams was cut',
    caughtBy: 'drain.inside-a-character.sync',
    break: cutting(undefined),
  },
  {
    does: 'cannot be disposed twice',
    caughtBy: 'contract.dispose-kills',
    break: withHandle((handle) => {
      let disposed = false;
      return {
        dispose: () => {
          if (disposed) throw new Error('it is disposed already');
          disposed = true;
          handle.dispose();
        },
      };
    }),
  },
  {
    does: 'closes the pipes when it is disposed, and lets the program run',
    caughtBy: 'contract.dispose-kills',
    bound: hangs,
    break: withHandle((handle) => ({
      dispose: () => {
        for (const stream of streamsOf(handle)) stream?.destroy();
      },
    })),
  },
  {
    does: 'kills the program when it is disposed, and keeps the pipes',
    caughtBy: 'contract.dispose-kills',
    break: withHandle((handle) => ({
      dispose: () => {
        handle.signal('SIGKILL', 'tree');
      },
    })),
  },
  {
    does: 'listens for the end of this process with every program, and never stops',
    caughtBy: 'parent-exit.over',
    break: both(
      withHandle((handle, { killOnParentExit }) => {
        if (killOnParentExit !== false) endAtExit(handle);
        return {};
      }),
      declaring('kill-on-parent-exit'),
    ),
    cleanUp: stopListening,
  },
  {
    does: 'listens for the end of this process when a start is over, not from its beginning',
    caughtBy: 'parent-exit.at-once',
    break: both(
      withHandle((handle, { killOnParentExit }) => {
        if (killOnParentExit === false) return {};
        const end = endAtExit(handle);
        void handle.exited.then(() => process.off('exit', end));
        return {};
      }),
      declaring('kill-on-parent-exit'),
    ),
    cleanUp: stopListening,
  },
  {
    does: 'listens for the end of this process with the first program only',
    caughtBy: 'parent-exit.listeners-removed',
    break: both(
      withHandle((handle, { killOnParentExit }) => {
        if (killOnParentExit !== false && atExit.length === 0) endAtExit(handle);
        return {};
      }),
      declaring('kill-on-parent-exit'),
    ),
    cleanUp: stopListening,
  },
];
