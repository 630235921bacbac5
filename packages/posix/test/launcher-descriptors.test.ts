/** Descriptors through the launcher by numbers that Node itself would have there: nothing of it may read or replace them. */
import { mkdtempSync, readFileSync, readlinkSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Command } from '../src';
import { chosenDriver } from '../src/ffi';
import { libcThrough } from '../src/libc';
import { LINUX } from '../src/linux';

interface Passed {
  readonly fd: number;
  readonly as: number;
}

const libc = libcThrough(chosenDriver(undefined));
const all = Array.from({ length: 38 }, (_, index) => index + 3);

const sets: readonly (readonly [title: string, numbers: readonly number[]])[] = [
  ['all', all],
  ['every second', all.filter((fd) => fd % 2 === 0)],
  ['every other second', all.filter((fd) => fd % 2 === 1)],
  ...[3, 6, 9, 12, 15, 18, 21, 24, 27].map(
    (first) => [`${first} and two more`, [first, first + 1, first + 2]] as const,
  ),
];

describe('descriptors through the launcher', function () {
  this.timeout(300_000);
  let directory: string;
  const open: number[] = [];
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'launcher-descriptors-'));
  });
  afterEach(() => {
    for (const fd of open.splice(0)) libc.close(fd);
  });
  after(() => {
    rmSync(directory, { recursive: true });
  });

  const text = (fd: number): string => `${fd}${'.'.repeat(1000)}\n`;

  /** The reading end of a pipe that nobody writes any more. */
  function filled(content: string): number {
    const pair = Buffer.alloc(8);
    libc.pipe2(pair, LINUX.O_CLOEXEC);
    const [read, write] = [pair.readInt32LE(0), pair.readInt32LE(4)];
    writeSync(write, content);
    libc.close(write);
    open.push(read);
    return read;
  }

  /** Reads all of them. */
  function reader(passFds: readonly Passed[]): Command {
    const files = passFds.map(({ as }) => `/dev/fd/${as}`);
    const preExecHook = { module: require.resolve('./programs/looks.cjs'), data: { note: join(directory, 'note') } };
    return new Command('cat', files, { passFds, preExecHook });
  }

  for (const [title, numbers] of sets) {
    it(`arrive whole, and are there before Node: ${title}`, async () => {
      for (let round = 0; round < 3; round++) {
        const passFds = numbers.map((as) => ({ fd: filled(text(as)), as }));
        const links = passFds.map(({ fd, as }) => [String(as), readlinkSync(`/proc/self/fd/${fd}`)]);
        const command = reader(passFds).setOutputBuffer();
        const { stdout } = round === 0 ? command.runSync() : await command.run();
        expect(stdout).to.equal(numbers.map(text).join(''));
        const seen = JSON.parse(readFileSync(join(directory, 'note'), 'utf8')) as Readonly<Record<string, string>>;
        expect(seen).to.include(Object.fromEntries(links));
        for (const fd of open.splice(0)) libc.close(fd);
      }
    });
  }

  it('arrive whole by their own numbers', async () => {
    for (let round = 0; round < 10; round++) {
      const passFds = [1, 2, 3].map(() => filled('content\n')).map((fd) => ({ fd, as: fd }));
      const { stdout } = await reader(passFds).setOutputBuffer().run();
      expect(stdout).to.equal('content\n'.repeat(3));
      for (const fd of open.splice(0)) libc.close(fd);
    }
  });

  it('are those of a daemon, too', async () => {
    const pair = Buffer.alloc(8);
    libc.pipe2(pair, LINUX.O_CLOEXEC);
    const [read, write] = [pair.readInt32LE(0), pair.readInt32LE(4)];
    open.push(read);
    const passFds = all.map((as) => ({ fd: filled(text(as)), as }));
    await reader(passFds).setOutputFd(write).daemonize().run();
    libc.close(write);
    const file = readFileSync(read, 'latin1');
    expect(file).to.equal(all.map(text).join(''));
  });
});
