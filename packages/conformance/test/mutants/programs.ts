/** Which program is run, with which arguments and environment, and where. */
import * as path from 'node:path';
import { directoryError, resolveProgram, startError, type LaunchPlan, type PlanString } from '@vircommand/core/backend';
import { both, declaring, withPlan, withStart, type Mutant } from './mutant';

const loadedAt = process.cwd();

const text = (value: PlanString | undefined): string => (typeof value === 'string' ? value : '');

/** The environment as an object, as `spawn()` has it. */
const entries = (env: NodeJS.ProcessEnv): readonly [string, string][] =>
  Object.entries(env).map(([name, value]) => [name, value ?? '']);

/** Everything but `argv[0]`. */
const withArguments = (change: (args: readonly PlanString[]) => readonly PlanString[]): Mutant['break'] =>
  withPlan((plan) => ({ ...plan, argv: [...plan.argv.slice(0, 1), ...change(plan.argv.slice(1))] }));

const withTexts = (change: (argument: string) => string): Mutant['break'] =>
  withArguments((args) => args.map((argument) => (typeof argument === 'string' ? change(argument) : argument)));

const withEnvironment = (change: (env: Exclude<LaunchPlan['env'], 'inherit'>) => LaunchPlan['env']): Mutant['break'] =>
  withPlan((plan) => ({ ...plan, env: plan.env === 'inherit' ? plan.env : change(plan.env) }));

