/** What an ordinary user starts and may not signal, since it has taken root's ids: it lives, and the result says so. */
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundled, bundledEnv, removeBundled } from './bundled';
import { usableDrivers } from './drivers';

describe('a deadline of a program that may not be signalled', () => {
  let directory: string;
  let program: string;

  before(function () {
    if (process.geteuid?.() !== 0) this.skip();
    directory = mkdtempSync(join(tmpdir(), 'vircommand-refused-'));
    chmodSync(directory, 0o755);
    program = join(directory, 'takes-root');
    const source = join(__dirname, 'programs', 'takes-root.c');
    // This machine may have no compiler.
    if (spawnSync('cc', ['-o', program, source], { stdio: 'ignore' }).status !== 0) this.skip();
    chmodSync(program, 0o4755);
    const asNobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups', program, 'and ends'];
    // Where the file system ignores the bit, it says nothing.
    if (spawnSync('setpriv', asNobody, { encoding: 'utf8' }).stdout === '') this.skip();
  });
  after(() => {
    rmSync(directory, { recursive: true, force: true });
    removeBundled();
  });

  for (const driver of usableDrivers) {
    it(`has ended nothing, or not all: also for who blocks, with the driver ${driver}`, () => {
      const { stdout, stderr } = spawnSync(process.execPath, [bundled('ends-refused'), driver, program], {
        encoding: 'utf8',
        env: bundledEnv(),
      });
      expect(stdout, stderr).not.to.equal('');
      const rows = JSON.parse(stdout) as [ended: string, pid: number][];
      for (const [, pid] of rows) process.kill(pid, 'SIGKILL');
      const [itself, itselfSync, below, belowSync] = rows.map(([ended]) => ended);
      expect([itself, itselfSync]).to.deep.equal(['none', 'none']);
      expect(below).to.be.oneOf(['process', 'group']).and.to.equal(belowSync);
    });
  }
});
