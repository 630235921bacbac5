import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { pidFiles } from './lockers';

/**
 * Its first process is a shell, for somebody has to reap orphans: their zombies would keep numbers from being used. So few
 * descriptors are soon taken.
 */
const script = 'ulimit -n 1000; "$@"; exit $?';
const namespace = ['--pid', '--fork', '--kill-child', '--mount-proc', '/bin/sh', '-c', script, 'sh'];
/** For what blocks this thread mocha's own bound cannot work. */
const bound = { timeout: 50_000, killSignal: 'SIGKILL' } as const;

describe('numbers that are used again', () => {
  before(function () {
    // Needs the privilege of a pid namespace whose next number can be chosen.
    const choose = ['/bin/sh', '-c', 'echo 30000 >/proc/sys/kernel/ns_last_pid'];
    if (spawnSync('unshare', [...namespace, ...choose], bound).status !== 0) this.skip();
  });
  const file = pidFiles();

  /** What a program prints in a namespace of its own. */
  function lines(program: string, ...args: readonly string[]): string[] {
    const file = join(__dirname, 'programs', program);
    const node = [
      process.execPath,
      ...process.execArgv,
      '--no-warnings',
      '--require',
      'ts-node/register',
      file,
      ...args,
    ];
    const { stdout, stderr, error } = spawnSync('unshare', [...namespace, ...node], {
      ...bound,
      encoding: 'utf8',
      env: { ...process.env, TS_NODE_TRANSPILE_ONLY: '1' },
    });
    expect(error).to.equal(undefined);
    expect(stderr).to.equal('');
    return stdout.trimEnd().split('\n');
  }

  it('are never signalled: program, descendant, group, and a leader whose tree lives on', () => {
    expect(lines('recycle.ts')).to.deep.equal([
      'program survived',
      'descendant survived',
      'group survived',
      'pinned survived',
    ]);
  });

  it('are never signalled for a pid file, whenever the number changes hands', () => {
    expect(lines('recycle-pidfile.ts', file())).to.deep.equal([
      'a stale file: undefined, undefined, true; survived',
      'before the pidfd: undefined, undefined, true; survived',
      'before the signal: its own, SIGTERM, true; survived',
      'before the pidfd, with its group: undefined, undefined, true; survived',
      'before the signal, with its group: its own, SIGTERM, true; survived',
    ]);
  });
});
