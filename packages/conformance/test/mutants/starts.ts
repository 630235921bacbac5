/** Starts that fail, and starts beside each other. */
import { openSync, closeSync } from 'node:fs';
import {
  CommandStartError,
  directoryError,
  startError,
  type Backend,
  type ChildHandle,
  type LaunchPlan,
} from '@vircommand/core/backend';
import { hangs, withStart, type Mutant } from './mutant';

/** What it makes of the error of a start. */
const withError = (change: (error: CommandStartError, good: Backend, plan: LaunchPlan) => Promise<ChildHandle>) =>
  withStart((good, plan) => good.start(plan).catch((error: unknown) => change(error as CommandStartError, good, plan)));

const asStage =
  (from: CommandStartError['stage'], to: CommandStartError['stage']) =>
  (error: CommandStartError): Promise<never> =>
    Promise.reject(error.stage === from ? startError(to, error as NodeJS.ErrnoException) : error);

/** A program that is over. */
const ended = (exitCode: number): ChildHandle => ({
  pid: undefined,
  stdin: undefined,
  stdout: undefined,
  stderr: undefined,
  exited: Promise.resolve({ exitCode, signal: undefined, coreDumped: undefined, usage: undefined }),
  signal: () => ({ sent: false, reached: 'process' }),
  dispose: () => undefined,
});

const left: number[] = [];
const queue = { closed: false };
const closed = startError('backend', 'nothing is started any more');

export const startMutants: readonly Mutant[] = [
  {
    does: 'reports a program that is not there as exit code 127',
    caughtBy: 'start-error.missing',
    break: withError((error) => (error.stage === 'exec' ? Promise.resolve(ended(127)) : Promise.reject(error))),
  },
  {
    does: 'starts a turn later, with what is set by then',
    caughtBy: 'environment.inherit-each',
    break: withStart(async (good, plan) => {
      await new Promise((resolve) => setImmediate(resolve));
      return good.start(plan);
    }),
  },
  {
    does: 'calls a failed exec a failed search',
    caughtBy: 'start-error.not-executable',
    break: withError(asStage('exec', 'resolve')),
  },
  {
    does: 'calls a failed search a failed exec',
    caughtBy: 'start-error.not-in-path',
    break: withError(asStage('resolve', 'exec')),
  },
  {
    does: 'calls a descriptor that is not open a failed fork',
    caughtBy: 'descriptor-stdio.closed',
    break: withError(asStage('stdio', 'fork')),
  },
  {
    does: 'loses the code of the system’s error',
    caughtBy: 'start-error.directory',
    break: withError(({ stage, reason }) => Promise.reject(startError(stage, reason))),
  },
  ...['directory.missing', 'file-stdio.missing', 'start-error.missing', 'start-error.not-in-path'].map(
    (caughtBy): Mutant => ({
      does: 'blames another path',
      caughtBy,
      break: withError((error) =>
        Promise.reject(startError(error.stage, error as NodeJS.ErrnoException, '/somewhere/else')),
      ),
    }),
  ),
  {
    does: 'loses the number and the call of the system’s error',
    caughtBy: 'start-error.system',
    break: withError(({ stage, reason, code, path }) =>
      Promise.reject(startError(stage, Object.assign(new Error(reason), { code }), path)),
    ),
  },
  ...['start-error.control-characters', 'file-stdio.control-characters'].map((caughtBy): Mutant => ({
    does: 'names what is not there as it is in the cause',
    caughtBy,
    break: withError(({ stage, reason, code, path = '' }) =>
      Promise.reject(new CommandStartError(stage, reason, { command: '', code, path, cause: new Error(path) })),
    ),
  })),
  {
    does: 'rejects with an error of its own',
    caughtBy: 'contract.start-error',
    break: withError(({ message, code }) => Promise.reject(Object.assign(new Error(message), { code }))),
  },
  {
    does: 'throws at once where the working directory is not there',
    caughtBy: 'contract.start-never-throws',
    break: (good) => ({
      ...good,
      start(plan) {
        const error = plan.cwd === undefined ? undefined : directoryError(plan.cwd);
        if (error !== undefined) throw error;
        return good.start(plan);
      },
    }),
  },
  {
    does: 'has the arguments, secrets among them, in the error of a start',
    caughtBy: 'secrets.hidden',
    break: withError(({ stage, message, code }, _good, { argv }) =>
      Promise.reject(startError(stage, Object.assign(new Error(message), { code, spawnargs: argv }))),
    ),
  },
  {
    does: 'hands a text without #! to a shell',
    caughtBy: 'start-error.no-format',
    break: withError((error, good, plan) =>
      error.code === 'ENOEXEC'
        ? good.start({ ...plan, program: '/bin/sh', argv: ['sh', plan.program] })
        : Promise.reject(error),
    ),
  },
  {
    does: 'leaves a descriptor open when a start fails',
    caughtBy: 'start-error.missing',
    break: withError((error) => {
      left.push(openSync('/dev/null', 'r'));
      return Promise.reject(error);
    }),
    cleanUp: () => left.splice(0).forEach(closeSync),
  },
  {
    does: 'keeps the plan of one start where the next start finds it',
    caughtBy: 'contract.concurrent-starts',
    break: (good) => {
      let current: LaunchPlan;
      return {
        ...good,
        async start(plan) {
          current = plan;
          await new Promise((resolve) => setImmediate(resolve));
          return good.start(current);
        },
      };
    },
  },
  {
    does: 'starts a program when the one before it has ended',
    caughtBy: 'concurrency.independent',
    bound: hangs,
    break: (good) => {
      let last: Promise<unknown> = Promise.resolve();
      return {
        ...good,
        start(plan) {
          const starting = last.then(() => (queue.closed ? Promise.reject(closed) : good.start(plan)));
          last = starting.then(({ exited }) => exited).catch(() => undefined);
          return starting;
        },
      };
    },
    // What is still in the queue would be started when the case is over.
    cleanUp: () => {
      queue.closed = true;
    },
  },
  {
    does: 'writes into the plan',
    caughtBy: 'contract.plan-is-data',
    break: withStart((good, plan) => good.start(Object.assign(plan, { cwd: plan.cwd }))),
  },
  {
    does: 'starts a plan once only',
    caughtBy: 'contract.plan-again',
    break: (good) => {
      const used = new WeakSet<LaunchPlan>();
      return {
        ...good,
        start(plan) {
          if (used.has(plan)) return Promise.reject(startError('backend', 'this plan was started already'));
          used.add(plan);
          return good.start(plan);
        },
      };
    },
  },
];
