/** Daemons and their pid files. */
import * as assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { abortAll, CommandAbortedError, CommandUsageError, secret, type CommandResult } from '@vircommand/core';
import type { CaseContext } from '../types';
import { group, readRest, rejection, words } from './define';

/** A daemon that reports, and runs until its stdin ends, which is the end of the case at the latest. */
async function daemon(
  t: CaseContext,
  instructions: readonly string[],
  pidFile?: string,
): Promise<{ readonly result: CommandResult; end(): Promise<string> }> {
  const [input, output] = [t.pipe(), t.pipe()];
  const command = t
    .helper(...instructions, 'eof')
    .daemonize()
    .setInputFd(input.read)
    .setOutputFd(output.write);
  if (pidFile !== undefined) command.setPidFile(pidFile);
  const result = await command.run();
  t.closeFd(input.read);
  t.closeFd(output.write);
  return {
    result,
    async end() {
      t.closeFd(input.write);
      return (await t.readAll(output.read)).toString();
    },
  };
}

export const daemonCases = group('daemon', { requires: ['daemon'], needs: ['posix'] }, [
  {
    id: 'resolves',
    title: 'running a daemon resolves when it has started',
    why: 'virCommandDaemonize: it does not end, so nobody waits for its end.',
    async run(t) {
      const { exitCode, signal } = await t.helper('exit:0').daemonize().run({ timeout: 10_000 });
      assert.deepEqual([exitCode, signal], [0, undefined]);
    },
  },
  {
    id: 'detached',
    title: 'a daemon has a session that it does not lead, the root directory and another parent',
    why: 'It can get no terminal, keeps no file system busy, and is reaped by init.',
    requires: ['fd-stdio', 'local-pid'],
    needs: ['linux'],
    async run(t) {
      const started = await daemon(t, ['session', 'cwd', 'umask']);
      const [line = '', directory] = (await started.end()).split('\n');
      const [pid, groupId, session, parent] = words(line).map(Number);
      assert.equal(pid, started.result.pid);
      assert.notEqual(session, pid);
      assert.equal(groupId, session);
      assert.notEqual(parent, process.pid);
      assert.equal(directory, '/');
    },
  },
  {
    id: 'null-device',
    title: 'the streams of a daemon are /dev/null, and it has no other descriptor',
    why: 'It would keep the files, ports and pipes of the process that started it for years.',
    requires: ['fd-stdio', 'close-other-fds'],
    needs: ['linux'],
    async run(t) {
      const { read, write } = t.pipe();
      await t.helper('fds').daemonize().setOutputFd(write).run();
      t.closeFd(write);
      const text = (await t.readAll(read)).toString();
      const seen = Array.from(
        text.matchAll(/ (\d+) -> (.*)$/gm),
        ([, fd, target = '']) => [Number(fd), target] as const,
      );
      const open = new Map(seen.filter(([, target]) => !/report\.(sh|js)$/.test(target)));
      assert.deepEqual([open.get(0), open.get(2)], ['/dev/null', '/dev/null']);
      assert.deepEqual(Array.from(open.keys()).sort(), [0, 1, 2]);
    },
  },
  {
    id: 'start-error',
    title: 'a daemon that cannot start is an error of the run, with its stage',
    why: 'With virCommand everything after the second fork is invisible to the caller.',
    async run(t) {
      const command = new t.Command('/no/such/program').daemonize();
      await t.rejectsStart(command.run(), { stage: 'exec', code: 'ENOENT' });
    },
  },
  {
    id: 'stays',
    title: 'a daemon is not ended by abortAll()',
    why: 'It is meant to outlive the process that started it.',
    requires: ['fd-stdio', 'local-pid'],
    async run(t) {
      const started = await daemon(t, ['out:still here']);
      await abortAll({ killDelay: 0 });
      assert.ok(t.alive(started.result.pid ?? 0));
      assert.equal(await started.end(), 'still here');
    },
  },
  {
    id: 'pipes',
    title: 'a daemon has its pipes while it runs, also when its run is over, which is when it has begun',
    why: 'By its stderr one learns why it does not serve; that it ends nobody can wait for.',
    async run(t) {
      const command = t.helper('out:one', 'cat', 'err:e').daemonize();
      const running = await command.setInputFd('pipe').setOutputFd('pipe').setErrorFd('pipe').runAsync();
      const { exitCode, signal } = await running.wait();
      assert.deepEqual([exitCode, signal], [0, undefined]);
      running.stdin.end(' two');
      const output = await Promise.all([readRest(running.stdout), readRest(running.stderr)]);
      assert.deepEqual(output, ['one two', 'e']);
    },
  },
  {
    id: 'sent',
    title: 'what is sent to a daemon is sent when its run is over, also if that is more than a pipe holds',
    why: 'Secrets are handed over so, and who is told that it has begun may end.',
    async run(t) {
      const other = t.has('send-buffer');
      const command = t.helper('length', ...(other ? ['fd-read:5'] : [])).daemonize();
      command.setInputBuffer(Buffer.alloc(300_000, 'i')).doAsyncIo();
      if (other) command.setSendBuffer(5, secret('hunter2'));
      const running = await command.setOutputFd('pipe').runAsync();
      await running.wait();
      assert.match(await readRest(running.stdout), other ? /^\s*300000\s*hunter2$/ : /^\s*300000\s*$/);
    },
  },
  {
    id: 'let-go',
    title: 'a daemon that has begun is not ended by what ends a program: an abort, and disposal',
    why: 'It outlives who started it, on every way out of the block that did.',
    async run(t) {
      const note = path.join(t.tempDir(), 'note');
      const running = await t.helper('eof', `write-file:${note}`).daemonize().setInputFd('pipe').runAsync();
      await running.abort();
      assert.equal(running.kill(), false);
      running[Symbol.dispose]();
      await t.until('the daemon goes on', () => existsSync(note));
    },
  },
  {
    id: 'held',
    title: 'a daemon is held before exec until it is told to go on; its pid file is there',
    why: 'libvirt starts its machines so: virCommandSetPidFile, virCommandDaemonize, virCommandRequireHandshake.',
    requires: ['handshake', 'pid-file'],
    async run(t) {
      const directory = t.tempDir();
      const [note, file] = [path.join(directory, 'note'), path.join(directory, 'pid')];
      const command = t.helper(`write-file:${note}`, 'out:ran').daemonize().setPidFile(file).requireHandshake();
      const running = await command.setOutputFd('pipe').runAsync();
      await running.handshakeWait();
      assert.equal(existsSync(note), false);
      if (running.pid !== undefined) {
        assert.ok(t.alive(running.pid));
        assert.equal(readFileSync(file, 'latin1'), String(running.pid));
      }
      await running.handshakeNotify();
      assert.equal((await running.wait()).exitCode, 0);
      assert.equal(await readRest(running.stdout), 'ran');
      assert.ok(existsSync(note));
    },
  },
  {
    id: 'held-ended',
    title: 'a daemon that is held is ended by an abort, and by disposal, and leaves nothing',
    why: 'The caller’s own preparations may fail. virCommandFree closes the handshake’s ends, and the child dies.',
    requires: ['handshake', 'pid-file'],
    async run(t) {
      const directory = t.tempDir();
      const [note, file] = [path.join(directory, 'note'), path.join(directory, 'pid')];
      const command = t.helper(`write-file:${note}`).daemonize().setPidFile(file).requireHandshake();
      // The backend tells that nothing is left, long before that.
      const aborted = await command.runAsync({ drainDelay: 5000 });
      await aborted.abort();
      await rejection(aborted.wait(), CommandAbortedError);
      assert.equal(existsSync(file), false);
      const disposed = await command.runAsync();
      disposed[Symbol.dispose]();
      assert.equal(existsSync(file), false);
      await rejection(disposed.wait(), CommandAbortedError);
      for (const { pid } of [aborted, disposed]) if (pid !== undefined) assert.equal(t.alive(pid), false);
      assert.equal(existsSync(note), false);
    },
  },
  {
    id: 'held-fails',
    title: 'a daemon that cannot be executed fails when it is told to go on, stage exec',
    why: 'Both, whoever notifies and whoever waits, must know.',
    requires: ['handshake'],
    async run(t) {
      const running = await new t.Command('/no/such/program').daemonize().requireHandshake().runAsync();
      await running.handshakeWait();
      await t.rejectsStart(running.handshakeNotify(), { stage: 'exec', code: 'ENOENT' });
      await t.rejectsStart(running.wait(), { stage: 'exec', code: 'ENOENT' });
    },
  },
  {
    id: 'misuse',
    title: 'a daemon whose output is kept, with a directory, or with lines is a usage error',
    why: 'Its end, which would be waited for, is never known, and its directory is /.',
    async run(t) {
      const command = () => t.helper('exit:0').daemonize();
      await rejection(command().setOutputBuffer().run(), CommandUsageError);
      await rejection(command().setErrorBuffer().doAsyncIo().runAsync(), CommandUsageError);
      await rejection(command().setWorkingDirectory('/').run(), CommandUsageError);
      await rejection(command().setOutputFd('pipe').run(), CommandUsageError);
      await rejection(command().runLines().next(), CommandUsageError);
      assert.equal(t.starts, 0);
    },
  },
]);

