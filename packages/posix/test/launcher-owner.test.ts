/** Pipes to a program of another user: it may open them again, by `/dev/stdout` and the like; what is the caller's stays his. */
import { expect } from 'chai';
import { fstatSync } from 'node:fs';
import { Command } from '../src';
import { chosenDriver } from '../src/ffi';
import { libcThrough } from '../src/libc';
import { LINUX } from '../src/linux';

const nobody = 65_534;
const libc = libcThrough(chosenDriver(undefined));

describe('the pipes to a program of another user', () => {
  before(function () {
    if (process.geteuid?.() !== 0) this.skip();
  });

  const script = 'cat /dev/stdin /dev/fd/7 > /dev/stdout; echo err > /dev/stderr';
  const command = (): Command<'text', 'text'> =>
    new Command('sh', ['-c', script], {
      ...{ uid: nobody, gid: nobody, stdout: 'text', stderr: 'text' },
      ...{ stdin: { input: 'in ' }, sendBuffers: [{ fd: 7, data: 'sent' }] },
    });
  const ways = { run: () => command().run(), runSync: () => command().runSync() };
  for (const [way, run] of Object.entries(ways)) {
    it(`can be opened by it: ${way}`, async () => {
      expect(await run()).to.include({ stdout: 'in sent', stderr: 'err\n' });
    });
  }

  it('are his, and not what is passed on', async () => {
    const pair = Buffer.alloc(8);
    libc.pipe2(pair, LINUX.O_CLOEXEC);
    const [read, write] = [pair.readInt32LE(0), pair.readInt32LE(4)];
    try {
      await new Command('true', [], {
        uid: nobody,
        gid: nobody,
        stdout: { fd: write },
        passFds: [{ fd: read, as: 9 }],
      }).run();
      expect([fstatSync(read).uid, fstatSync(write).uid]).to.deep.equal([0, 0]);
    } finally {
      for (const fd of [read, write]) libc.close(fd);
    }
  });
});
