/** What else happens during a burst of starts, in processes of their own, since some of it ended the whole process once. */
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { bundled, bundledEnv, removeBundled } from './bundled';

describe('during a burst of starts', function () {
  this.timeout(60_000);
  after(removeBundled);

  function run(args: readonly string[], before: readonly string[] = []): { status: number | null; text: string } {
    const [program = '', ...rest] = [...before, process.execPath, bundled('burst'), ...args];
    const { status, stdout, stderr } = spawnSync(program, rest, {
      encoding: 'utf8',
      env: bundledEnv(),
      timeout: 50_000,
    });
    return { status, text: stdout + stderr.replace(/^.*(?:Warning|--trace-warnings).*\n/gm, '') };
  }
  const well = { status: 0, text: 'done\n' };

  it('the backend is disposed while it makes its thread', () => {
    expect(run(['dispose'])).to.deep.equal(well);
  });

  for (const delay of [0, 10, 18]) {
    it(`the process ends ${delay} ms after it has begun to make a thread`, () => {
      expect(run(['exit', String(delay)])).to.deep.equal(well);
    });
  }

  for (const limit of [8, 12]) {
    it(`this user may have ${limit} threads and processes`, function () {
      if (process.geteuid?.() !== 0) this.skip();
      expect(run(['limit'], ['prlimit', `--nproc=${limit}:${limit}`])).to.deep.equal(well);
    });
  }

  // For no thread of Node's, and for one of the two that a niceness needs.
  for (const left of [400, 1050]) {
    it(`its limit leaves ${left} MiB of address space`, () => {
      expect(run(['room', String(left)])).to.deep.equal(well);
    });
  }

  it('time is faked, before the first start', () => {
    expect(run(['faked'])).to.deep.equal(well);
  });

  it('and after it, files that this process makes are where it is, and have its umask', () => {
    expect(run(['pool'])).to.deep.equal(well);
  });

  it('stdin is closed', () => {
    expect(run(['closed'])).to.deep.equal(well);
  });
});