export const pidFileCases = group('pid-file', { requires: ['pid-file', 'daemon', 'fd-stdio'], needs: ['posix'] }, [
  {
    id: 'content',
    title: 'the pid file has the daemon’s pid in decimal, and nothing else, when the run resolves',
    why: 'virPidFileReadPath and every init script read it.',
    async run(t) {
      const file = path.join(t.tempDir(), 'pid');
      const started = await daemon(t, ['pid'], file);
      const content = readFileSync(file, 'latin1');
      assert.match(content, /^\d+$/);
      if (t.has('local-pid')) assert.equal(content, String(started.result.pid));
      assert.equal((await started.end()).trim(), content);
    },
  },
  {
    id: 'locked',
    title: 'the pid file is locked by the daemon as long as it runs',
    why: 'That is how one tells a daemon that runs from a file that was left.',
    requires: ['local-pid'],
    needs: ['linux'],
    async run(t) {
      const file = path.join(t.tempDir(), 'pid');
      const started = await daemon(t, [], file);
      const inode = statSync(file).ino;
      const locks = (): string[] =>
        readFileSync('/proc/locks', 'latin1')
          .split('\n')
          .filter((line) => line.includes(`:${inode} `));
      const [lock = ''] = locks();
      assert.match(lock, new RegExp(`POSIX\\s+ADVISORY\\s+WRITE ${started.result.pid ?? 0} \\S+:${inode} 0 0`));
      await started.end();
      await t.until('the lock is gone', () => locks().length === 0);
    },
  },
  {
    id: 'taken',
    title: 'a second daemon with the same pid file fails at stage pid-file, and the first is undisturbed',
    why: 'Two of them would write over each other’s data.',
    async run(t) {
      const file = path.join(t.tempDir(), 'pid');
      const started = await daemon(t, ['out:first'], file);
      const content = readFileSync(file, 'latin1');
      await t.rejectsStart(t.helper('exit:0').daemonize().setPidFile(file).run(), { stage: 'pid-file' });
      assert.equal(readFileSync(file, 'latin1'), content);
      assert.equal(await started.end(), 'first');
    },
  },
  {
    id: 'stale',
    title: 'a pid file that a dead daemon left is taken over',
    why: 'A machine that lost its power must start again without help.',
    async run(t) {
      const file = path.join(t.tempDir(), 'pid');
      writeFileSync(file, '123456789 is longer than any pid');
      const started = await daemon(t, ['pid'], file);
      assert.equal(readFileSync(file, 'latin1'), (await started.end()).trim());
    },
  },
  {
    id: 'impossible',
    title: 'a pid file that cannot be created fails at stage pid-file',
    why: 'The daemon must not run without it.',
    async run(t) {
      const directory = t.tempDir();
      const below = path.join(directory, 'none', 'pid');
      await t.rejectsStart(t.helper('exit:0').daemonize().setPidFile(below).run(), {
        stage: 'pid-file',
        code: 'ENOENT',
      });
      mkdirSync(path.join(directory, 'pid'));
      const command = t.helper('exit:0').daemonize().setPidFile(path.join(directory, 'pid'));
      await t.rejectsStart(command.run(), { stage: 'pid-file', code: 'EISDIR' });
    },
  },
  {
    id: 'failed-start',
    title: 'a start that fails leaves no pid file',
    why: 'virCommand leaves one with the number of a process that is dead, or a stranger by now.',
    async run(t) {
      const file = path.join(t.tempDir(), 'pid');
      const command = new t.Command('/no/such/program').daemonize().setPidFile(file);
      await t.rejectsStart(command.run(), { stage: 'exec', code: 'ENOENT' });
      assert.equal(existsSync(file), false);
    },
  },
  {
    id: 'misuse',
    title: 'a pid file without a daemon is a usage error',
    why: 'virCommand: "creation of pid file requires daemonized command".',
    async run(t) {
      const file = path.join(t.tempDir(), 'pid');
      await rejection(t.helper('exit:0').setPidFile(file).run(), CommandUsageError);
      assert.deepEqual([existsSync(file), t.starts], [false, 0]);
    },
  },
]);
