import type { LaunchPlan } from '@vircommand/core/backend';
import { expect } from 'chai';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { libcThrough, type Libc } from '../src/libc';
import { LINUX } from '../src/linux';
import { execErrorsAreLost, startProcess } from '../src/spawn';
import { cString } from '../src/struct';
import { onEachDriver } from './drivers';
import { capture, failure, finish, inheritable, look, observe, planOf, sh } from './plans';

const base64 = (...bytes: number[]): { base64: string } => ({ base64: Buffer.from(bytes).toString('base64') });

describe('a start', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'vircommand-posix-'));
  });
  after(() => {
    rmSync(directory, { recursive: true });
  });

  onEachDriver((libc) => {
    it('gives arguments, environment and working directory byte for byte', () => {
      const argv = ['näme', '', ' a "b" $c\n', base64(0xff, 0x80, 0x61)];
      const env = [
        ['A', 'ü=1'],
        ['B', base64(0xfe)],
        ['C', ''],
      ] as const;
      const plan = sh('read x', { cwd: '/usr/bin', env, stdin: { type: 'pipe' } });
      const seen = observe({ ...plan, argv: [...plan.argv, ...argv] }, libc);
      expect(seen.argv.toString('latin1')).to.equal(
        Buffer.from('sh\0-c\0read x\0näme\0\0 a "b" $c\n\0').toString('latin1') + '\xff\x80a\0',
      );
      expect(seen.env.toString('latin1')).to.equal(Buffer.from('A=ü=1\0').toString('latin1') + 'B=\xfe\0C=\0');
      expect(seen.cwd).to.equal('/usr/bin');
    });

    it('passes more arguments than fit the usual memory, and then few again', () => {
      const many = Array.from({ length: 3000 }, (_, index) => `${index}-${'x'.repeat(300)}`);
      const plan = sh('echo $#; eval "echo \\${$#}"');
      expect(capture({ ...plan, argv: [...plan.argv, '0', ...many] }, libc).stdout).to.equal(
        `3000\n${many.at(-1) ?? ''}\n`,
      );
      expect(capture(sh('echo "$0"'), libc).stdout).to.equal('sh\n');
    });

    it('gives descriptors 0, 1 and 2 and those passed, and no other', () => {
      const fd = inheritable(libc, '/etc/passwd');
      const high = inheritable(libc, '/etc/hostname', 1500);
      try {
        expect(observe(planOf(), libc).fds).to.deep.equal({ 0: '/dev/null', 1: '/dev/null', 2: '/dev/null' });
        const passFds = [
          { fd, as: 3 },
          { fd: high, as: 10 },
          { fd: high, as: high },
          { fd, as: 12 },
        ];
        expect(observe(planOf({ passFds }), libc).fds).to.deep.equal({
          0: '/dev/null',
          1: '/dev/null',
          2: '/dev/null',
          3: '/etc/passwd',
          10: '/etc/hostname',
          12: '/etc/passwd',
          [high]: '/etc/hostname',
        });
      } finally {
        libc.close(fd);
        libc.close(high);
      }
    });

    it('survives crossed descriptors', () => {
      const a = inheritable(libc, '/etc/passwd');
      const b = inheritable(libc, '/etc/hostname');
      try {
        const { fds } = observe(
          planOf({
            stdin: { type: 'fd', fd: b },
            stdout: { type: 'fd', fd: a },
            stderr: { type: 'fd', fd: b },
            passFds: [
              { fd: a, as: b },
              { fd: b, as: a },
              { fd: b, as: 3 },
            ],
          }),
          libc,
        );
        const [one, two] = ['/etc/passwd', '/etc/hostname'];
        expect(fds).to.deep.equal({ 0: two, 1: one, 2: two, 3: two, [a]: two, [b]: one });
      } finally {
        libc.close(a);
        libc.close(b);
      }
    });

    it('gives blocking ends to the program and keeps non-blocking ones that close on exec', () => {
      const started = startProcess(
        planOf({ stdin: { type: 'pipe' }, stdout: { type: 'pipe' }, stderr: { type: 'pipe' }, sendBuffers: [7, 5] }),
        libc,
      );
      const { stdin = -1, stdout = -1, stderr = -1, sendBuffers } = started.parentEnds;
      const { fds } = look(started.pid);
      expect(Object.keys(fds)).to.deep.equal(['0', '1', '2', '5', '7']);
      for (const fd of [stdin, stdout, stderr, ...sendBuffers]) {
        expect(libc.fcntl(fd, LINUX.F_GETFL, 0) & 0o4000).to.equal(0o4000);
        expect(libc.fcntl(fd, LINUX.F_GETFD, 0)).to.equal(LINUX.FD_CLOEXEC);
      }
      for (const fd of Object.keys(fds)) {
        const info = readFileSync(`/proc/${started.pid}/fdinfo/${fd}`, 'latin1');
        expect(parseInt(/flags:\s*(\d+)/.exec(info)?.[1] ?? '', 8) & 0o4000, `descriptor ${fd}`).to.equal(0);
      }
      finish(started, libc);
    });

    it('makes stdout and stderr one pipe', () => {
      const started = startProcess(planOf({ stdout: { type: 'pipe' }, stderr: { type: 'same-as-stdout' } }), libc);
      const { fds } = look(started.pid);
      expect(fds[1]).to.match(/^pipe:/);
      expect(fds[2]).to.equal(fds[1]);
      finish(started, libc);
    });

    it('sets every signal to its default and blocks none', () => {
      // Node ignores SIGPIPE itself.
      expect(readFileSync('/proc/self/status', 'latin1')).to.match(/SigIgn:\s*0*[1-9a-f]/);
      const { ignored, blocked, caught } = observe(planOf(), libc);
      expect([ignored, blocked, caught]).to.deep.equal([0n, 0n, 0n]);
    });

    it('makes the group or the session that the plan says', () => {
      const own = { group: libc.getpgid(0), session: libc.getsid(0) };
      const started = (group: LaunchPlan['group']): Record<string, number | boolean> => {
        const process = startProcess(planOf({ group }), libc);
        const seen = look(process.pid);
        finish(process, libc);
        return {
          leads: process.leadsGroup,
          group: seen.group === process.pid ? 0 : seen.group,
          session: seen.session === process.pid ? 0 : seen.session,
        };
      };
      expect(started('none')).to.deep.equal({ leads: false, ...own });
      expect(started('group')).to.deep.equal({ leads: true, group: 0, session: own.session });
      expect(started('session')).to.deep.equal({ leads: true, group: 0, session: 0 });
    });

    it('reads, creates, truncates and appends files', () => {
      const path = join(directory, `file-${libc.driver.name}`);
      const write = (text: string, mode: 'write' | 'append'): void => {
        const plan = sh(`printf %s "$0"`, { stdout: { type: 'file', path, mode } });
        finish(startProcess({ ...plan, argv: [...plan.argv, text] }, libc), libc, false);
      };
      write('a long line', 'write');
      write('one', 'write');
      write(', two', 'append');
      expect(readFileSync(path, 'utf8')).to.equal('one, two');
      expect(capture(sh('cat', { stdin: { type: 'file', path, mode: 'read' } }), libc).stdout).to.equal('one, two');
    });

    it('inherits the environment with its bytes as they are', () => {
      const setenv = libc.driver.bind('setenv', 'int', ['buffer', 'buffer', 'int']);
      setenv?.(cString('VIRCOMMAND_BYTES'), cString(base64(0xff, 0xfe)), 1);
      process.env.VIRCOMMAND_TEXT = 'ö';
      try {
        const env = observe(planOf(), libc).env.toString('latin1').split('\0');
        expect(env).to.include('VIRCOMMAND_BYTES=\xff\xfe');
        expect(env).to.include(Buffer.from('VIRCOMMAND_TEXT=ö').toString('latin1'));
        expect(env.filter((entry) => entry.startsWith('VIRCOMMAND_PROBE'))).to.deep.equal([]);
      } finally {
        delete process.env.VIRCOMMAND_BYTES;
        delete process.env.VIRCOMMAND_TEXT;
      }
    });

    it('inherits a process.env that somebody replaced', () => {
      const real = process.env;
      process.env = { ...real, VIRCOMMAND_REPLACED: 'yes' };
      try {
        expect(observe(planOf(), libc).env.toString().split('\0')).to.include('VIRCOMMAND_REPLACED=yes');
        process.env = Object.freeze({ ONLY: 'this' });
        expect(observe(planOf(), libc).env.toString()).to.equal('ONLY=this\0');
      } finally {
        process.env = real;
      }
      expect(observe(planOf(), libc).env.toString()).not.to.include('VIRCOMMAND_REPLACED');
    });

    it('looks for the program in the PATH and the directory of this process', () => {
      const bin = join(directory, `bin-${libc.driver.name}`);
      mkdirSync(bin);
      writeFileSync(join(bin, 'vircommand-found'), '#!/bin/sh\npwd\n', { mode: 0o755 });
      const path = process.env.PATH;
      process.env.PATH = `/nonexistent:${bin}`;
      try {
        const plan = { program: 'vircommand-found', argv: ['x'], cwd: '/', env: [['PATH', '/bin']] as const };
        expect(capture(planOf(plan), libc).stdout).to.equal('/\n');
      } finally {
        process.env.PATH = path;
      }
    });
  });

  const libc = libcThrough('koffi');

  it('closes what it can list where libc has no closefrom', () => {
    const musl: Libc = {
      ...libc,
      has: (name) => name !== 'posix_spawn_file_actions_addclosefrom_np' && libc.has(name),
    };
    const fds = [inheritable(libc, '/etc/passwd'), inheritable(libc, '/etc/passwd', 1200)];
    try {
      const [fd = -1, high = -1] = fds;
      const plan = planOf({
        passFds: [
          { fd, as: 9 },
          { fd: high, as: fd },
        ],
        stdin: { type: 'fd', fd: high },
      });
      expect(Object.keys(observe(plan, musl).fds)).to.have.members(['0', '1', '2', '9', String(fd)]);
    } finally {
      fds.forEach((fd) => libc.close(fd));
    }
  });

  it('notices where exec errors are lost, and looks at the file before each start from then on', () => {
    const emulated: Libc = {
      ...libc,
      posix_spawn(pid, ...rest) {
        const result = libc.posix_spawn(pid, ...rest);
        if (result === 0) return 0;
        const { pid: child } = startProcess(sh('exit 127'), libc);
        Buffer.from(pid?.buffer ?? new ArrayBuffer(4)).writeInt32LE(child);
        return 0;
      },
    };
    const missing = planOf({ program: '/no/such' });
    expect(finish(startProcess(missing, emulated), libc, false)).to.equal(127 << 8);
    expect(execErrorsAreLost(emulated)).to.equal(true);
    expect(failure(missing, emulated)).to.deep.equal({ stage: 'exec', code: 'ENOENT', path: '/no/such' });
    expect(failure(planOf({ program: '/etc/passwd' }), emulated)).to.include({ stage: 'exec', code: 'EACCES' });
    expect(finish(startProcess(sh('exit 127'), emulated), libc, false)).to.equal(127 << 8);
    expect(execErrorsAreLost(libc)).to.equal(false);
  });

  it('works when the directory of this process is gone', () => {
    const gone = mkdtempSync(join(directory, 'gone-'));
    const before = process.cwd();
    process.chdir(gone);
    rmSync(gone, { recursive: true });
    try {
      expect(capture(sh('echo yes', { cwd: '/' }), libc).stdout).to.equal('yes\n');
      expect(failure(planOf({ program: './here' }), libc)).to.include({ stage: 'exec', code: 'ENOENT' });
    } finally {
      process.chdir(before);
    }
  });

  it('is refused where the permission model denies it', function () {
    const script = `
      require('ts-node/register');
      const { startProcess } = require(${JSON.stringify(require.resolve('../src/spawn'))});
      const { libcThrough } = require(${JSON.stringify(require.resolve('../src/libc'))});
      Object.defineProperty(process, 'permission', { value: { has: (scope) => scope !== 'child' } });
      try { startProcess(${JSON.stringify(planOf())}, libcThrough('koffi')); }
      catch (error) { console.log(error.stage, error.code); }`;
    const options = { env: { ...process.env, TS_NODE_TRANSPILE_ONLY: '1' }, encoding: 'utf8' } as const;
    const { stdout, stderr } = spawnSync(process.execPath, ['--conditions=@vircommand/source', '-e', script], options);
    expect(stdout.trim(), stderr).to.equal('fork ERR_ACCESS_DENIED');
  });

  it('leaves the dispositions of this process alone', () => {
    const own = /SigIgn:.*/.exec(readFileSync('/proc/self/status', 'latin1'))?.[0];
    observe(planOf(), libc);
    expect(/SigIgn:.*/.exec(readFileSync('/proc/self/status', 'latin1'))?.[0]).to.equal(own);
    expect(constants.signals.SIGPIPE).to.equal(13);
  });
});
