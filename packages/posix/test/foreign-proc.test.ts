import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import { pidFiles } from './lockers';

/** Its first process is a shell, for somebody has to reap orphans, and its next one gets the number that is wanted. */
const script = 'echo $(($0 - 1)) >/proc/sys/kernel/ns_last_pid || exit; "$@"; exit $?';
const namespace = (pid: number): string[] => ['--pid', '--fork', '--kill-child', '/bin/sh', '-c', script, String(pid)];
/** For what blocks this thread mocha's own bound cannot work. */
const bound = { timeout: 50_000, killSignal: 'SIGKILL' } as const;

describe('a process that has the /proc of another pid namespace', () => {
  const strangers: ChildProcess[] = [];
  const file = pidFiles();

  before(function () {
    // Needs the privilege of a pid namespace whose next number can be chosen.
    if (spawnSync('unshare', [...namespace(30_000), 'true'], bound).status !== 0) this.skip();
  });
  afterEach(() => {
    for (const stranger of strangers.splice(0)) stranger.kill('SIGKILL');
  });

  it('runs no program of a stranger for its own, and ends nobody for what his number outside is to others', async () => {
    const sleeper = async (): Promise<number> => {
      const stranger = spawn('sleep', ['1000'], { stdio: 'ignore' });
      strangers.push(stranger);
      await once(stranger, 'spawn');
      return stranger.pid ?? 0;
    };
    // The threads of a Node take the numbers after its own.
    const [child, node] = [await sleeper(), await sleeper()];
    const program = join(__dirname, 'programs', 'foreign-proc.ts');
    const args = [
      '--no-warnings',
      '--require',
      'ts-node/register',
      program,
      file(),
      String(process.pid),
      String(child),
    ];
    const { stdout, stderr, error } = spawnSync(
      'unshare',
      [...namespace(node), process.execPath, ...process.execArgv, ...args],
      { ...bound, encoding: 'utf8', env: { ...process.env, TS_NODE_TRANSPILE_ONLY: '1' } },
    );
    expect(error).to.equal(undefined);
    expect(stderr).to.equal('');
    expect(stdout.trimEnd().split('\n')).to.deep.equal([
      'foreign true',
      'daemon 0',
      'group EPERM',
      'cleanup SIGTERM',
      'executable false',
      'ended group SIGTERM SIGUSR1',
      'locked true',
    ]);
  });
});
