import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { program } from './programs';

describe('a process that has closed its own', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'closed-stdio-'));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  for (const closed of [[0], [1, 2], [0, 1, 2]]) {
    it(`${closed.join(', ')} starts programs, and they stay closed`, function () {
      if (process.platform === 'win32') this.skip();
      const report = join(directory, closed.join('-'));
      const { file, args } = program('closed-stdio', report, ...closed.map(String));
      const { status, signal } = spawnSync(file, args, { timeout: 50_000, killSignal: 'SIGKILL' });
      expect([status, signal]).to.deep.equal([0, null]);
      expect(JSON.parse(readFileSync(report, 'utf8'))).to.deep.equal({
        merged: ['inerr\n', 'inerr\n'],
        silent: [7, 7],
        captured: ['inerr\n', 'inerr\n'],
        mergedSync: 'inerr\n',
        missing: ['exec ENOENT', 'exec ENOENT'],
        passed: ['stdio EBADF', 'stdio EBADF'],
        open: [0, 1, 2].filter((fd) => !closed.includes(fd)),
      });
    });
  }
});
