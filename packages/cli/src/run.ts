/** `vircommand run`: a program with our own stdin, stdout and stderr, our signals, and its exit status as ours. */
import { readlinkSync, realpathSync, statSync } from 'node:fs';
import * as path from 'node:path';
import type { RunOptions } from '@vircommand/core';
import { backendNames } from './backends';
import { canBecome } from './becoming';
import { dryRun } from './dry-run';
import { CliError } from './exit-status';
import type { FlagGroup } from './flag';
import { inFront } from './in-front';
import { readJob, type Job } from './job';
import { runFlags } from './run-flags';
import type { Subcommand, Surroundings } from './subcommand';

interface RunJob extends Job {
  backendName?: string;
}

const start: FlagGroup<RunJob> = {
  title: 'Start',
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
    {
      name: 'no-exec',
      help: 'stay until it ends, and do not become the program where that would do',
      apply: (job) => {
        job.stay = true;
      },
    },
  ],
};

const flags: readonly FlagGroup<RunJob>[] = [...runFlags, start];

/** So many links the kernel follows. */
const mostLinks = 40;

function linkOf(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}

/** What is the same for every spelling of a path. */
function identity(file: string, links = mostLinks): string {
  try {
    const { dev, ino } = statSync(file, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    // It is not there yet.
  }
  try {
    // As the kernel does it: joined by us, `..` after a link would be somewhere else.
    const directory = realpathSync.native(path.dirname(file));
    const link = links > 0 ? linkOf(file) : undefined;
    if (link === undefined) return path.join(directory, path.basename(file));
    return identity(path.isAbsolute(link) ? link : `${directory}${path.sep}${link}`, links - 1);
  } catch {
    return file;
  }
}

/** What the program's streams are: ours by their descriptors, so that nothing is copied, unless output is counted. */
function connect({ command, files, daemon, outputLimit, dryRun: dry }: RunJob): void {
  const { stdin, stdout, stderr, append = false } = files;
  const counted = outputLimit !== undefined && dry !== true;
  if (stdin !== undefined) command.setInputFile(stdin);
  else if (daemon !== true) command.setInputFd(0);

  if (stdout !== undefined) command.setOutputFile(stdout, { append });
  else if (counted) command.setOutputFd('pipe');
  else if (daemon !== true) command.setOutputFd(1);

  // Opened twice, each would write over what the other wrote.
  const same = stdout !== undefined && stderr !== undefined && identity(stdout) === identity(stderr);
  if (same) command.setErrorFd('stdout');
  else if (stderr !== undefined) command.setErrorFile(stderr, { append });
  else if (counted) command.setErrorFd('pipe');
  else if (daemon !== true) command.setErrorFd(2);
}

/** The program ends with us, also if we fail. */
const optionsOf = ({ options, daemon, dieWithParent }: RunJob): RunOptions => ({
  ...options,
  // A daemon cannot have it, which core says in its own words if somebody asks for it.
  ...(dieWithParent === true ? { killOnParentExit: 'guaranteed' } : daemon !== true && { killOnParentExit: true }),
});

/** What makes no sense together. */
function check({ daemon, outputLimit, stats, live, files }: RunJob): void {
  const { stdout, stderr, append } = files;
  if (append === true && stdout === undefined && stderr === undefined) {
    throw new CliError('--append: is for --stdout and --stderr, which are not there');
  }
  if (outputLimit !== undefined && (stdout !== undefined || stderr !== undefined)) {
    throw new CliError(
      '--output-limit: counts what goes through vircommand, which is not there for --stdout and --stderr; ' +
        '--limit fsize=SIZE is for files',
    );
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
  if (canBecome(job, backend, surroundings)) job.command.exec();
  if (job.daemon !== true) return inFront(job, optionsOf(job), surroundings, backend.name);
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
    'Where nobody has to look after it, vircommand becomes the program, as env(1) does: then it has our process id. It ' +
      'stays for bounds, statistics, the live line, --session, --hook and --die-with-parent.',
  ],
  flags,
  examples: [
    'vircommand run --timeout 30s --stats -- make -j4',
    'vircommand run --user nobody --clear-caps --limit nofile=64 -- ./server',
    'vircommand run --daemon --pid-file /run/web.pid -- ./server --port 80',
  ],
  run,
};
