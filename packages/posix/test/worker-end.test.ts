/** Workers that end while, or right after, they run programs; in processes of their own, since some of it ended them. */
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { bundled, bundledEnv, removeBundled } from './bundled';

describe('a worker', function () {
  this.timeout(60_000);
  after(removeBundled);

  const cases = {
    attributes: 'can be terminated while a program with attributes of its own is started',
    result: 'that is terminated when it has a result leaves no descriptor',
    running: 'that is terminated while its programs run leaves no descriptor',
    files: 'closes no descriptor of others when it ends, where programs of it had files',
    guaranteed: 'that ends leaves no zombie of a program that the kernel ends with it',
  };
  for (const [how, title] of Object.entries(cases)) {
    it(title, () => {
      const { status, signal, stdout, stderr } = spawnSync(process.execPath, [bundled('in-worker'), how], {
        encoding: 'utf8',
        env: bundledEnv(),
        timeout: 50_000,
      });
      expect({ status, signal, stdout }, stderr).to.deep.equal({
        status: 0,
        signal: null,
        stdout: '{"left":[],"more":0}',
      });
      // Node says so of a number that it still counts as the worker's.
      expect(stderr).not.to.include('unmanaged');
    });
  }
});
