/**
 * A report on this host and this directory, from the programs that every Linux machine has: input fed to stdin, captured
 * and merged output, a clean environment, lines, and what happens when things go wrong. Each step runs on every backend.
 */
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import { Command as ChildProcessCommand } from '@vircommand/child-process';
import { CommandError, CommandStartError, secret, type CommandConstructor } from '@vircommand/core';
import { Command as PosixCommand, whyNot } from '@vircommand/posix';
import { Table } from './table';

/** One thing to find out: the command line to show, and how to get the answer. */
interface Step {
  readonly what: string;
  run(Command: CommandConstructor): Promise<{ readonly command: string; readonly answer: string }>;
}

const firstLine = (text: string): string => text.trim().split('\n')[0] ?? '';
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const steps: readonly Step[] = [
  {
    what: 'kernel',
    async run(Command) {
      const { stdout, command } = await new Command('uname', ['-srm'], { stdout: 'text' }).run();
      return { command, answer: firstLine(stdout) };
    },
  },
  {
    what: 'processors',
    async run(Command) {
      const { stdout, command } = await new Command('nproc').setOutputBuffer().run();
      return { command, answer: firstLine(stdout) };
    },
  },
  {
    what: 'disk here',
    async run(Command) {
      const df = new Command('df').addArgs(['-P', '-k', '.']).addEnvPassCommon();
      for await (const [total, used, share] of df.runRegex([/^\S+\s+(\d+)\s+(\d+)\s+\d+\s+(\S+)/])) {
        const gibibytes = (kibibytes = '0'): string => (Number(kibibytes) / 2 ** 20).toFixed(0);
        return {
          command: 'df -P -k .',
          answer: `${gibibytes(used)} of ${gibibytes(total)} GiB used (${share ?? '?'})`,
        };
      }
      return { command: df.toString(), answer: 'unknown' };
    },
  },
  {
    what: 'busiest program',
    async run(Command) {
      const { stdout, command } = await new Command('ps', ['-eo', 'pcpu=,comm=', '--sort=-pcpu'])
        .setOutputBuffer()
        .run();
      return { command, answer: firstLine(stdout).replace(/\s+/, ' % ') };
    },
  },
  {
    what: 'last commit',
    async run(Command) {
      const git = new Command('git').addArgs(['log', '-1', '--format=%h %s']).addEnvPassCommon().setOutputBuffer();
      const { stdout, command } = await git.run({ timeout: 10_000 });
      return { command: command.replace(/^.* (?=git)/, ''), answer: firstLine(stdout) };
    },
  },
  {
    what: 'sorted by sort',
    async run(Command) {
      const { stdout, command } = await new Command('sort', ['-n'], {
        stdin: { input: '10\n9\n8\n' },
        stdout: 'text',
      }).run();
      return { command, answer: stdout.trim().split('\n').join(' ') };
    },
  },
  {
    what: 'hash of 16 MiB',
    async run(Command) {
      const input = Buffer.alloc(16 << 20, 'vircommand');
      const { stdout, command } = await new Command('sha256sum').setInputBuffer(input).setOutputBuffer().run();
      return { command, answer: stdout.slice(0, 16) + '…' };
    },
  },
  {
    what: 'archive of node',
    async run(Command) {
      const directory = process.execPath.replace(/[^/]*$/, '');
      const tar = new Command('tar', ['-c', '-C', directory, 'node'], { stdout: 'bytes' });
      const { stdout, command } = await tar.run({ timeout: 60_000 });
      return { command, answer: `${mebibytes(stdout.length)} of tar, captured` };
    },
  },
  {
    what: '2>&1 in order',
    async run(Command) {
      const script = 'echo one; echo two >&2; echo three';
      const { stdout } = await new Command('sh', ['-c', script]).setOutputBuffer().setErrorFd('stdout').run();
      return { command: `sh -c '${script}'`, answer: stdout.trim().split('\n').join(', ') };
    },
  },
  {
    what: 'clean environment',
    async run(Command) {
      const env = new Command('env')
        .addEnvPair('REGION', 'eu')
        .addEnvPair('TOKEN', secret('hunter2'))
        .setOutputBuffer();
      const { stdout, command } = await env.run();
      return { command, answer: `${stdout.trim().split('\n').length} variables, and no others` };
    },
  },
];

/** What goes wrong on purpose, and the error that says so. */
const failures: readonly Step[] = [
  {
    what: 'exit code',
    run: (Command) => failing(new Command('ls', ['/no/such/directory'])),
  },
  {
    what: 'missing program',
    run: (Command) => failing(new Command('no-such-program')),
  },
  {
    what: 'missing directory',
    run: (Command) => failing(new Command('pwd').setWorkingDirectory('/no/such/directory')),
  },
  {
    what: 'deadline',
    run: (Command) => failing(new Command('sh', ['-c', 'sleep 60 & sleep 60']), { timeout: 50, killDelay: 500 }),
  },
];

async function failing(
  command: InstanceType<CommandConstructor>,
  options: Parameters<InstanceType<CommandConstructor>['run']>[0] = {},
): Promise<{ command: string; answer: string }> {
  try {
    await command.run(options);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const where = error instanceof CommandStartError ? `${error.stage} ` : '';
    return { command: command.toString(), answer: `${error.name}: ${where}${error.code.replace('ERR_COMMAND_', '')}` };
  }
  return { command: command.toString(), answer: 'succeeded, which it should not' };
}

interface Subject {
  readonly name: string;
  readonly Command: CommandConstructor;
}

/** The backends that work here, the best one first. */
function subjects(): Subject[] {
  const all: Subject[] = [{ name: 'child-process', Command: ChildProcessCommand }];
  const reason = whyNot();
  if (reason === undefined) all.unshift({ name: 'posix', Command: PosixCommand });
  else console.log(`Without posix: ${reason}\n`);
  return all;
}

/** Runs a step on each backend; a program that this machine lacks is told, not thrown. */
async function rowOf(step: Step, all: readonly Subject[]): Promise<Parameters<Table['add']>[0]> {
  const times: string[] = [];
  let [command, answer, good] = ['', '', true];
  for (const { Command } of all) {
    const begun = performance.now();
    try {
      ({ command, answer } = await step.run(Command));
    } catch (error) {
      good = false;
      if (!(error instanceof CommandError)) throw error;
      command = error.command;
      answer = error instanceof CommandStartError ? `not on this machine (${error.code})` : firstLine(error.message);
    }
    times.push(`${(performance.now() - begun).toFixed(1)} ms`);
  }
  return { good, cells: [step.what, command, answer, ...times] };
}

async function main(): Promise<void> {
  const all = subjects();
  console.log(`Report on ${hostname()}, by ${all.map(({ name }) => name).join(' and ')}\n`);
  // The first start of a backend loads its driver; that is not what the times are about.
  for (const { Command } of all) await new Command('true').run();
  const table = new Table(['', 'command', 'answer', ...all.map(({ name }) => name)]);
  for (const step of steps) table.add(await rowOf(step, all));
  table.print();
  console.log('\nWhat goes wrong, on purpose\n');
  const wrong = new Table(['', 'command', 'error', ...all.map(({ name }) => name)]);
  for (const step of failures) wrong.add(await rowOf(step, all));
  wrong.print();
}

void main();
