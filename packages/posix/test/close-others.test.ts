import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Libc } from '../src/libc';
import { LINUX } from '../src/linux';
import { SIZE } from '../src/struct';
import { onEachDriver } from './drivers';
import { inheritable, observe, planOf } from './plans';

/** A worker that runs one of the programs of these tests. */
export function workerOf(program: string, workerData: unknown): Worker {
  const file = require.resolve(`./programs/${program}`);
  return new Worker(`require('ts-node').register({ transpileOnly: true }); require(${JSON.stringify(file)});`, {
    eval: true,
    workerData,
  });
}

const nulls = { 0: '/dev/null', 1: '/dev/null', 2: '/dev/null' };

function setLimit(libc: Libc, soft: number): number {
  const limit = Buffer.alloc(SIZE.rlimit);
  libc.getrlimit(LINUX.RLIMIT_NOFILE, limit);
  const before = Number(limit.readBigUInt64LE(0));
  limit.writeBigUInt64LE(BigInt(soft));
  expect(libc.setrlimit(LINUX.RLIMIT_NOFILE, limit)).to.equal(0);
  return before;
}

describe('other descriptors of this process', () => {
  onEachDriver((libc, driver) => {
    let fds: number[];
    before(() => {
      fds = Array.from({ length: 500 }, (_, index) =>
        inheritable(libc, '/etc/passwd', index % 10 === 0 ? 1000 + index : 3),
      );
      expect(fds.filter((fd) => fd > 1000)).to.have.length.above(40);
    });
    after(() => {
      for (const fd of fds) libc.close(fd);
    });

    it('are closed: a program sees 0, 1, 2 and what is passed', () => {
      const high = Math.max(...fds);
      expect(observe(planOf(), libc).fds).to.deep.equal(nulls);
      const passFds = [
        { fd: high, as: 3 },
        { fd: fds[0] ?? -1, as: high },
        { fd: fds[1] ?? -1, as: 700 },
      ];
      expect(observe(planOf({ passFds }), libc).fds).to.deep.equal({
        ...nulls,
        3: '/etc/passwd',
        700: '/etc/passwd',
        [high]: '/etc/passwd',
      });
    });

    it('are closed also above a limit that was lowered since', () => {
      const high = Math.max(...fds);
      const limit = setLimit(libc, 900);
      try {
        expect(observe(planOf(), libc).fds).to.deep.equal(nulls);
        // A source above the limit is fine.
        const passed = planOf({ stdin: { type: 'fd', fd: high }, passFds: [{ fd: high, as: 800 }] });
        expect(observe(passed, libc).fds).to.deep.equal({ ...nulls, 0: '/etc/passwd', 800: '/etc/passwd' });
        expect(() => observe(planOf({ passFds: [{ fd: 0, as: 950 }] }), libc)).to.throw(/stage stdio.*950/);
      } finally {
        setLimit(libc, limit);
      }
    });

    it('are closed also while another thread opens and closes some', async () => {
      const state = new SharedArrayBuffer(8);
      const counters = new Int32Array(state);
      const worker = workerOf('opener', state);
      const exited = new Promise((resolve) => worker.once('exit', resolve));
      try {
        while (Atomics.load(counters, 1) === 0) await new Promise(setImmediate);
        const rounds = Atomics.load(counters, 1);
        for (let start = 0; start < 100; start++) expect(observe(planOf(), libc).fds).to.deep.equal(nulls);
        expect(Atomics.load(counters, 1)).to.be.greaterThan(rounds);
      } finally {
        Atomics.store(counters, 0, 1);
        await exited;
      }
    });

    it('do no harm when 0, 1 and 2 of this process are closed', () => {
      const directory = mkdtempSync(join(tmpdir(), 'vircommand-posix-'));
      try {
        const report = join(directory, 'report.json');
        const script = require.resolve('./programs/closed-stdio');
        const options = ['--no-warnings', '--conditions=@vircommand/source', '-r', 'ts-node/register/transpile-only'];
        spawnSync(process.execPath, [...options, script, report, driver], { stdio: 'inherit' });
        const { seen, ours, files, after } = JSON.parse(readFileSync(report, 'utf8')) as {
          seen: Record<string, string>[];
          ours: number[];
          files: number[];
          after: number[];
        };
        expect(Object.keys(seen[0] ?? {})).to.deep.equal(['0', '1', '2', '3']);
        expect(Math.min(...ours)).to.be.greaterThan(2);
        expect(files).to.deep.equal([0, 1, 2]);
        const { 2: pipe = '', ...rest } = seen[1] ?? {};
        expect(pipe).to.match(/^pipe:/);
        expect(rest).to.deep.equal({ 0: '/etc/group', 1: '/etc/passwd', 4: '/etc/hostname' });
        expect(after).to.deep.equal([0, 0, 0]);
      } finally {
        rmSync(directory, { recursive: true });
      }
    });

    it('are closed by a start in a worker thread too', async function () {
      if (driver === 'ffi-napi') this.skip();
      const worker = workerOf('worker-start', { driver, variable: 'VIRCOMMAND_OF_WORKER' });
      const answer = await new Promise((resolve, reject) => {
        worker.once('message', resolve).once('error', reject);
      });
      await worker.terminate();
      expect(answer).to.deep.equal({
        fds: nulls,
        signals: [0n, 0n],
        inherited: true,
        status: 0,
        stdout: 'of the worker\n',
        leaked: [],
      });
    });
  });
});
