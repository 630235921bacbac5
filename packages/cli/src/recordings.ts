/** `vircommand record` and `vircommand replay`: recordings for the mock, one command line after another. */
import { createRequire } from 'node:module';
import type { Recording, RecordingOptions, RecordMode } from '@vircommand/mock';
import { statDescriptor } from '@vircommand/core/backend';
import { CliError } from './exit-status';
import type { FlagGroup } from './flag';
import { inFront } from './in-front';
import { readJob, type Job } from './job';
import { recordedFlags } from './run-flags';
import type { Subcommand, Surroundings } from './subcommand';

type Mock = typeof import('@vircommand/mock');
const mock = (): Mock => createRequire(__filename)('@vircommand/mock') as Mock;

interface RecordedJob extends Job {
  readonly env: string[];
  readonly redact: (string | RegExp)[];
  input?: boolean;
  merge?: boolean;
  overwrite?: boolean;
  backendName?: string;
}

/** Flags of record and replay: calls are matched by these. */
const common: FlagGroup<RecordedJob> = {
  title: 'Recording',
  flags: [
    {
      name: 'input',
      short: 'i',
      help: 'the program reads our stdin; without this it reads /dev/null',
      apply: (job) => {
        job.input = true;
      },
    },
    {
      name: 'merge',
      help: 'stdout and stderr are one pipe, in exact order',
      apply: (job) => {
        job.merge = true;
      },
    },
    {
      name: 'keep-env',
      value: 'NAME',
      repeat: true,
      help: 'the value of this variable may be in the file, and tells calls apart; others are not, and do not',
      complete: 'variable',
      apply: ({ env }, name) => {
        env.push(name);
      },
    },
    {
      name: 'redact',
      value: 'TEXT',
      repeat: true,
      help: 'this must not be in the file: a text, or /a regular expression/',
      apply: ({ redact }, text) => {
        redact.push(pattern(text));
      },
    },
  ],
};

function pattern(text: string): string | RegExp {
  if (text === '') throw new CliError('takes a text or /a regular expression/, and no empty one');
  const [, source] = /^\/(.+)\/$/.exec(text) ?? [];
  if (source === undefined) return text;
  try {
    return new RegExp(source, 'u');
  } catch (error) {
    throw new CliError((error as Error).message);
  }
}

const recordFlags: readonly FlagGroup<RecordedJob>[] = [
  {
    ...common,
    flags: [
      ...common.flags,
      {
        name: 'overwrite',
        help: 'make the recording anew instead of adding to it',
        apply: (job) => {
          job.overwrite = true;
        },
      },
      {
        name: 'backend',
        short: 'b',
        value: 'NAME',
        help: 'what starts the program; default: the best backend that works here',
        complete: 'backend',
        apply: (job, name) => {
          job.backendName = name;
        },
      },
    ],
  },
  ...recordedFlags,
];
const replayFlags: readonly FlagGroup<RecordedJob>[] = [common, ...recordedFlags];

const read = (
  argv: readonly string[],
  flags: readonly FlagGroup<RecordedJob>[],
  surroundings: Surroundings,
): RecordedJob =>
  readJob(argv, flags, ['file for the recording'], surroundings, (job) => Object.assign(job, { env: [], redact: [] }));

/** The command says what is to be done, and not `VIRCOMMAND_RECORD`, which the program may need all the same. */
async function open(options: RecordingOptions & { readonly mode: RecordMode }): Promise<Recording> {
  const { VIRCOMMAND_RECORD: said } = process.env;
  delete process.env.VIRCOMMAND_RECORD;
  try {
    // As the mock has it, which would go on with a replay, and miss the file.
    if (options.mode !== 'replay' && !/^(0|false|)$/i.test(process.env.CI ?? '')) {
      throw new CliError('nothing is recorded where CI is set, since a build must not change what it tests');
    }
    // The mode is looked at before this returns.
    return await mock().openRecording(options);
  } finally {
    if (said !== undefined) process.env.VIRCOMMAND_RECORD = said;
  }
}

function connect({ command, input, merge }: RecordedJob): void {
  if (input === true) command.setInputFd('pipe');
  command.setOutputFd('pipe');
  if (merge === true) command.setErrorFd('stdout');
  else command.setErrorFd('pipe');
}

