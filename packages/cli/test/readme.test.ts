/** The README's command lines print what it says. */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { shell } from './installed';

const blocks = Array.from(
  readFileSync(path.join(__dirname, '..', 'README.md'), 'utf8').matchAll(/^```console\n([\s\S]*?)^```/gm),
  ([, code = '']) => code,
);

describe('the README', function () {
  this.timeout(60_000);
  if (process.platform !== 'linux') return;

  it('has blocks to be run', () => {
    expect(blocks.length).to.be.above(1);
  });

  for (const block of blocks) {
    it(`prints what it says: ${block.slice(0, block.indexOf('\n'))}`, async () => {
      const script = block.split('\n').flatMap((line) => (line.startsWith('$ ') ? [line.slice(2)] : []));
      const expected = block.split('\n').filter((line) => !line.startsWith('$ '));
      const { stdout } = await shell(`exec 2>&1\n${script.join('\n')}`);
      expect(stdout).to.equal(expected.join('\n'));
    });
  }
});
