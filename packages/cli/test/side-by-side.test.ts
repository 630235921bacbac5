/** The same job by a tool of the system and by `vircommand run`: what they make is the same, seen from outside. */
import { expect } from 'chai';
import { readFileSync, rmSync } from 'node:fs';
import * as path from 'node:path';
import { bin, isRoot, runProgram, scratch, until, vircommand } from './installed';
import { isSleep, lookAt, peer } from './peer';
import { start, type Started } from './started';

type Command = readonly [string, ...string[]];
const ours = (...flags: readonly string[]): Command => [process.execPath, bin(), 'run', ...flags, '--'];
/** Says who it is, and stays. */
const stayer = ['sh', '-c', 'echo "pid $$ parent $PPID"; exec sleep 1000'];

describe('side by side', function () {
  this.timeout(60_000);
  if (process.platform !== 'linux') return;
  const open: Started[] = [];
  afterEach(async () => {
    for (const started of open.splice(0)) await started[Symbol.asyncDispose]();
  });

  /** What it is, and whether it has the pid of what was started. */
  async function made([program, ...args]: Command) {
    const started = await start(program, [...args, ...stayer]);
    open.push(started);
    const [, pid = ''] = await started.wrote(/pid (\d+) parent (\d+)/);
    await until(() => isSleep(pid));
    return { same: Number(pid) === started.pid, ...lookAt(Number(pid)) };
  }

  /** A tool, its arguments, our flags for the same, and whether that needs root. */
  const jobs: readonly (readonly [tool: string, theirs: readonly string[], flags: readonly string[], root?: true])[] = [
    ['env', ['-i', 'A=1', 'B=x=y'], ['--env', 'A=1', '--env', 'B=x=y']],
    ['setpriv', ['--no-new-privs'], ['--no-new-privs']],
    [
      'setpriv',
      ['--reuid=65534', '--regid=65534', '--clear-groups'],
      ['--user', '65534', '--group', '65534', '--groups', ''],
      true,
    ],
    [
      'setpriv',
      ['--reuid=65534', '--regid=33', '--groups=7,9', '--no-new-privs'],
      ['--user=65534', '--group=33', '--groups=7,9', '--no-new-privs'],
      true,
    ],
    [
      'setpriv',
      [
        '--inh-caps=-all',
        '--ambient-caps=-all',
        '--bounding-set=-all',
        '--reuid=65534',
        '--regid=65534',
        '--clear-groups',
      ],
      ['--clear-caps', '--user=65534', '--group=65534', '--groups='],
      true,
    ],
    ['prlimit', ['--nofile=64:128', '--core=0'], ['--limit', 'nofile=64:128', '--limit', 'core=0']],
    ['prlimit', ['--nproc=5000:5000', '--stack=4194304'], ['--limit', 'nproc=5000', '--limit', 'stack=4M']],
    ['nice', ['-n', '7'], ['--nice', '7']],
    ['taskset', ['-c', '0'], ['--affinity', '0']],
  ];
  for (const [tool, theirs, flags, root] of jobs) {
    it(`${tool} ${theirs.join(' ')}`, async function () {
      if (root === true && !isRoot) this.skip();
      const there = await made([peer(tool, this), ...theirs]);
      const here = await made(ours(...flags));
      // Node raises its own soft limit, which programs inherit, and that is said in the documentation.
      const comparable = ({ limits, ...rest }: typeof here) => ({
        ...rest,
        limits: limits.filter((line) => tool === 'prlimit' || !line.startsWith('Max open files')),
      });
      expect(comparable(here)).to.deep.equal(comparable(there));
    });
  }

  it('setsid --wait: a session of its own, and its exit status', async function () {
    const script = 'read -r a b c d pgrp sid rest < /proc/self/stat; [ "$$ $$" = "$pgrp $sid" ] && exit 7';
    const tool = peer('setsid', this);
    const there = await runProgram([tool, '--wait', 'sh', '-c', script]);
    expect(there.status).to.equal(7);
    expect(await vircommand(['run', '--session', '--', 'sh', '-c', script])).to.deep.equal(there);
  });

  describe('timeout', () => {
    const deadlines: readonly (readonly [
      why: string,
      theirs: readonly string[],
      flags: readonly string[],
      script: string,
    ])[] = [
      ['in time', ['9'], ['-t9'], 'exit 3'],
      ['too late', ['0.2'], ['-t0.2'], 'exec sleep 1000'],
      ['too late, and SIGKILL', ['-k0.2', '0.2'], ['-k0.2', '-t0.2'], 'trap "" TERM; while :; do sleep 0.05; done'],
      ['not found', ['9', 'no-such-program'], ['-t9', 'no-such-program'], ''],
      ['not executable', ['9', '/etc/passwd'], ['-t9', '/etc/passwd'], ''],
    ];
    for (const [why, theirs, flags, script] of deadlines) {
      it(why, async function () {
        const program = script === '' ? [] : ['sh', '-c', script];
        // Both statuses as a shell sees them: timeout(1) ends itself with SIGKILL if only that helped.
        const statusOf = async (command: readonly string[]): Promise<string> =>
          (await runProgram(['sh', '-c', '"$@" 2>/dev/null; echo $?', 'sh', ...command])).stdout;
        const there = await statusOf([peer('timeout', this), ...theirs, ...program]);
        expect(await statusOf([process.execPath, bin(), 'run', ...flags, ...program])).to.equal(there);
      });
    }
  });

  describe('a daemon', () => {
    const directory = scratch();
    const pidIn = (file: string): number => Number(readFileSync(file, 'utf8'));
    const fieldsOf = (pid: number): string[] =>
      readFileSync(`/proc/${pid}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ');
    const stopped: number[] = [];
    afterEach(() => {
      for (const pid of stopped.splice(0)) process.kill(pid, 'SIGKILL');
    });

    /** Starts one and says what it is. */
    async function daemon(command: Command, file: string) {
      rmSync(file, { force: true });
      const run = await runProgram(command);
      expect(run).to.deep.equal({ status: 0, signal: undefined, stdout: '', stderr: '' });
      const pid = await until(() => {
        try {
          return pidIn(file) || undefined;
        } catch {
          return undefined;
        }
      });
      stopped.push(pid);
      await until(() => isSleep(pid));
      const [, parent, , session, terminal] = fieldsOf(pid);
      const { argv, status } = lookAt(pid);
      const fds = await runProgram([
        'sh',
        '-c',
        `readlink /proc/${pid}/fd/0 /proc/${pid}/fd/1 /proc/${pid}/fd/2 /proc/${pid}/cwd`,
      ]);
      const ownSession = session !== fieldsOf(process.pid)[3];
      return { parent, ownSession, terminal, argv, status, fds: fds.stdout };
    }

    it('of start-stop-daemon --background', async function () {
      const file = path.join(directory, 'ssd.pid');
      const tool = peer('start-stop-daemon', this);
      const sleep = '/usr/bin/sleep';
      const there = await daemon(
        [
          tool,
          '--start',
          '--quiet',
          '--background',
          '--make-pidfile',
          '--pidfile',
          file,
          '--startas',
          sleep,
          '--',
          '1000',
        ],
        file,
      );
      const here = await daemon([...ours('--daemon', '--pid-file', `${file}.ours`), sleep, '1000'], `${file}.ours`);
      expect(here).to.deep.equal(there);
    });

    it('of daemonize', async function () {
      const file = path.join(directory, 'daemonize.pid');
      const there = await daemon([peer('daemonize', this), '-p', file, '/usr/bin/sleep', '1000'], file);
      const here = await daemon(
        [...ours('--daemon', '--pid-file', `${file}.ours`), '/usr/bin/sleep', '1000'],
        `${file}.ours`,
      );
      expect(here).to.deep.equal(there);
    });

    it('start-stop-daemon --stop ends one of ours by its pid file, and ours one of its', async function () {
      const file = path.join(directory, 'stop.pid');
      const tool = peer('start-stop-daemon', this);
      await daemon([...ours('--daemon', '--pid-file', file), '/usr/bin/sleep', '1000'], file);
      const [mine = 0] = stopped.splice(0);
      expect((await runProgram([tool, '--stop', '--quiet', '--retry', '5', '--pidfile', file])).status).to.equal(0);
      expect(() => fieldsOf(mine)).to.throw();
      const args = ['--background', '--make-pidfile', '--pidfile', file, '--startas', '/usr/bin/sleep', '--', '1000'];
      await daemon([tool, '--start', '--quiet', ...(args as [string])], file);
      const [theirs = 0] = stopped.splice(0);
      // It does not keep a lock, so it must be said what it is.
      expect((await vircommand(['stop', file])).stderr).to.contain('has no lock on the file');
      const { status, stdout } = await vircommand(['stop', '--program', '/usr/bin/sleep', file]);
      expect([status, stdout]).to.deep.equal([0, `${file}: process ${theirs} ended by SIGTERM\n`]);
      await until(() => {
        try {
          return fieldsOf(theirs)[0] === 'Z';
        } catch {
          return true;
        }
      });
    });
  });
});
