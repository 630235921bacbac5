/** One random run: a program, a way to run it, and what happens to it meanwhile. */
import { CommandError, type CommandConstructor, type RunOptions } from '@vircommand/core';
import type { Random } from './random';

/** Programs that are quick, slow, noisy, stubborn, crashing or forking. `mark` is how what is left of them is found. */
const programs = (mark: string): readonly (readonly [string, readonly string[]])[] => [
  ['/bin/true', []],
  ['/bin/false', []],
  ['/no/such/program', []],
  ['no-such-program', []],
  ['/bin/sh', ['-c', `: ${mark}; echo out; echo err >&2; exit 3`]],
  ['/bin/sh', ['-c', `: ${mark}; kill -SEGV $$`]],
  ['/bin/sh', ['-c', `: ${mark}; exec sleep 60`]],
  ['/bin/sh', ['-c', `: ${mark}; trap '' TERM; sleep 60; sleep 60`]],
  ['/bin/sh', ['-c', `: ${mark}; trap 'exit 0' TERM; while :; do sleep 0.01; done`]],
  ['/bin/sh', ['-c', `: ${mark}; sleep 60 & setsid sleep 60 & wait`]],
  ['/bin/sh', ['-c', `: ${mark}; (setsid sleep 60 &); sleep 60`]],
  ['/bin/sh', ['-c', `: ${mark}; for i in 1 2 3 4 5 6 7 8; do sleep 60 & done; wait`]],
  ['/bin/sh', ['-c', `: ${mark}; kill -STOP $$; sleep 60`]],
  ['/usr/bin/head', ['-c', '3000000', '/dev/zero']],
  ['/usr/bin/yes', [mark]],
  ['/bin/cat', []],
];

const milliseconds = (random: Random): number => random.pick([0, 1, 3, 10, 30, 60]);
const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** What became of a run, for the summary. */
export type Ending = string;

/** Runs something at random; throws only what no run may throw. */
export async function oneRun(Command: CommandConstructor, random: Random, mark: string): Promise<Ending> {
  const [program, args] = random.pick(programs(mark));
  const endless = args.some((arg) => /sleep|STOP/.test(arg)) || program.endsWith('yes');
  const stdin = random.pick(['null', { input: Buffer.alloc(random.below(300_000)) }] as const);
  const stdout = random.pick(['null', 'text', 'bytes'] as const);
  const stderr = random.pick([undefined, 'null', 'text'] as const);
  const command = new Command(program, args, { stdin, stdout, ...(stderr === undefined ? {} : { stderr }) });
  const abort = new AbortController();
  const how = endless
    ? random.pick(['timeout', 'abort', 'limit'] as const)
    : random.pick(['nothing', 'timeout', 'abort', 'limit'] as const);
  const limitEnds = program.endsWith('yes') && stdout !== 'null';
  const options: RunOptions = {
    killDelay: random.pick([0, 5, 20]),
    drainDelay: random.pick([0, 10, 50]),
    ...(how === 'timeout' || (how === 'limit' && endless && !limitEnds) ? { timeout: 1 + milliseconds(random) } : {}),
    ...(how === 'abort' ? { signal: abort.signal } : {}),
    ...(how === 'limit' ? { outputLimit: 1 + random.below(100_000) } : {}),
    check: random.chance(0.5),
  };
  if (how === 'abort') void pause(milliseconds(random)).then(() => abort.abort());
  try {
    if (random.chance(0.5)) {
      await command.run(options);
      return 'resolved';
    }
    return await asyncRun(
      new Command(program, args, { stdin: 'pipe', stdout: random.pick(['pipe', 'null']) }),
      random,
      options,
      endless,
    );
  } catch (error) {
    if (error instanceof CommandError) return error.code;
    throw error;
  }
}

async function asyncRun(
  command: InstanceType<CommandConstructor>,
  random: Random,
  options: RunOptions,
  endless: boolean,
): Promise<Ending> {
  const running = await command.runAsync(options);
  try {
    running.stdin?.end('some input\n');
    const reading = random.chance(0.5) && running.stdout !== undefined;
    if (reading) {
      let lines = 0;
      for await (const line of running.lines()) if (++lines > 100 && line !== '') break;
    }
    if (random.chance(0.3)) running.kill(random.pick(['SIGTERM', 'SIGINT', 'SIGKILL', 'SIGSTOP', 'SIGUSR1']));
    await pause(milliseconds(random));
    if (!reading) running.stdout?.resume();
    const end = endless
      ? random.pick(['abort', 'asyncDispose', 'dispose'] as const)
      : random.pick(['abort', 'wait', 'dispose'] as const);
    if (end === 'abort') await running.abort({ killDelay: random.pick([0, 10]) });
    else if (end === 'asyncDispose') await running[Symbol.asyncDispose]();
    else if (end === 'dispose') running[Symbol.dispose]();
    await running.wait();
    return 'resolved';
  } finally {
    running[Symbol.dispose]();
  }
}
