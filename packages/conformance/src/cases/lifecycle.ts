/** Ownership: disposal, waiting, running again, and many at once. */
import * as assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { CommandAbortedError, CommandExitError, CommandUsageError } from '@vircommand/core';
import { group, nulParts, readLine, readRest, rejection } from './define';
import { started } from './endings';

export const disposalCases = group('disposal', {}, [
  {
    id: 'asynchronous',
    title: 'disposing a running command ends the program and waits until it is reaped',
    why: 'virCommandFree: whoever leaves a block early leaves no program behind.',
    async run(t) {
      const running = await started(t, ['out:ready\\n', 'forever']);
      await running[Symbol.asyncDispose]();
      if (running.pid !== undefined) assert.equal(t.alive(running.pid), false);
      assert.equal(running.stdout.destroyed, true);
      await rejection(running.wait(), CommandAbortedError);
    },
  },
  {
    id: 'synchronous',
    title: 'disposing without waiting kills the program at once',
    why: '`using` has no time to ask politely.',
    needs: ['posix'],
    async run(t) {
      const running = await started(t, ['ignore:TERM', 'out:ready\\n', 'forever'], { killDelay: 600_000 });
      running[Symbol.dispose]();
      const error = await rejection(running.wait(), CommandAbortedError);
      assert.equal(error.result.signal, 'SIGKILL');
    },
  },
  {
    id: 'reaped',
    title: 'the program is reaped before the disposal returns',
    why: 'What comes next in the code may count on it: files are closed, ports are free, no zombie is left.',
    requires: ['sync-reap', 'local-pid'],
    needs: ['linux'],
    async run(t) {
      const running = await started(t, ['out:ready\\n', 'forever']);
      assert.ok(existsSync(`/proc/${running.pid ?? 0}`));
      running[Symbol.dispose]();
      assert.equal(existsSync(`/proc/${running.pid ?? 0}`), false);
      await rejection(running.wait(), CommandAbortedError);
    },
  },
  {
    id: 'twice',
    title: 'disposing again, or after the end, does nothing',
    why: 'Blocks and error handlers both do it.',
    async run(t) {
      const killed = await started(t, ['out:ready\\n', 'forever']);
      killed[Symbol.dispose]();
      killed[Symbol.dispose]();
      await killed[Symbol.asyncDispose]();
      await rejection(killed.wait(), CommandAbortedError);
      const over = await t.helper('exit:0').runAsync();
      await over.wait();
      over[Symbol.dispose]();
      await over[Symbol.asyncDispose]();
      assert.equal((await over.wait()).exitCode, 0);
    },
  },
  {
    id: 'unread',
    title: 'disposing closes pipes that nobody read, and leaves nothing',
    why: 'An error between start and reading is the usual reason for a disposal.',
    async run(t) {
      const command = t.helper('fill:300000', 'forever').setInputFd('pipe').setOutputFd('pipe').setErrorFd('pipe');
      const running = await command.runAsync();
      await running[Symbol.asyncDispose]();
      for (const stream of [running.stdin, running.stdout, running.stderr]) assert.equal(stream.destroyed, true);
      const again = await command.runAsync();
      again[Symbol.dispose]();
      for (const stream of [again.stdin, again.stdout, again.stderr]) assert.equal(stream.destroyed, true);
      await again.wait().catch(() => undefined);
    },
  },
  {
    id: 'while-waiting',
    title: 'disposing releases whoever waits',
    why: 'No promise may stay open for ever.',
    async run(t) {
      const running = await started(t, ['out:ready\\n', 'forever']);
      const waiting = rejection(running.wait(), CommandAbortedError);
      running[Symbol.dispose]();
      await waiting;
    },
  },
]);

