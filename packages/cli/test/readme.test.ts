/** The README's command lines print what it says. */
import { expect } from 'chai';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { shell } from './installed';

const blocks = Array.from(
  readFileSync(path.join(__dirname, '..', 'README.md'), 'utf8').matchAll(/^```console\n([\s\S]*?)^```/gm),
  ([, code = '']) => code,
);

describe('the README', function () {
  this.timeout(60_000);
  if (process.platform !== 'linux') return;

  // For what the command lines make, and leave to whoever types them.
  let directory = '';
  before(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'vircommand-readme-'));
  });
  after(() => {
    rmSync(directory, { recursive: true });
  });

  it('has blocks to be run', () => {
    expect(blocks.length).to.be.above(1);
  });

  for (const block of blocks) {
    it(`prints what it says: ${block.slice(0, block.indexOf('\n'))}`, async () => {
      const script = block.split('\n').flatMap((line) => (line.startsWith('$ ') ? [line.slice(2)] : []));
      const expected = block.split('\n').filter((line) => !line.startsWith('$ '));
      const { stdout } = await shell(`exec 2>&1\nexport TMPDIR='${directory}'\n${script.join('\n')}`);
      expect(stdout).to.equal(expected.join('\n'));
    });
  }
});
