/** Much through `vircommand run -- cat`: nothing is lost, and where the descriptors are handed over nothing is copied by us. */
import { expect } from 'chai';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { scratch, shell } from './installed';

const MiB = 1 << 20;
/** `VIRCOMMAND_PIPE_MIB`: mebibytes. */
const size = Number(process.env.VIRCOMMAND_PIPE_MIB ?? 1024) * MiB;

/** Lines that are all different, in blocks that fit no buffer; a block again and again, since making them would take longest. */
const block = Array.from({ length: 99_991 }, (_, index) => `${index * 7919}\n`).join('');

describe('through a pipe', function () {
  this.timeout(120_000);
  if (process.platform !== 'linux') return;
  const env = { BLOCK: path.join(scratch(), 'block'), SIZE: String(size) };
  before(() => {
    writeFileSync(env.BLOCK, block);
  });
  const source = 'while cat "$BLOCK" "$BLOCK" "$BLOCK" "$BLOCK" 2>/dev/null; do :; done | head -c "$SIZE"';

  it(`${size / MiB} MiB arrive as they are`, async () => {
    const script = `cmp <(${source}) <(${source} | vircommand run -- cat) && echo same`;
    expect((await shell(script, { env })).stdout).to.equal('same\n');
  });

  it('an eighth of it arrives as it is where we are between, and count', async () => {
    const eighth = { ...env, SIZE: String(size / 8) };
    const script = `cmp <(${source}) <(${source} | vircommand run --output-limit "$SIZE" -- cat) && echo same`;
    expect((await shell(script, { env: eighth })).stdout).to.equal('same\n');
  });

  for (const flag of ['', '--no-exec']) {
    it(`the program has our very descriptors: run ${flag}`, async () => {
      const look = 'readlink /proc/self/fd/0 /proc/self/fd/1';
      const script = `${look}; vircommand run ${flag} -- ${look}`;
      const { stdout } = await shell(`: | { { ${script}; } | cat; }`);
      const [stdin, out, programStdin, programOut] = stdout.split('\n');
      expect([programStdin, programOut]).to.deep.equal([stdin, out]);
      expect(stdin).to.match(/^pipe:/);
    });
  }

  it('while it flows, and after it became the program, nobody of ours is there', async () => {
    const script = `
      mkfifo "$BLOCK.in"; exec 9<>"$BLOCK.in"
      "$NODE" "$BIN" run -- cat <&9 >"$BLOCK.out" & echo word >&9
      until [ -s "$BLOCK.out" ]; do sleep 0.01; done
      cat /proc/$!/comm; kill $!`;
    expect((await shell(script, { env })).stdout).to.equal('cat\n');
    expect([existsSync(`${env.BLOCK}.out`), readFileSync(`${env.BLOCK}.out`, 'utf8')]).to.deep.equal([true, 'word\n']);
  });
});
