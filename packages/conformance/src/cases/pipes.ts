/** Pipes to the caller of a program that runs. */
import * as assert from 'node:assert/strict';
import { constants, readdirSync, readlinkSync } from 'node:fs';
import { CommandUsageError } from '@vircommand/core';
import { fdFlags, group, readLine, readRest, rejection } from './define';

/** Descriptors of this process that are pipes. */
function pipesHere(): string[] {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return /^(pipe|socket):/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false;
    }
  });
}

export const pipeCases = group('pipes', {}, [
  {
    id: 'conversation',
    title: 'a program can be talked to, line by line',
    why: 'Each answer must come without waiting for the end of anything.',
    async run(t) {
      const running = await t.helper('cat').setInputFd('pipe').setOutputFd('pipe').runAsync();
      for (const line of ['one', 'two', 'three']) {
        running.stdin.write(`${line}\n`);
        assert.equal(await readLine(running.stdout), line);
      }
      running.stdin.end('rest');
      assert.equal(await readRest(running.stdout), 'rest');
      assert.equal((await running.wait()).exitCode, 0);
    },
  },
  {
    id: 'only-asked',
    title: 'only the streams that were asked for are there',
    why: 'A pipe that nobody knows of is read by nobody.',
    async run(t) {
      const first = await t.helper('eof').setInputFd('pipe').runAsync();
      assert.deepEqual([first.stdout, first.stderr], [undefined, undefined]);
      first.stdin.end();
      await first.wait();
      const second = await t.helper('out:x').setOutputFd('pipe').runAsync();
      assert.deepEqual([second.stdin, second.stderr], [undefined, undefined]);
      await readRest(second.stdout);
      await second.wait();
    },
  },
  {
    id: 'separate',
    title: 'stdout and stderr have pipes of their own',
    why: 'The one must not hold the other up, and they must not be swapped.',
    async run(t) {
      const running = await t.helper('out:o', 'err:e').setOutputFd('pipe').setErrorFd('pipe').runAsync();
      const [out, err] = await Promise.all([readRest(running.stdout), readRest(running.stderr)]);
      assert.deepEqual([out, err], ['o', 'e']);
      await running.wait();
    },
  },
  {
    id: 'late-reader',
    title: 'what a program has written can be read after its exit',
    why: 'Results must not depend on who is faster.',
    async run(t) {
      const running = await t.helper('out:still here').setOutputFd('pipe').runAsync();
      await running.wait();
      assert.equal(await readRest(running.stdout), 'still here');
    },
  },
  {
    id: 'reader',
    title: 'the end of a program is told when who reads its output has read all of it',
    why: 'Whoever waits for the end goes on with what he has read.',
    async run(t) {
      for (let round = 0; round < 5; round++) {
        const running = await t
          .helper('fill:300000', 'fillerr:1000', 'exit:0')
          .setOutputFd('pipe')
          .setErrorFd('pipe')
          .runAsync({ drainDelay: 600_000 });
        let count = 0;
        for (const stream of [running.stdout, running.stderr]) {
          stream.on('data', (chunk: Buffer) => (count += chunk.length));
        }
        assert.equal((await running.wait()).outputComplete, true);
        assert.equal(count, 301_000);
      }
    },
  },
  {
    id: 'waiting-reader',
    title: 'who waits for the end in the midst of his reading goes on after it, and has lost nothing',
    why: 'The rest stays in the pipe for him; a result that says it is lost is wrong.',
    async run(t) {
      const running = await t
        .helper('out:ready', 'read', 'out:bye')
        .setInputFd('pipe')
        .setOutputFd('pipe')
        .runAsync({ drainDelay: 20 });
      let all = '';
      let outputComplete: boolean | undefined;
      for await (const chunk of running.stdout) {
        all += String(chunk);
        running.stdin.end();
        outputComplete ??= (await running.wait()).outputComplete;
      }
      assert.deepEqual([all, outputComplete], ['readybye', true]);
    },
  },
  {
    id: 'backpressure',
    title: 'a program that writes faster than the caller reads is held up, and loses nothing',
    why: 'Otherwise the memory fills, or output is dropped.',
    async run(t) {
      const running = await t.helper('fill:2000000').setOutputFd('pipe').runAsync();
      let over = false;
      void running.wait().then(() => (over = true));
      // Another program has time to come and go.
      await t.helper('out:x').setOutputBuffer().run();
      assert.equal(over, false, 'two megabytes were read by nobody');
      assert.equal((await readRest(running.stdout)).length, 2_000_000);
      await running.wait();
    },
  },
  {
    id: 'broken',
    title: 'a program that writes to a pipe which its reader closed gets SIGPIPE',
    why: 'Node ignores that signal; a program that inherits this goes on writing into nothing.',
    needs: ['posix'],
    async run(t) {
      const running = await t.helper('count:1:1000000000').setOutputFd('pipe').rawStatus().runAsync();
      await readLine(running.stdout);
      running.stdout.destroy();
      assert.equal((await running.wait()).signal, 'SIGPIPE');
    },
  },
  {
    id: 'destroyed-stdin',
    title: 'a program sees the end of a stdin that was destroyed',
    why: 'Its end must not depend on how politely the pipe was closed.',
    async run(t) {
      const running = await t.helper('eof', 'exit:5').setInputFd('pipe').runAsync({ check: false });
      running.stdin.destroy();
      assert.equal((await running.wait()).exitCode, 5);
    },
  },
  {
    id: 'late-writer',
    title: 'writing to a program that has ended is no error that nobody catches',
    why: 'It can end at any time; that must not end the caller’s process.',
    async run(t) {
      const running = await t.helper('exit:0').setInputFd('pipe').runAsync();
      await running.wait();
      running.stdin.write('too late\n');
      running.stdin.end();
      await new Promise((resolve) => setImmediate(resolve));
    },
  },
  {
    id: 'blocking-ends',
    title: 'the program’s own ends of its pipes are blocking ones',
    why: 'Most programs take EAGAIN for a fatal error.',
    needs: ['linux', 'posix', 'any-program'],
    async run(t) {
      const script = 'cat /proc/self/fdinfo/0 /proc/self/fdinfo/1; cat /proc/self/fdinfo/2 >&2';
      const command = new t.Command('sh', ['-c', script]).setInputBuffer('').setOutputBuffer().setErrorBuffer();
      const { stdout, stderr } = await command.run();
      const flags = Array.from((stdout + stderr).matchAll(/^flags:\s*([0-7]+)/gm), ([, octal = '']) => octal);
      assert.equal(flags.length, 3);
      for (const octal of flags) assert.equal(Number.parseInt(octal, 8) & 0o4000, 0, `flags ${octal}`);
    },
  },
  {
    id: 'nonblocking',
    title: 'the caller’s ends of output pipes are nonblocking when that is asked for',
    why: 'virCommandNonblockingFDs: an event loop must not block in a read.',
    requires: ['nonblocking-fds'],
    needs: ['linux'],
    async run(t) {
      const before = new Set(pipesHere());
      const command = t.helper('out:x', 'eof').setInputFd('pipe').setOutputFd('pipe').setErrorFd('pipe');
      const running = await command.nonblockingFds().runAsync();
      // Looked at by the caller, as a backend may open its end when it is asked for.
      assert.ok(running.stdout.readable && running.stderr.readable);
      const ours = pipesHere().filter((fd) => !before.has(fd));
      assert.ok(ours.length >= 2, 'no pipe was found');
      for (const fd of ours) assert.notEqual(fdFlags(fd) & constants.O_NONBLOCK, 0, `descriptor ${fd} blocks`);
      running.stdin.end();
      assert.equal(await readRest(running.stdout), 'x');
      await running.wait();
    },
  },
  {
    id: 'with-run',
    title: 'a pipe to the caller of a run that waits is a usage error',
    why: 'Nobody could read it: the program would hang.',
    twin: true,
    async run(t, run) {
      await rejection(run(t.helper('out:x').setOutputFd('pipe')), CommandUsageError);
      await rejection(run(t.helper('cat').setInputFd('pipe')), CommandUsageError);
      assert.equal(t.starts, 0);
    },
  },
  {
    id: 'buffers-without-asking',
    title: 'buffers of a program that is only started are a usage error unless asked for',
    why: 'virCommandRunAsync: without doAsyncIo() nobody would feed or read them.',
    async run(t) {
      for (const command of [t.helper('cat').setInputBuffer('x'), t.helper('out:x').setOutputBuffer()]) {
        await rejection(command.runAsync(), CommandUsageError);
      }
      assert.equal(t.starts, 0);
    },
  },
]);
