/** One random run: a program, a way to run it, and what happens to it meanwhile. */
import { abortAll, CommandError, CommandStartError, type CommandConstructor, type RunOptions } from '@vircommand/core';
import { anyProgram, type Program } from './programs';
import type { Random } from './random';

/** In the environment of every program of a run, and so of every process that comes from it. */
export const variable = 'VIRCOMMAND_SOAK';

/** What can be asked of the backend. */
export interface Subject {
  readonly Command: CommandConstructor;
  /** A blocking run can have a deadline. */
  readonly blockingDeadline: boolean;
}

const milliseconds = (random: Random): number => random.pick([0, 1, 3, 10, 30, 60]);
const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** Runs something at random; what became of it, for the summary. Throws only what no run may throw. */
export async function oneRun(subject: Subject, random: Random, mark: string): Promise<string> {
  const program = anyProgram(random);
  const env = { PATH: process.env.PATH, [variable]: mark };
  try {
    if (random.chance(0.003)) await abortAll({ killDelay: random.pick([0, 10]) });
    else if (random.chance(0.1)) block(subject, program, env, random);
    else if (random.chance(0.5)) await runAndWait(subject, program, env, random);
    else await startAndEnd(subject, program, env, random);
    return 'resolved';
  } catch (error) {
    if (error instanceof CommandError && (program.absent || !(error instanceof CommandStartError))) return error.code;
    throw error;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

const bounds = (random: Random) => ({
  killDelay: random.pick([0, 5, 20]),
  drainDelay: random.pick([0, 10, 50]),
  check: random.chance(0.5),
});

function captured({ Command }: Subject, { file, args, escaping }: Program, env: Environment, random: Random) {
  const stdin = random.pick(['null', { input: Buffer.alloc(random.below(300_000)) }] as const);
  const stdout = escaping ? 'text' : random.pick(['null', 'text', 'bytes'] as const);
  const stderr = random.pick([undefined, 'null', 'text', 'stdout'] as const);
  return new Command(file, args, { env, stdin, stdout, ...(stderr === undefined ? {} : { stderr }) });
}

function block(subject: Subject, program: Program, env: Environment, random: Random): void {
  const command = captured(subject, program, env, random);
  if (subject.blockingDeadline) command.runSync({ ...bounds(random), timeout: 1 + milliseconds(random) });
  else if (!program.endless) command.runSync();
}

async function runAndWait(subject: Subject, program: Program, env: Environment, random: Random): Promise<void> {
  const command = captured(subject, program, env, random);
  const abort = new AbortController();
  const ends = ['timeout', 'abort', 'both'] as const;
  const how = program.endless ? random.pick(ends) : random.pick([...ends, 'nothing', 'limit'] as const);
  const options: RunOptions = {
    ...bounds(random),
    ...(how === 'timeout' || how === 'both' ? { timeout: 1 + milliseconds(random) } : {}),
    ...(how === 'abort' || how === 'both' ? { signal: abort.signal } : {}),
    ...(how === 'limit' || program.noisy ? { outputLimit: limit(random) } : {}),
  };
  if (options.signal !== undefined) void pause(milliseconds(random)).then(() => abort.abort());
  await command.run(options);
}

function limit(random: Random): NonNullable<RunOptions['outputLimit']> {
  const bytes = 1 + random.below(100_000);
  return random.pick([bytes, { total: bytes }, { stdout: bytes, onExceed: 'truncate' }] as const);
}

/** Signals to the program alone: after these somebody still has to end it. */
const mild = [undefined, undefined, 'SIGSTOP', 'SIGCONT'] as const;
/** These may end it, and then nobody ends its descendants. */
const deadly = ['SIGTERM', 'SIGINT', 'SIGKILL', 'SIGUSR1'] as const;

async function startAndEnd({ Command }: Subject, program: Program, env: Environment, random: Random): Promise<void> {
  const stdout = program.escaping ? 'pipe' : random.pick(['pipe', 'null'] as const);
  const command = new Command(program.file, program.args, { env, stdin: 'pipe', stdout });
  const running = await command.runAsync(bounds(random));
  try {
    running.stdin.end('some input\n');
    // A loop over lines that nobody leaves lasts as long as the program.
    const comes = program.noisy === true || !program.endless;
    if (running.stdout !== undefined && comes && random.chance(0.5)) {
      let lines = 0;
      for await (const line of running.lines()) if (++lines > 100 && line !== '') break;
    }
    const signal = random.pick(program.forks ? mild : [...mild, ...deadly]);
    if (signal !== undefined) running.kill(signal);
    await pause(milliseconds(random));
    const ends = ['abort', 'asyncDispose', 'dispose'] as const;
    const end = program.endless || signal !== undefined ? random.pick(ends) : random.pick([...ends, 'wait'] as const);
    if (end === 'abort') await running.abort({ killDelay: random.pick([0, 10]) });
    else if (end === 'asyncDispose') await running[Symbol.asyncDispose]();
    else if (end === 'dispose') running[Symbol.dispose]();
    else running.stdout?.resume();
    await running.wait();
  } finally {
    running[Symbol.dispose]();
  }
}
