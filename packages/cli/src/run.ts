/** `vircommand run`: a program with our own stdin, stdout and stderr, our signals, and its exit status as ours. */
import { CommandFailedError, type CommandResult, type RunningCommand, type RunOptions } from '@vircommand/core';
import { copyOut, type Copy } from './copy-out';
import { dryRun } from './dry-run';
import { CliError, statusOf } from './exit-status';
import type { FlagGroup } from './flag';
import { readJob, type Job } from './job';
import { growthOf, showLive } from './live-line';
import { runFlags } from './run-flags';
import { Forwarding } from './signals';
import { statsText } from './stats';
import type { Subcommand, Surroundings } from './subcommand';
import { backendNames } from './backends';

interface RunJob extends Job {
  backendName?: string;
}

const chosen: FlagGroup<RunJob> = {
  title: 'Backend',
  flags: [
    {
      name: 'backend',
      short: 'b',
      value: 'NAME',
      help: `what starts it: ${backendNames.join(' or ')}; default: the best one that works here`,
      complete: 'backend',
      apply: (job, name) => {
        job.backendName = name;
      },
    },
  ],
};

const flags: readonly FlagGroup<RunJob>[] = [...runFlags, chosen];

/** What the program's streams are: ours by their descriptors, so that nothing is copied, unless output is counted. */
function connect({ command, files, daemon, outputLimit, dryRun: dry }: RunJob): void {
  const { stdin, stdout, stderr, append = false } = files;
  const counted = outputLimit !== undefined && dry !== true;
  if (stdin !== undefined) command.setInputFile(stdin);
  else if (daemon !== true) command.setInputFd(0);

  if (stdout !== undefined) command.setOutputFile(stdout, { append });
  else if (counted) command.setOutputFd('pipe');
  else if (daemon !== true) command.setOutputFd(1);

  if (stderr !== undefined && stderr === stdout) command.setErrorFd('stdout');
  else if (stderr !== undefined) command.setErrorFile(stderr, { append });
  else if (counted) command.setErrorFd('pipe');
  else if (daemon !== true) command.setErrorFd(2);
}

const optionsOf = ({ options, daemon, dieWithParent }: RunJob): RunOptions => ({
  ...options,
  // A daemon cannot have it, which core says in its own words if somebody asks for it.
  ...(dieWithParent === true ? { killOnParentExit: 'guaranteed' } : daemon !== true && { killOnParentExit: true }),
});

/** Hands the output through and ends the program when it writes too much. */
function copyAll(running: RunningCommand, limit: number | undefined): readonly Copy[] {
  const exceeded = (): void => void running.abort();
  return [running.stdout, running.stderr].flatMap((stream, index) =>
    stream === undefined ? [] : [copyOut(stream, index + 1, { limit, exceeded })],
  );
}

function liveLine(job: RunJob, copies: readonly Copy[], { stdout, stderr }: Surroundings): Disposable | undefined {
  // Where the program writes to the terminal itself it would be in the way.
  const wanted = job.live ?? (stderr.isTerminal && !(job.files.stdout === undefined && stdout.isTerminal));
  if (!wanted || !stderr.isTerminal) return undefined;
  const copied = (): number => copies.reduce((sum, { bytes }) => sum + bytes, 0);
  return showLive(stderr, copies.length > 0 ? copied : job.files.stdout === undefined ? growthOf(1) : undefined);
}

/** From the start to the end, with signals, counted output and the live line. */
async function inFront(
  job: RunJob,
  surroundings: Surroundings,
): Promise<{ result: CommandResult; interrupted: boolean }> {
  const forwarding = new Forwarding();
  let live: Disposable | undefined;
  try {
    const running = await job.command.rawStatus().runAsync(optionsOf(job));
    forwarding.attach(running);
    const copies = copyAll(running, job.outputLimit);
    live = liveLine(job, copies, surroundings);
    const ended = running.wait().finally(() => Promise.all(copies.map(({ done }) => done)));
    const result = await ended.catch((error: unknown) => {
      if (!copies.some((copy) => copy.exceeded)) throw error;
      throw new CliError(`the program wrote more than ${job.outputLimit ?? 0} bytes: ${job.command.toString()}`);
    });
    return { result, interrupted: forwarding.seen.has('SIGINT') };
  } finally {
    live?.[Symbol.dispose]();
    forwarding[Symbol.dispose]();
  }
}

/**
 * A shell stops its loop when a program was ended by Ctrl-C, and goes on when it merely exits with 130: so we end as the
 * program did. For other signals the status says enough, and our own death would say that it was us who crashed.
 */
async function endAsInterrupted(): Promise<void> {
  process.kill(process.pid, 'SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 1000));
}

/** What makes no sense together. */
function check({ daemon, outputLimit, stats, live, files }: RunJob): void {
  const { stdout, stderr, append } = files;
  if (append === true && stdout === undefined && stderr === undefined) {
    throw new CliError('--append: is for --stdout and --stderr, which are not there');
  }
  if (daemon !== true) return;
  const [flag] = [
    outputLimit !== undefined && 'output-limit',
    stats === true && 'stats',
    live === true && 'live',
  ].filter(Boolean);
  if (flag !== undefined)
    throw new CliError(`--${String(flag)}: a daemon outlives vircommand, so nobody could look after it`);
}

async function runInFront(job: RunJob, surroundings: Surroundings, backend: string): Promise<number> {
  const report = (result: CommandResult): void => {
    if (job.stats === true) surroundings.stderr.write(statsText(result, backend));
  };
  try {
    const { result, interrupted } = await inFront(job, surroundings);
    report(result);
    if (interrupted && result.signal === 'SIGINT') await endAsInterrupted();
    return statusOf(result);
  } catch (error) {
    if (error instanceof CommandFailedError) report(error.result);
    throw error;
  }
}

async function run(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const job = readJob<RunJob>(argv, flags, [], surroundings, (made) => made);
  check(job);
  connect(job);
  if (job.dryRun === true) {
    job.runBy = dryRun(({ text }) => {
      surroundings.stdout.write(`${text}\n`);
    });
    await job.command.run(optionsOf(job));
    return 0;
  }
  const backend = surroundings.backend(job.backendName);
  job.runBy = backend;
  if (job.daemon !== true) return runInFront(job, surroundings, backend.name);
  await job.command.run(optionsOf(job));
  return 0;
}

export const subcommand: Subcommand = {
  name: 'run',
  summary: 'run a program with any of its attributes set',
  own: [],
  program: true,
  details: [
    'Runs PROGRAM with the stdin, stdout and stderr of vircommand, hands signals on to it, and ends with its exit status: ' +
      '128+N if signal N ended it, 124 after a timeout, 125 if vircommand itself failed, 126 if PROGRAM cannot be ' +
      'executed, 127 if it is not found. There never is a shell.',
  ],
  flags,
  examples: [
    'vircommand run --timeout 30s --stats -- make -j4',
    'vircommand run --user nobody --clear-caps --limit nofile=64 -- ./server',
    'vircommand run --daemon --pid-file /run/web.pid -- ./server --port 80',
  ],
  run,
};