/** Advice of the mock, which is for tests, and what is to be done here. */
const advice: readonly (readonly [RegExp, (found: string, names: string) => string])[] = [
  [/To record what is missing, .*$/, () => 'vircommand record records it.'],
  // What is only added is the second answer to the same call.
  [/To record it anew, .*$/, () => 'vircommand record --overwrite makes the whole recording anew.'],
  [/, by (?:kill\(\), a deadline or an abort|destroy\(\) or by leaving the loop)(?=\. )/, () => ''],
  [
    /Store them by env: \[([^\]]*)\].*(?=\. Nothing was saved\.$)/,
    (_found, names) =>
      `Make the recording anew with --overwrite ${names.replace(/'([^']*)',?/g, '--keep-env $1')}, or a file for each`,
  ],
];

/** What is wrong with the file is no bug. */
function asFailure(error: unknown): unknown {
  if (!(error instanceof mock().RecordingError)) return error;
  const message = advice.reduce((text, [pattern, here]) => text.replace(pattern, here), error.message);
  return new CliError(message, undefined, { cause: error });
}

async function inRecording(
  job: RecordedJob,
  options: Omit<RecordingOptions, 'file' | 'env' | 'redact'> & { readonly mode: RecordMode },
  surroundings: Surroundings,
): Promise<number> {
  const [file = ''] = job.own;
  if (file === '') throw new CliError('the path of the recording is empty');
  const { env, redact } = job;
  connect(job);
  try {
    const recording = await open({ ...options, file, env, redact });
    try {
      job.runBy = recording.backend;
      // A failed start is recorded too.
      const status = await inFront(job, job.options, surroundings, recording.backend.name, () => finish(recording));
      // A recording may come from Windows, where codes have 32 bits; here the kernel keeps eight of them, perhaps none set.
      if (status > 255 && process.platform !== 'win32')
        throw new CliError(`${file}: the recorded exit status is ${status}, and the highest that there is here is 255`);
      return status;
    } finally {
      recording.discard();
    }
  } catch (error) {
    throw asFailure(error);
  }
}

/** Unused calls are fine: one call of a file is replayed. */
async function finish(recording: Recording): Promise<void> {
  try {
    await recording.finish();
  } catch (error) {
    const unused = error instanceof mock().RecordingError && error.code === 'ERR_RECORDING_UNUSED';
    if (!unused) throw error;
  }
}

/**
 * Those of our outputs whose readers can go. We are told so when we write, and a replay has nothing more to write: where they
 * had gone when it was recorded, that they will is taken for granted.
 */
const closable = (): readonly ('stdout' | 'stderr')[] =>
  (['stdout', 'stderr'] as const).filter((_name, index) => {
    try {
      const stat = statDescriptor(index + 1);
      return stat.isFIFO() || stat.isSocket();
    } catch {
      // It is closed, and nobody reads.
      return true;
    }
  });

const own = [{ usage: 'FILE', complete: 'file' }] as const;

export const record: Subcommand = {
  name: 'record',
  summary: 'run a program and add what it does to a recording',
  own,
  program: true,
  details: [
    'FILE is a recording of @vircommand/mock: tests replay it, and so does vircommand replay. What the program writes is ' +
      'also written here, and its exit status is ours.',
  ],
  flags: recordFlags,
  examples: ['vircommand record git.json -- git log -1', 'vircommand record -i sort.json -- sort -n < numbers'],
  run: (argv, surroundings) => {
    const job = read(argv, recordFlags, surroundings);
    const live = surroundings.backend(job.backendName);
    return inRecording(job, { live, mode: job.overwrite === true ? 'update' : 'add' }, surroundings);
  },
};

export const replay: Subcommand = {
  name: 'replay',
  summary: 'do what a recorded program did, without running it',
  own,
  program: true,
  details: [
    'Finds the call in FILE by its arguments, environment and other attributes, writes what the program wrote, and ends ' +
      'with its exit status. Nothing is started, and no time passes. Where signals of somebody came, as Ctrl-C, it waits ' +
      'until they come again. Where nobody read its output any more, as after head, it ends so into a pipe; a file or a ' +
      'terminal is read to the end, and that is an error.',
  ],
  flags: replayFlags,
  examples: ['vircommand replay git.json -- git log -1'],
  run: (argv, surroundings) =>
    inRecording(read(argv, replayFlags, surroundings), { mode: 'replay', closed: closable() }, surroundings),
};
