/** A process that becomes a program, looked at from outside: the program is as if it had been started so, by its parent. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { startProcess } from '../src/spawn';
import { read } from './become';
import { bundled, bundledEnv, removeBundled } from './bundled';
import { onEachDriver } from './drivers';
import type { Said, Work } from './programs/executes';
import { facts } from './facts';
import { finish, look, planOf } from './plans';
import { until } from './started';

const nameOf = (pid = 0): string => readFileSync(`/proc/${pid}/comm`, 'latin1').trim();

onEachDriver((libc, driver) => {
  describe('a process that becomes a program', () => {
    let directory: string;
    const children: ChildProcessWithoutNullStreams[] = [];
    before(() => {
      directory = mkdtempSync(join(tmpdir(), 'vircommand-exec-'));
    });
    afterEach(() => {
      for (const child of children.splice(0)) child.kill('SIGKILL');
    });
    after(() => {
      rmSync(directory, { recursive: true });
      removeBundled();
    });

    function begin(work: Omit<Work, 'driver'>): ChildProcessWithoutNullStreams {
      const argv = ['--no-warnings', bundled('executes'), JSON.stringify({ driver, ...work } satisfies Work)];
      if (driver === 'node') argv.unshift('--experimental-ffi');
      const child = spawn(process.execPath, argv, { env: bundledEnv() });
      children.push(child);
      child.stderr.pipe(process.stderr);
      return child;
    }

    /** Its output and how it ended. */
    async function run(work: Omit<Work, 'driver'>, input = ''): Promise<{ output: string; code: number | null }> {
      const child = begin(work);
      let output = '';
      child.stdout.on('data', (chunk) => (output += String(chunk)));
      child.stdin.end(input);
      const [code] = (await once(child, 'close')) as [number | null];
      return { output, code };
    }

    async function failure(work: Omit<Work, 'driver'>): Promise<Said> {
      const { output } = await run(work, 'still there\n');
      return JSON.parse(output.split('\n')[1] ?? '') as Said;
    }

    it('keeps its pid, parent and streams; environment, arguments, directory and descriptors are what was said', async () => {
      const file = join(directory, 'out');
      const child = begin({
        program: 'sleep',
        args: ['1000'],
        options: {
          argv0: 'other',
          env: { A: 'b c' },
          cwd: '/usr',
          stderr: { file },
          passFds: [
            { fd: 0, as: 7 },
            { fd: 1, as: 3 },
          ],
        },
      });
      const pid = child.pid ?? 0;
      await until(() => nameOf(pid) === 'sleep');
      const seen = look(pid);
      expect([seen.argv.toString(), seen.env.toString(), seen.cwd]).to.deep.equal([
        ['other', '1000', ''].join('\0'),
        'A=b c\0',
        '/usr',
      ]);
      expect(Object.keys(seen.fds)).to.deep.equal(['0', '1', '2', '3', '7']);
      expect([seen.fds[2], seen.fds[7], seen.fds[3]]).to.deep.equal([file, seen.fds[0], seen.fds[1]]);
      expect([seen.ignored, seen.blocked, seen.caught]).to.deep.equal([0n, 0n, 0n]);
      expect(read(pid).status('Threads')).to.equal('1');
      // Node had made them so.
      for (const fd of [0, 1]) {
        expect(
          parseInt(/flags:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1'))?.[1] ?? '', 8) & 0o4000,
        ).to.equal(0);
      }
    });

    it('has files by any numbers, also by those of descriptors that Node’s threads wait on', async function () {
      this.timeout(300_000);
      const all = Array.from({ length: 38 }, (_, index) => index + 3);
      const sets = [all, ...[0, 1].map((rest) => all.filter((fd) => fd % 2 === rest))];
      for (let first = 3; first < 40; first += 2) sets.push([first, first + 1]);
      for (const fd of all) writeFileSync(join(directory, String(fd)), `content of ${fd}\n`);
      for (const numbers of sets) {
        const files = Object.fromEntries(numbers.map((fd) => [fd, join(directory, String(fd))]));
        const args = numbers.map((fd) => `/dev/fd/${fd}`);
        const { output, code } = await run({ program: 'cat', args, options: {}, files });
        expect(output).to.equal(`begun\n${numbers.map((fd) => `content of ${fd}\n`).join('')}`);
        expect(code).to.equal(0);
      }
    });

    it('has nothing of Node: it is as one that was started directly', async () => {
      const env = { A: 'b' };
      const options = { argv0: 'sleep', env, stdin: 'null', stdout: 'null', stderr: 'null' } as const;
      const child = begin({ program: '/bin/sleep', args: ['1000'], options });
      await until(() => nameOf(child.pid) === 'sleep');
      const started = startProcess(planOf({ env: [['A', 'b']], group: 'none' }), libc);
      try {
        expect(facts(child.pid ?? 0)).to.deep.equal(facts(started.pid));
      } finally {
        finish(started, libc);
      }
    });

    it('ends as the program does, and nothing of JavaScript runs any more', async () => {
      const program = {
        program: 'sh',
        args: ['-c', 'cat; echo "$$ $PPID" >&2; exit 7'],
        options: { stderr: 'stdout' },
      } as const;
      const child = begin(program);
      let output = '';
      child.stdout.on('data', (chunk) => (output += String(chunk)));
      const ended = once(child, 'close');
      // Not to Node, which reads it too.
      await until(() => nameOf(child.pid) === 'sh');
      child.stdin.end('input\n');
      expect(await ended).to.deep.equal([7, null]);
      expect(output).to.equal(`begun\ninput\n${child.pid} ${process.pid}\n`);
    });

    it('has what was asked for of umask, limits, niceness, session', async () => {
      const options = {
        umask: 0,
        limits: { files: 100, core: 0 },
        nice: 7,
        affinity: [0],
        noNewPrivs: true,
        session: true,
      } as const;
      const { pid = 0 } = begin({ program: 'sleep', args: ['1000'], options });
      await until(() => nameOf(pid) === 'sleep');
      const { status, limit, nice } = read(pid);
      expect([status('Umask'), status('NoNewPrivs'), status('Cpus_allowed_list')]).to.deep.equal(['0000', '1', '0']);
      expect([limit('Max open files'), limit('Max core file size'), nice]).to.deep.equal(['100 100', '0 0', 7]);
      expect([look(pid).session, look(pid).group]).to.deep.equal([pid, pid]);
    });

    it('has another user, and the capabilities that were said', async function () {
      if (process.getuid?.() !== 0) this.skip();
      const options = {
        uid: 65534,
        gid: 65534,
        capabilities: { clear: true, allow: ['CAP_NET_BIND_SERVICE'] },
      } as const;
      const { pid = 0 } = begin({ program: 'sleep', args: ['1000'], options });
      await until(() => nameOf(pid) === 'sleep');
      const { status } = read(pid);
      expect(['Uid', 'Gid', 'CapEff', 'CapBnd', 'CapAmb'].map(status)).to.deep.equal([
        '65534 65534 65534 65534',
        '65534 65534 65534 65534',
        ...Array<string>(3).fill('0000000000000400'),
      ]);
    });

    it('stays what it was if exec fails: descriptors, signals, streams, files and children', async () => {
      const said = await failure({
        program: '/no/such/program',
        args: [],
        // Numbers that Node has, and one that is not closed on exec.
        options: {
          stdout: 2,
          stderr: 'null',
          passFds: [0, 1, 2].flatMap((fd) => [
            { fd, as: 40 + fd },
            { fd, as: 10 + fd },
          ]),
        },
      });
      expect([said.stage, said.code]).to.deep.equal(['exec', 'ENOENT']);
      expect(said.after).to.deep.equal(said.before);
      expect(said.works).to.deep.equal(['still there\n', 'root', 'child\n']);
    });

    it('throws with the stage of what failed before', async () => {
      const program = { program: 'sleep', args: ['1000'] };
      const cwd = await failure({ ...program, options: { cwd: '/no/such' } });
      expect([cwd.stage, cwd.code]).to.deep.equal(['cwd', 'ENOENT']);
      expect(cwd.after).to.deep.equal(cwd.before);
      expect(await failure({ program: 'no-such-program', args: [], options: {} })).to.include({ stage: 'resolve' });
      expect(await failure({ ...program, options: { stdin: { file: '/no/such' } } })).to.include({ stage: 'stdio' });
    });

    it('has lost its rights if exec fails after them, and nothing else', async function () {
      if (process.getuid?.() !== 0) this.skip();
      const program = join(directory, 'for-root');
      writeFileSync(program, '#!/bin/sh\n', { mode: 0o700 });
      chmodSync(directory, 0o755);
      const said = await failure({ program, args: [], options: { uid: 65534, gid: 65534 } });
      expect([said.stage, said.code]).to.deep.equal(['exec', 'EACCES']);
      expect(said.after).to.deep.equal(said.before);
      expect(said.works).to.deep.equal(['still there\n', 'root', 'child\n']);
    });

    if (driver !== 'ffi-napi') {
      it('is no worker thread', async () => {
        const { output } = await run({ program: 'true', args: [], options: {}, inWorker: true });
        expect(output).to.contain('main thread');
      });
    }
  });
});