export const reuseCases = group('reuse', {}, [
  {
    id: 'waiters',
    title: 'any number of callers can wait, at once and later, and get the same result',
    why: 'The status of a program can be collected only once; callers must not have to know.',
    async run(t) {
      const running = await t.helper('exit:3').runAsync({ check: false });
      const [first, second] = await Promise.all([running.wait(), running.wait()]);
      assert.equal(first, second);
      assert.equal(await running.wait(), first);
      assert.equal(first.exitCode, 3);
    },
  },
  {
    id: 'nobody-waits',
    title: 'a failure that nobody waits for is no unhandled rejection',
    why: 'That would end the caller’s process.',
    async run(t) {
      const running = await t.helper('out:x', 'exit:3').setOutputFd('pipe').runAsync();
      await readRest(running.stdout);
      await new Promise((resolve) => setImmediate(resolve));
      await rejection(running.wait(), CommandExitError);
    },
  },
  {
    id: 'again',
    title: 'a command can be run again and again, also after a failure, in every way',
    why: 'It is a description and not a process.',
    async run(t) {
      const command = t.helper('cat', 'exit:3').setInputBuffer('x').setOutputBuffer().doAsyncIo();
      for (let round = 0; round < 3; round++) {
        assert.equal((await rejection(command.run(), CommandExitError)).result.stdout, 'x');
        assert.equal((await (await command.runAsync({ check: false })).wait()).stdout, 'x');
        if (t.has('sync')) assert.equal(command.runSync({ check: false }).stdout, 'x');
      }
    },
  },
  {
    id: 'at-once',
    title: 'running a command that runs is a usage error, and does not disturb it',
    why: 'One description, one run at a time: results would get mixed up.',
    async run(t) {
      const command = t.helper('cat').setInputFd('pipe').setOutputFd('pipe');
      const running = await command.runAsync();
      const starts = t.starts;
      await rejection(command.runAsync(), CommandUsageError);
      await rejection(command.run(), CommandUsageError);
      assert.equal(t.starts, starts);
      running.stdin.end('undisturbed');
      assert.equal(await readRest(running.stdout), 'undisturbed');
      await running.wait();
      const next = await command.runAsync();
      next.stdin.end();
      await readRest(next.stdout);
      await next.wait();
    },
  },
  {
    id: 'setters-meanwhile',
    title: 'what is said of a command while it runs is for the next run',
    why: 'A run takes a snapshot; there is no hidden state.',
    async run(t) {
      const command = t.helper('read', 'args', 'a').setInputFd('pipe').setOutputBuffer().doAsyncIo();
      const running = await command.runAsync();
      command.addArg('b');
      running.stdin.end('\n');
      assert.deepEqual(nulParts((await running.wait()).stdout), ['a']);
      const next = await command.runAsync();
      next.stdin.end('\n');
      assert.deepEqual(nulParts((await next.wait()).stdout), ['a', 'b']);
    },
  },
  {
    id: 'clone',
    title: 'a clone is independent and can run beside the command',
    why: 'Commands in constants of modules are called from two requests at once.',
    async run(t) {
      const command = t.helper('args', 'common').setOutputBuffer();
      const clone = command.clone().addArg('of the clone');
      command.addArg('of the command');
      const [first, second] = await Promise.all([command.run(), clone.run()]);
      assert.deepEqual(nulParts(first.stdout), ['common', 'of the command']);
      assert.deepEqual(nulParts(second.stdout), ['common', 'of the clone']);
    },
  },
]);

export const concurrencyCases = group('concurrency', {}, [
  {
    id: 'many',
    title: 'three hundred programs at once: each gets its own input, output, error and exit code',
    why: 'Streams that are crossed under load are the worst of errors: data goes to the wrong customer.',
    async run(t) {
      const runs = Array.from({ length: 300 }, async (_, index) => {
        const input = `${index},`.repeat(50);
        // Every third one reads its input, the others are over at once.
        const own = index % 3 === 0 ? ['cat'] : [`out:${input}`, `exit:${index % 200}`];
        const command = t
          .helper(`err:error ${index}`, ...own)
          .setInputBuffer(input)
          .setOutputBuffer()
          .setErrorBuffer();
        const { stdout, stderr, exitCode } = await command.run({ check: false });
        assert.deepEqual([stdout, stderr, exitCode], [input, `error ${index}`, index % 3 === 0 ? 0 : index % 200]);
      });
      await Promise.all(runs);
    },
  },
  {
    id: 'own-pipes',
    title: 'a program does not get the pipes of one that runs beside it',
    why: 'It would keep them open: the other one never sees the end of its input, its reader never the end of its output.',
    async run(t) {
      const first = await t.helper('cat').setInputFd('pipe').setOutputFd('pipe').runAsync();
      const [second, third] = await Promise.all([
        t.helper('eof').setInputFd('pipe').setOutputFd('pipe').runAsync(),
        t.helper('eof').setInputFd('pipe').setOutputBuffer().setErrorBuffer().doAsyncIo().runAsync(),
      ]);
      first.stdin.end('seen to its end');
      assert.equal(await readRest(first.stdout), 'seen to its end');
      await first.wait();
      second.stdin.end();
      await readRest(second.stdout);
      await second.wait();
      third.stdin.end();
      await third.wait();
    },
  },
  {
    id: 'independent',
    title: 'ending one program leaves the others alone',
    why: 'A signal to the wrong group or number ends a stranger.',
    async run(t) {
      const talk = () => t.helper('cat').setInputFd('pipe').setOutputFd('pipe').runAsync();
      const [first, second, third] = await Promise.all([talk(), talk(), talk()]);
      await second.abort({ killDelay: 0 });
      for (const running of [first, third]) {
        running.stdin.write('alive\n');
        assert.equal(await readLine(running.stdout), 'alive');
        running.stdin.end();
        await readRest(running.stdout);
        assert.equal((await running.wait()).exitCode, 0);
      }
    },
  },
  {
    id: 'blocking-beside',
    title: 'a run that blocks leaves programs that run beside it in order',
    why: 'It must reap its own program only, and lose no output of the others.',
    requires: ['sync'],
    async run(t) {
      const beside = Array.from({ length: 5 }, async (_, index) => {
        const { stdout, exitCode } = await t
          .helper(`out:${index}`, `exit:${index}`)
          .setOutputBuffer()
          .run({ check: false });
        assert.deepEqual([stdout, exitCode], [String(index), index]);
      });
      for (let index = 0; index < 5; index++) {
        assert.equal(t.helper(`out:blocking ${index}`).setOutputBuffer().runSync().stdout, `blocking ${index}`);
      }
      await Promise.all(beside);
    },
  },
]);
