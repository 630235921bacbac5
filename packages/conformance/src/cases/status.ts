/** How a program ended, and how the caller is told. */
import * as assert from 'node:assert/strict';
import { CommandExitError } from '@vircommand/core';
import { group, rejection } from './define';

/** A shell tells of a child that dumped core: it sees the wait status itself, whatever a backend makes of its own. */
export const dumpInShell = "ulimit -c unlimited; /bin/sh -c 'kill -s QUIT $$'; :";

const signals = ['HUP', 'INT', 'KILL', 'USR1', 'ALRM', 'TERM', 'USR2'];

export const statusCases = group('status', {}, [
  {
    id: 'exit-codes',
    title: 'every exit code from 0 to 255 is the program’s own',
    why: 'Each means something to somebody; 126, 127, 128 and 255 are not the library’s.',
    async run(t) {
      const codes = Array.from({ length: 256 }, (_, code) => code);
      for (let first = 0; first < 256; first += 32) {
        const runs = codes.slice(first, first + 32).map(async (code) => {
          const { exitCode, signal } = await t.helper(`exit:${code}`).run({ check: false });
          assert.equal(signal, undefined);
          return exitCode;
        });
        assert.deepEqual(await Promise.all(runs), codes.slice(first, first + 32));
      }
    },
  },
  {
    id: 'exit-codes-blocking',
    title: 'exit codes are the same when the thread blocks',
    why: 'As above.',
    requires: ['sync'],
    run(t) {
      for (const code of [0, 1, 2, 125, 126, 127, 128, 129, 137, 143, 254, 255]) {
        const { exitCode, signal } = t.helper(`exit:${code}`).runSync({ check: false });
        assert.deepEqual([exitCode, signal], [code, undefined]);
      }
      return Promise.resolve();
    },
  },
  {
    id: 'checked',
    title: 'an exit code other than 0 rejects, with the code, the output and the end of stderr',
    why: 'A failure that nobody looked at must not look like a success.',
    twin: true,
    async run(t, run) {
      const error = await rejection(
        run(t.helper('out:so far', 'err:why', 'exit:3').setOutputBuffer()),
        CommandExitError,
      );
      assert.equal(error.code, 'ERR_COMMAND_EXIT');
      assert.equal(error.exitCode, 3);
      assert.equal(error.signal, undefined);
      assert.equal(error.backend, t.backend.name);
      assert.equal(error.result.exitCode, 3);
      assert.equal(error.result.stdout, 'so far');
      assert.equal(error.stderrTail, 'why');
    },
  },
  {
    id: 'unchecked',
    title: 'with check: false every exit code resolves',
    why: 'grep(1) and diff(1) answer with theirs.',
    twin: true,
    async run(t, run) {
      const result = await run(t.helper('out:o', 'exit:1').setOutputBuffer(), { check: false });
      assert.deepEqual([result.exitCode, result.signal, result.stdout], [1, undefined, 'o']);
      assert.deepEqual([result.timedOut, result.aborted, result.ended], [false, false, 'none']);
    },
  },
  {
    id: 'signal',
    title: 'a death by signal rejects, with the signal and without an exit code',
    why: 'A program that was killed has not succeeded, whatever number stands for it elsewhere.',
    needs: ['posix'],
    twin: true,
    async run(t, run) {
      const error = await rejection(run(t.helper('out:so far', 'kill:KILL').setOutputBuffer()), CommandExitError);
      assert.equal(error.code, 'ERR_COMMAND_SIGNAL');
      assert.equal(error.signal, 'SIGKILL');
      assert.equal(error.exitCode, undefined);
      assert.equal(error.result.stdout, 'so far');
    },
  },
  {
    id: 'signal-unchecked',
    title: 'check: false accepts exit codes, and no death by signal',
    why: 'Who expects a program to say no does not expect it to crash.',
    needs: ['posix'],
    twin: true,
    async run(t, run) {
      await rejection(run(t.helper('kill:TERM'), { check: false }), CommandExitError);
    },
  },
  {
    id: 'signals',
    title: 'each signal is told by its name',
    why: 'A number means another signal on another system.',
    needs: ['posix'],
    twin: true,
    async run(t, run) {
      const ended = await Promise.all(
        signals.map(async (name) => {
          const { signal, exitCode } = await run(t.helper(`kill:${name}`).rawStatus());
          assert.equal(exitCode, undefined);
          return signal;
        }),
      );
      assert.deepEqual(
        ended,
        signals.map((name) => `SIG${name}`),
      );
    },
  },
  {
    id: 'real-time-signal',
    title: 'a death by a signal without a name is no success, and is told by its number',
    why: 'Real-time signals kill, too; what was killed has not done its work.',
    // Node has no name for them, and tells of an exit with 0: it cannot be asked of a backend that does not see the wait status.
    requires: ['core-dump-bit'],
    needs: ['linux', 'posix'],
    twin: true,
    async run(t, run) {
      const { signal, exitCode } = await run(t.helper('kill:40').rawStatus());
      assert.deepEqual([signal, exitCode], ['SIG40', undefined]);
      const error = await rejection(run(t.helper('kill:40')), CommandExitError);
      assert.equal(error.code, 'ERR_COMMAND_SIGNAL');
    },
  },
  {
    id: 'raw',
    title: 'a command with a raw status accepts every end',
    why: 'virCommandRawStatus: the caller decides what is good.',
    needs: ['posix'],
    twin: true,
    async run(t, run) {
      const killed = await run(t.helper('kill:TERM').rawStatus());
      assert.deepEqual([killed.signal, killed.exitCode], ['SIGTERM', undefined]);
      const exited = await run(t.helper('exit:143').rawStatus());
      assert.deepEqual([exited.signal, exited.exitCode], [undefined, 143]);
    },
  },
  {
    id: 'signal-state',
    title: 'a program has every signal at its default and none blocked',
    why: 'Node ignores SIGPIPE and others; a program that inherits this cannot be ended, or writes into nothing.',
    needs: ['linux', 'posix'],
    async run(t) {
      const { stdout } = await t.helper('signals').setOutputBuffer().run();
      const [blocked, ignored] = stdout
        .trim()
        .split('\n')
        .map((mask) => BigInt(`0x${mask}`));
      assert.equal(blocked, 0n, 'blocked signals');
      // 32 and 33 are the C library’s own.
      assert.equal((ignored ?? 0n) & 0x7fffffffn, 0n, 'ignored signals');
    },
  },
  {
    id: 'core-dump',
    title: 'the result says whether there was a core dump',
    why: 'Then there is something to look into.',
    requires: ['core-dump-bit'],
    needs: ['posix'],
    twin: true,
    async run(t, run) {
      assert.equal((await run(t.helper('exit:0'))).coreDumped, false);
      assert.equal((await run(t.helper('kill:KILL').rawStatus())).coreDumped, false);
    },
  },
  {
    id: 'core-dumped',
    title: 'a program that dumped core is told as such',
    why: 'As above.',
    requires: ['core-dump-bit', 'cwd'],
    needs: ['linux', 'posix', 'any-program'],
    twin: true,
    async run(t, run) {
      const cwd = t.tempDir();
      const shell = new t.Command('/bin/sh', ['-c', dumpInShell], { cwd, env: { LC_ALL: 'C' }, stderr: 'text' });
      // Not asked of the backend, which could then be wrong about every dump.
      if (!(await run(shell)).stderr.includes('core dumped')) t.notChecked('this machine makes no core dumps');
      const command = t.helper('dump-core', 'kill:QUIT').setWorkingDirectory(cwd).rawStatus();
      const { coreDumped, signal } = await run(command);
      assert.deepEqual([signal, coreDumped], ['SIGQUIT', true]);
    },
  },
  {
    id: 'usage',
    title: 'the result says what the program used, and only this program',
    why: 'Bills, limits and regressions are made of these numbers.',
    requires: ['resource-usage'],
    twin: true,
    async run(t, run) {
      const { usage } = await run(t.helper('count:1:30000'));
      assert.ok(usage !== undefined);
      assert.ok(usage.userMs + usage.systemMs > 0 && usage.userMs + usage.systemMs < 60_000);
      assert.ok(usage.maxRssKiB === undefined || usage.maxRssKiB > 0);
      const small = await run(t.helper('exit:0'));
      assert.ok(small.usage !== undefined);
      assert.ok(small.usage.userMs + small.usage.systemMs < usage.userMs + usage.systemMs, 'sums over programs');
    },
  },
  {
    id: 'pid',
    title: 'the pid is that of the program',
    why: 'Others are told that number: it must be neither a wrapper’s nor a recycled one.',
    requires: ['local-pid'],
    async run(t) {
      const running = await t.helper('pid', 'eof').setInputFd('pipe').setOutputBuffer().doAsyncIo().runAsync();
      const { pid } = running;
      assert.ok(pid !== undefined && t.alive(pid));
      running.stdin.end();
      const result = await running.wait();
      assert.equal(result.stdout, `${pid}\n`);
      assert.equal(result.pid, pid);
      assert.equal(t.alive(pid), false);
    },
  },
  {
    id: 'pid-blocking',
    title: 'the pid of a run that blocked is that of the program',
    why: 'As above.',
    requires: ['local-pid', 'sync'],
    run(t) {
      const { stdout, pid } = t.helper('pid').setOutputBuffer().runSync();
      assert.equal(stdout, `${pid ?? ''}\n`);
      return Promise.resolve();
    },
  },
]);
