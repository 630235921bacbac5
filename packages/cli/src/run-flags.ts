/** The flags of the subcommands that run a program: those of the program, and those of the run. */
import { attributes, passedFds } from './attributes';
import type { FlagGroup } from './flag';
import type { Job } from './job';
import { duration, size } from './values';

const redirections: FlagGroup<Job> = {
  title: 'Descriptors',
  note: 'The program has the stdin, stdout and stderr of vircommand; a daemon has /dev/null.',
  flags: [
    {
      name: 'stdin',
      value: 'FILE',
      help: 'read this file',
      complete: 'file',
      call: 'setInputFile',
      apply: ({ files }, file) => {
        files.stdin = file;
      },
    },
    {
      name: 'stdout',
      value: 'FILE',
      help: 'write to this file, which is created or truncated',
      complete: 'file',
      call: 'setOutputFile',
      apply: ({ files }, file) => {
        files.stdout = file;
      },
    },
    {
      name: 'stderr',
      value: 'FILE',
      help: 'the same for stderr; the same file as stdout is opened once',
      complete: 'file',
      call: 'setErrorFile',
      apply: ({ files }, file) => {
        files.stderr = file;
      },
    },
    {
      name: 'append',
      help: 'do not truncate these files, add to them',
      apply: ({ files }) => {
        files.append = true;
      },
    },
    passedFds,
  ],
};

const daemon: FlagGroup<Job> = {
  title: 'Daemon',
  flags: [
    {
      name: 'daemon',
      help: 'start it in a session of its own, in /, and come back as soon as it has been executed',
      call: 'daemonize',
      apply: (job) => {
        job.daemon = true;
        job.command.daemonize();
      },
    },
    {
      name: 'pid-file',
      value: 'FILE',
      help: 'the daemon writes its pid here, and holds a lock on the file',
      complete: 'file',
      call: 'setPidFile',
      words: [['requires daemonize()', 'requires --daemon']],
      apply: ({ command }, file) => command.setPidFile(file),
    },
  ],
};

/** When a run ends before its time. */
const bounds: FlagGroup<Job> = {
  title: 'Bounds',
  note: 'Durations are like 30s, 500ms, 2m, 1h; a number alone is seconds. Sizes are like 64K, 10M, 1G.',
  flags: [
    {
      name: 'timeout',
      short: 't',
      value: 'DURATION',
      help: 'end it and all that came from it when this is over (exit status 124)',
      call: 'timeout',
      apply: ({ options }, text) => {
        options.timeout = duration(text);
      },
    },
    {
      name: 'kill-delay',
      short: 'k',
      value: 'DURATION',
      help: 'from SIGTERM to SIGKILL; default 5s, and 0 for SIGKILL at once',
      call: 'killDelay',
      apply: ({ options }, text) => {
        options.killDelay = duration(text);
      },
    },
    {
      name: 'output-limit',
      value: 'SIZE',
      help:
        'end it when it writes more to our stdout or to our stderr; what was written until then is kept (exit status ' +
        '125)',
      apply: (job, text) => {
        job.outputLimit = size(text);
      },
    },
  ],
};

const report: FlagGroup<Job> = {
  title: 'Report',
  flags: [
    {
      name: 'dry-run',
      short: 'n',
      help: 'check everything, print the command as shell text, and run nothing',
      apply: (job) => {
        job.dryRun = true;
      },
    },
    {
      name: 'stats',
      help: 'at the end print time, peak memory and context switches on stderr',
      apply: (job) => {
        job.stats = true;
      },
    },
    {
      name: 'live',
      help: 'show time and output so far on stderr while it runs; the default where stderr is a terminal and stdout is none',
      apply: (job) => {
        job.live = true;
      },
    },
    {
      name: 'no-live',
      help: 'do not',
      apply: (job) => {
        job.live = false;
      },
    },
  ],
};

/** All flags of `run`. */
export const runFlags: readonly FlagGroup<Job>[] = [...attributes, redirections, daemon, bounds, report];

/** Those of `record` and `replay`: what a recording cannot have is not there. */
export const recordedFlags: readonly FlagGroup<Job>[] = [...attributes, bounds];