export const programMutants: readonly Mutant[] = [
  {
    does: 'lets a shell interpret the arguments',
    caughtBy: 'arguments.exact',
    break: withPlan((plan) => ({
      ...plan,
      program: '/bin/sh',
      argv: ['sh', '-c', [plan.program, ...plan.argv.slice(1)].map(text).join(' ')],
    })),
  },
  {
    does: 'drops empty arguments',
    caughtBy: 'arguments.empty',
    break: withArguments((args) => args.filter((argument) => argument !== '')),
  },
  {
    does: 'changes the bytes of arguments',
    caughtBy: 'arguments.multi-byte',
    break: withTexts((argument) => Buffer.from(argument).toString('latin1')),
  },
  {
    does: 'cuts long arguments',
    caughtBy: 'arguments.long',
    break: withTexts((argument) => argument.slice(0, 65_536)),
  },
  {
    does: 'forgets arguments beyond the thousandth',
    caughtBy: 'arguments.many',
    break: withArguments((args) => args.slice(0, 1000)),
  },
  {
    does: 'drops argv[0]',
    caughtBy: 'arguments.argv0',
    break: withPlan((plan) => ({ ...plan, argv: [plan.program, ...plan.argv.slice(1)] })),
  },
  {
    does: 'makes argv[0] of the path where it found the program',
    caughtBy: 'arguments.argv0-default',
    break: withPlan((plan) => {
      const found = resolveProgram(plan.program, { path: process.env.PATH, cwd: process.cwd() });
      return { ...plan, argv: [found, ...plan.argv.slice(1)] };
    }),
  },
  {
    does: 'declares bytes that are no UTF-8, and decodes them',
    caughtBy: 'arguments.raw',
    break: both(
      withArguments((args) => args.map((argument) => (typeof argument === 'string' ? argument : '\ufffd'))),
      declaring('raw-bytes'),
    ),
  },
  {
    does: 'ignores the environment',
    caughtBy: 'environment.exact',
    break: withEnvironment(() => 'inherit'),
  },
  {
    does: 'merges the environment with that of the parent',
    caughtBy: 'environment.empty',
    break: withEnvironment((env) => entries({ ...process.env, ...(Object.fromEntries(env) as NodeJS.ProcessEnv) })),
  },
  {
    does: 'sorts the environment',
    caughtBy: 'environment.order',
    break: withEnvironment((env) => env.toSorted(([a], [b]) => (a < b ? -1 : 1))),
  },
  {
    does: 'trims the values of the environment',
    caughtBy: 'environment.exact',
    break: withEnvironment((env) => env.map(([name, value]) => [name, text(value).trim()])),
  },
  {
    does: 'forgets variables beyond the thousandth',
    caughtBy: 'environment.many',
    break: withEnvironment((env) => env.slice(0, 1000)),
  },
  {
    does: 'hands on the environment of the time when it was made',
    caughtBy: 'environment.inherit-now',
    break: (good) => {
      const then = entries(process.env);
      return withPlan((plan) => ({ ...plan, env: plan.env === 'inherit' ? then : plan.env }))(good);
    },
  },
  {
    does: 'searches the PATH of the program’s environment',
    caughtBy: 'program.parents-path',
    break: withPlan((plan) => {
      const own = plan.env === 'inherit' ? undefined : plan.env.find(([name]) => name === 'PATH');
      const where = { path: own === undefined ? process.env.PATH : text(own[1]), cwd: process.cwd() };
      return { ...plan, program: resolveProgram(plan.program, where) };
    }),
  },
  {
    does: 'looks for a relative program by the name that Node remembers of the working directory',
    caughtBy: 'program.renamed-directory',
    break: withPlan((plan) => {
      const where = { path: process.env.PATH, cwd: process.cwd() };
      return { ...plan, program: resolveProgram(plan.program, where) };
    }),
  },
  {
    does: 'looks for a relative program in the working directory of the program',
    caughtBy: 'directory.program',
    break: withPlan((plan) => {
      const program = text(plan.program);
      return { ...plan, program: program.includes('/') ? path.resolve(plan.cwd ?? '', program) : program };
    }),
  },
  {
    does: 'ignores the working directory',
    caughtBy: 'directory.set',
    break: withPlan((plan) => ({ ...plan, cwd: undefined })),
  },
  {
    does: 'adds a dot to the working directory',
    caughtBy: 'directory.longest',
    break: withPlan((plan) => ({ ...plan, cwd: plan.cwd === undefined ? undefined : `${plan.cwd}/.` })),
  },
  {
    does: 'takes a relative working directory from where this process was when it was loaded',
    caughtBy: 'directory.relative-now',
    break: withPlan((plan) => ({
      ...plan,
      cwd: plan.cwd === undefined ? undefined : path.resolve(loadedAt, plan.cwd),
    })),
  },
  {
    does: 'changes the working directory of the parent while it starts',
    caughtBy: 'directory.parent-stays',
    break: withStart(async (good, { cwd, ...plan }) => {
      const before = process.cwd();
      if (cwd !== undefined) process.chdir(cwd);
      try {
        return await good.start({ ...plan, cwd: undefined });
      } finally {
        process.chdir(before);
      }
    }),
  },
  {
    does: 'reports a missing working directory as a missing program',
    caughtBy: 'directory.missing',
    break: withStart((good, plan) =>
      good.start(plan).catch((error: unknown) => {
        throw Reflect.get(error as Error, 'stage') === 'cwd'
          ? startError('exec', error as NodeJS.ErrnoException)
          : error;
      }),
    ),
  },
  {
    does: 'looks what was wrong with a start when this process may be elsewhere',
    caughtBy: 'directory.missing-then',
    break: withStart((good, plan) =>
      good.start(plan).catch((error: unknown) => {
        throw directoryError(plan.cwd ?? '.') ?? startError('exec', error as NodeJS.ErrnoException);
      }),
    ),
  },
  {
    does: 'declares nice, and ignores a niceness below 0',
    caughtBy: 'privileges.nice-below',
    break: both(
      withPlan(({ privileged: { nice = 0 }, ...plan }) => ({
        ...plan,
        privileged: {},
        ...(nice <= 0
          ? {}
          : { program: 'nice', argv: ['nice', '-n', String(nice), plan.program, ...plan.argv.slice(1)] }),
      })),
      declaring('nice'),
    ),
  },
  {
    does: 'starts no session where one is asked for',
    caughtBy: 'group.session',
    break: withPlan((plan) => ({ ...plan, group: 'auto' })),
  },
  {
    does: 'starts a session where none is asked for',
    caughtBy: 'group.same-session',
    break: withPlan((plan) => ({ ...plan, group: 'session' })),
  },
];
