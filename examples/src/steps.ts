/** What the report finds out, and what it does wrong on purpose: each is a command and the answer in its output. */
import { CommandError, CommandStartError, secret, type CommandConstructor } from '@vircommand/core';

/** One thing to find out: the command line to show, and how to get the answer. */
export interface Step {
  readonly what: string;
  run(Command: CommandConstructor): Promise<Answer>;
}
export interface Answer {
  readonly command: string;
  readonly answer: string;
  /** The error in full. */
  readonly message?: string;
}

export const firstLine = (text: string): string => text.trim().split('\n')[0] ?? '';
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

export const steps: readonly Step[] = [
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
        const answer = `${gibibytes(used)} of ${gibibytes(total)} GiB used (${share ?? '?'})`;
        return { command: 'df -P -k .', answer };
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
export const failures: readonly Step[] = [
  {
    what: 'exit code',
    run: (Command) => failing(new Command('ls', ['/no/such/directory'])),
  },
  {
    what: 'missing program',
    run: (Command) => failing(new Command('no-such-program')),
  },
  {
    what: 'wrong directory',
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
): Promise<Answer> {
  try {
    await command.run(options);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const answer = error instanceof CommandStartError ? `${error.code}, stage ${error.stage}` : error.code;
    return { command: command.toString(), answer, message: `${error.name}: ${error.message}` };
  }
  throw new Error(`${command.toString()} succeeded, which it should not`);
}
