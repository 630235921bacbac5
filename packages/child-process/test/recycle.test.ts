import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { program } from './programs';

/** Its first process is a shell, for somebody has to reap orphans: their zombies would keep numbers from being used. */
const namespace = ['--pid', '--fork', '--kill-child', '--mount-proc', '/bin/sh', '-c', '"$@"; exit $?', 'sh'];
/** For what blocks this thread mocha's own bound cannot work. */
const bound = { timeout: 50_000, killSignal: 'SIGKILL' } as const;

describe('numbers that are used again when somebody else reaped the program', () => {
  before(function () {
    // Needs the privilege of a pid namespace whose next number can be chosen.
    const choose = ['/bin/sh', '-c', 'echo 30000 >/proc/sys/kernel/ns_last_pid'];
    if (spawnSync('unshare', [...namespace, ...choose], bound).status !== 0) this.skip();
  });

  it('are never signalled, and the run ends', () => {
    const { file, args } = program('recycle');
    const { stdout, stderr, error } = spawnSync('unshare', [...namespace, file, ...args], {
      ...bound,
      encoding: 'utf8',
    });
    expect(error).to.equal(undefined);
    expect(stderr).to.equal('');
    expect(stdout.trimEnd().split('\n')).to.deep.equal([
      'process, auto survived: [false,null,null]',
      'process, session survived: [false,null,null]',
      'tree, auto survived: [false,null,null]',
      'tree, session survived: [false,null,null]',
      'abort survived: [null,null,"none"]',
    ]);
  });
});
