import type { LaunchPlan } from '@vircommand/core/backend';
import { CommandStartError } from '@vircommand/core';
import { expect } from 'chai';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { errno } from '../src/errno';
import { launch } from '../src/launcher/start';
import type { Libc } from '../src/libc';
import { LINUX } from '../src/linux';
import { startProcess } from '../src/spawn';
import { cString, SIZE } from '../src/struct';
import { onEachDriver } from './drivers';
import { failure, finish, openFds, planOf } from './plans';

const base64 = (...bytes: number[]): { base64: string } => ({ base64: Buffer.from(bytes).toString('base64') });

/** The soft limit while `body` runs. */
function withFileLimit(libc: Libc, soft: number, body: () => void): void {
  const limit = Buffer.alloc(SIZE.rlimit);
  libc.getrlimit(LINUX.RLIMIT_NOFILE, limit);
  const lowered = Buffer.from(limit);
  lowered.writeBigUInt64LE(BigInt(soft));
  libc.setrlimit(LINUX.RLIMIT_NOFILE, lowered);
  try {
    body();
  } finally {
    libc.setrlimit(LINUX.RLIMIT_NOFILE, limit);
  }
}

describe('a start that fails', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'vircommand-posix-'));
  });
  after(() => {
    rmSync(directory, { recursive: true });
  });

  onEachDriver((libc) => {
    const fails = (part: Partial<LaunchPlan>): ReturnType<typeof failure> => failure(planOf(part), libc);

    it('names stage, code and path: program', () => {
      const program = (path: string): Partial<LaunchPlan> => ({ program: path, argv: ['x'] });
      const file = (name: string, content: string, mode: number): string => {
        const path = join(directory, name);
        writeFileSync(path, content);
        chmodSync(path, mode);
        return path;
      };
      const plain = file('plain', 'echo no\n', 0o755);
      const script = file('script', '#!/no/such/interpreter -x\n', 0o755);
      const locked = file('locked', '#!/bin/sh\n', 0o644);
      const exec = (code: string, path: string): object => ({ stage: 'exec', code, path });
      expect(fails(program('vircommand-no-such-program'))).to.deep.equal({
        stage: 'resolve',
        code: 'ENOENT',
        path: 'vircommand-no-such-program',
      });
      expect(fails(program('/no/such'))).to.deep.equal(exec('ENOENT', '/no/such'));
      expect(fails(program('/etc/passwd/x'))).to.deep.equal(exec('ENOTDIR', '/etc/passwd/x'));
      expect(fails(program(directory))).to.deep.equal(exec('EACCES', directory));
      expect(fails(program(locked))).to.deep.equal(exec('EACCES', locked));
      expect(fails(program(plain))).to.deep.equal(exec('ENOEXEC', plain));
      expect(fails(program(script))).to.deep.equal(exec('ENOENT', '/no/such/interpreter'));
      expect(fails({ program: '/bin/true', argv: ['x'.repeat(1 << 18)] }).code).to.equal('E2BIG');
      expect(fails({ argv: Array.from({ length: 100 }, () => 'x'.repeat(1 << 20)) }).code).to.equal('E2BIG');
      expect(fails({ argv: ['a\0b'] })).to.include({ stage: 'exec', code: 'EINVAL' });
      expect(fails({ env: [['A', base64(0)]] })).to.include({ stage: 'exec', code: 'EINVAL' });
      expect(fails(program('/' + 'x'.repeat(5000))).code).to.equal('ENAMETOOLONG');
    });

    it('names the same path of a relative program, whoever executes it', async () => {
      const before = process.cwd();
      writeFileSync(join(directory, 'relative'), 'echo no\n');
      chmodSync(join(directory, 'relative'), 0o755);
      const plan = planOf({ program: './relative', argv: ['x'] });
      const expected = { stage: 'exec', code: 'ENOEXEC', path: `${directory}/./relative` };
      process.chdir(directory);
      try {
        expect(failure(plan, libc)).to.deep.equal(expected);
        const error: unknown = await launch(plan, libc).then(undefined, (reason: unknown) => reason);
        expect(error).to.include(expected);
      } finally {
        process.chdir(before);
      }
    });

    it('names stage, code and path: working directory', () => {
      const cwd = (code: string, path: string): void => {
        expect(fails({ cwd: path })).to.deep.equal({ stage: 'cwd', code, path });
      };
      cwd('ENOENT', '/no/such');
      cwd('ENOTDIR', '/etc/passwd');
      cwd('ENOENT', '');
      cwd('ENAMETOOLONG', '/' + 'x'.repeat(5000));
      expect(fails({ cwd: 'a\0b' }).stage).to.equal('cwd');
    });

    it('names stage, code and path: descriptors and files', () => {
      const stdio = (part: Partial<LaunchPlan>, code: string, path?: string): void => {
        expect(fails(part)).to.deep.equal({ stage: 'stdio', code, path });
      };
      for (const fd of [9999, -1, 1.5, NaN, 2 ** 31, 2 ** 40]) {
        stdio({ stdin: { type: 'fd', fd } }, 'EBADF');
        stdio({ stdout: { type: 'fd', fd } }, 'EBADF');
        stdio({ passFds: [{ fd, as: 5 }] }, 'EBADF');
      }
      for (const as of [-1, 0, 2, 3.5, NaN, 2 ** 30, 2 ** 40]) {
        stdio({ passFds: [{ fd: 0, as }] }, 'EBADF');
        stdio({ sendBuffers: [as] }, 'EBADF');
      }
      const inNowhere = '/no/such/file';
      stdio({ stdin: { type: 'file', path: inNowhere, mode: 'read' } }, 'ENOENT', inNowhere);
      stdio({ stderr: { type: 'file', path: '/', mode: 'append' } }, 'EISDIR', '/');
      const fifo = join(directory, `fifo-${libc.driver.name}`);
      spawnSync('mkfifo', [fifo]);
      stdio({ stdin: { type: 'file', path: fifo, mode: 'read' } }, 'ENXIO', fifo);
      stdio({ stdout: { type: 'file', path: fifo, mode: 'write' } }, 'ENXIO', fifo);
    });

    it('truncates no file if the working directory or the program is wrong', () => {
      const path = join(directory, 'kept');
      const stdout = { type: 'file', path, mode: 'write' } as const;
      fails({ stdout, cwd: '/no/such' });
      fails({ stdout, program: 'vircommand-no-such-program' });
      expect(existsSync(path)).to.equal(false);
    });

    it('says when there are too many descriptors', () => {
      const fds = openFds();
      // Above it others may be open, of threads of other tests.
      const free = fds.findIndex((fd, index) => fd !== index);
      withFileLimit(libc, free < 0 ? fds.length : free, () => {
        expect(() => startProcess(planOf({ stdout: { type: 'pipe' } }), libc)).to.throw(CommandStartError, /EMFILE/);
      });
      expect(openFds()).to.deep.equal(fds);
    });

    it('reports what clone(2) lacks as stage fork', () => {
      for (const code of ['EAGAIN', 'ENOMEM'] as const) {
        const poor: Libc = { ...libc, posix_spawn: () => errno[code] };
        expect(failure(planOf(), poor)).to.include({ stage: 'fork', code });
      }
    });

    it('tries again while the file is open for writing, but not for ever', () => {
      let left = 3;
      const busy: Libc = {
        ...libc,
        posix_spawn: (...args) => (left-- > 0 ? errno.ETXTBSY : libc.posix_spawn(...args)),
      };
      finish(startProcess(planOf(), busy), libc);
      expect(left).to.equal(-1);

      const program = join(directory, `busy-${libc.driver.name}`);
      writeFileSync(program, readFileSync('/bin/true'), { mode: 0o755 });
      const writer = libc.openat(LINUX.AT_FDCWD, cString(program), 1 | LINUX.O_CLOEXEC, 0);
      expect(failure(planOf({ program }), libc)).to.deep.equal({ stage: 'exec', code: 'ETXTBSY', path: program });
      libc.close(writer);
      expect(finish(startProcess(planOf({ program }), libc), libc, false)).to.equal(0);
    });
  });
});
