import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { bundled, bundledEnv, removeBundled } from './bundled';

const model = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission';

describe('under the permission model', function () {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'vircommand-permission-'));
    writeFileSync(join(directory, 'in'), '');
  });
  after(() => {
    rmSync(directory, { recursive: true });
    removeBundled();
  });

  function results(...more: string[]): unknown {
    const program = bundled('permitted');
    const always = ['--allow-child-process', '--allow-addons', '--no-warnings'];
    // The last is where the program's own files could be as well.
    const places = [dirname(program), resolve(__dirname, '..', '..', '..'), resolve(program, '..', '..', 'dist', '*')];
    const readable = places.map((path) => `--allow-fs-read=${path}`);
    if (process.allowedNodeEnvironmentFlags.has('--allow-net')) always.push('--allow-net');
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [model, ...always, ...readable, ...more, program, join(directory, 'in'), join(directory, 'out')],
      { env: bundledEnv(), encoding: 'utf8' },
    );
    return stderr === '' ? JSON.parse(stdout) : stderr;
  }

  it('a stream is no way to a file that it does not allow', () => {
    const [read, write] = ['in', 'out'].map((name) => `stdio ERR_ACCESS_DENIED ${join(directory, name)}`);
    expect(results()).to.deep.equal([read, read, write, write, write, write]);
    expect(existsSync(join(directory, 'out'))).to.equal(false);
  });

  it('a stream may be a file that it allows', () => {
    expect(results(`--allow-fs-read=${directory}`, `--allow-fs-write=${directory}`)).to.deep.equal(
      Array.from({ length: 6 }, () => 'started'),
    );
    expect(readFileSync(join(directory, 'out'), 'latin1')).to.equal('');
  });
});
