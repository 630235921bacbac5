import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';

/** Its first process is a shell, for somebody has to reap orphans: their zombies would keep numbers from being used. */
const namespace = ['--pid', '--fork', '--kill-child', '--mount-proc', '/bin/sh', '-c', '"$@"; exit $?', 'sh'];
/** For what blocks this thread mocha's own bound cannot work. */
const bound = { timeout: 50_000, killSignal: 'SIGKILL' } as const;

describe('numbers that are used again', () => {
  it('are never signalled: program, descendant, group, and a leader whose tree lives on', function () {
    // Needs the privilege of a pid namespace whose next number can be chosen.
    const choose = ['/bin/sh', '-c', 'echo 30000 >/proc/sys/kernel/ns_last_pid'];
    if (spawnSync('unshare', [...namespace, ...choose], bound).status !== 0) this.skip();
    const program = join(__dirname, 'programs', 'recycle.ts');
    const node = [process.execPath, ...process.execArgv, '--no-warnings', '--require', 'ts-node/register', program];
    const { stdout, stderr, error } = spawnSync('unshare', [...namespace, ...node], {
      ...bound,
      encoding: 'utf8',
      env: { ...process.env, TS_NODE_TRANSPILE_ONLY: '1' },
    });
    expect(error).to.equal(undefined);
    expect(stderr).to.equal('');
    expect(stdout.split('\n')).to.deep.equal([
      'program survived',
      'descendant survived',
      'group survived',
      'pinned survived',
      '',
    ]);
  });
});
