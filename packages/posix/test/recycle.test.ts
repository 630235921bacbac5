import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';

const unshare = ['--pid', '--fork', '--mount-proc'];

describe('numbers that are used again', () => {
  it('are never signalled: program, descendant, group, and a leader whose tree lives on', function () {
    this.timeout(60_000);
    // Needs the privilege of a pid namespace whose next number can be chosen.
    if (spawnSync('unshare', [...unshare, '/bin/sh', '-c', 'echo 30000 >/proc/sys/kernel/ns_last_pid']).status !== 0) {
      this.skip();
    }
    const program = join(__dirname, 'programs', 'recycle.ts');
    const node = [process.execPath, ...process.execArgv, '--require', 'ts-node/register', program];
    const { stdout, stderr } = spawnSync('unshare', [...unshare, ...node], {
      encoding: 'utf8',
      env: { ...process.env, TS_NODE_TRANSPILE_ONLY: '1' },
    });
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
