/** The ends that a caller puts to a program: abort, signal, deadline; and what a bounded drain leaves. */
import * as assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, readFileSync, readSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import {
  abortAll,
  CommandAbortedError,
  CommandTimeoutError,
  CommandUsageError,
  type Command,
  type RunOptions,
  type RunningCommand,
} from '@vircommand/core';
import { openFifo } from '../pipe';
import type { CaseContext } from '../types';
import { group, readLine, rejection, type RunAndWait } from './define';

/** Starts a program whose first line says that it is ready, and waits for that line. */
export async function started(
  t: CaseContext,
  instructions: readonly string[],
  options?: RunOptions,
): Promise<RunningCommand<'pipe'>> {
  const running = await t
    .helper(...instructions)
    .setOutputFd('pipe')
    .runAsync(options);
  await readLine(running.stdout);
  return running;
}

/** Ends a process that a program under test left behind, if it is what we take it for: numbers are used again. */
export function endSleeper(pid: number): void {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
    // The last is what it is before it has become sleep(1).
    if (/^sleep\0|setTimeout|report\.sh/.test(command)) process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone, or never was here.
  }
}

/**
 * The error of a run whose deadline comes when the program has written `ready`: one that a slow machine did not let get
 * so far shows nothing, and is tried again with more time.
 */
async function timedOut(
  run: RunAndWait,
  command: () => Command<'text'>,
  options: Omit<RunOptions, 'signal' | 'timeout'>,
): Promise<CommandTimeoutError> {
  for (let timeout = 60; ; timeout *= 4) {
    const error = await rejection(run(command(), { ...options, timeout }), CommandTimeoutError);
    if (String(error.result.stdout).includes('ready') || timeout > 10_000) return error;
  }
}

export const abortCases = group('abort', {}, [
  {
    id: 'before',
    title: 'a signal that is aborted already starts nothing',
    why: 'A request that was cancelled must not have effects.',
    async run(t) {
      const reason = new Error('not wanted');
      const options = { signal: AbortSignal.abort(reason) };
      for (const run of [t.helper('exit:0').run(options), t.helper('exit:0').runAsync(options)]) {
        const error = await rejection(run, CommandAbortedError);
        assert.equal(error.reason, reason);
        assert.equal(error.result.exitCode, undefined);
        assert.equal(error.result.aborted, true);
      }
      assert.equal(t.starts, 0);
    },
  },
  {
    id: 'during',
    title: 'aborting the signal ends the program and rejects with the reason',
    why: 'Whoever cancels wants the work to stop, and to know that it was he.',
    async run(t) {
      const controller = new AbortController();
      const running = await started(t, ['out:ready\\n', 'forever'], { signal: controller.signal });
      const reason = new Error('enough');
      controller.abort(reason);
      const error = await rejection(running.wait(), CommandAbortedError);
      assert.equal(error.code, 'ERR_COMMAND_ABORTED');
      assert.equal(error.reason, reason);
      assert.equal(error.result.signal, 'SIGTERM');
      assert.equal(error.result.aborted, true);
      assert.notEqual(error.result.ended, 'none');
    },
  },
  {
    id: 'at-once',
    title: 'aborting in the turn of the call leaves nothing that runs',
    why: 'The program may be in the middle of its start.',
    async run(t) {
      const controller = new AbortController();
      const run = t.helper('forever').run({ signal: controller.signal });
      controller.abort();
      await rejection(run, CommandAbortedError);
    },
  },
  {
    id: 'after',
    title: 'aborting the signal after the end does nothing',
    why: 'Signals live longer than the runs that use them, and must not collect their listeners.',
    async run(t) {
      const controller = new AbortController();
      const { stdout } = await t.helper('out:x').setOutputBuffer().run({ signal: controller.signal });
      controller.abort();
      assert.equal(stdout, 'x');
    },
  },
  {
    id: 'check-does-not-matter',
    title: 'an aborted run rejects also where every end is accepted',
    why: 'Which ends of its own a program may have is another question.',
    async run(t) {
      const controller = new AbortController();
      const command = t.helper('out:ready\\n', 'forever').setOutputFd('pipe').rawStatus();
      const running = await command.runAsync({ signal: controller.signal, check: false });
      await readLine(running.stdout);
      controller.abort();
      await rejection(running.wait(), CommandAbortedError);
    },
  },
  {
    id: 'output-so-far',
    title: 'the error has the output so far',
    why: 'It is all that there will be, and often enough.',
    async run(t) {
      const controller = new AbortController();
      const command = t
        .helper('out:so far', 'err:ready\\n', 'forever')
        .setOutputBuffer()
        .setErrorFd('pipe')
        .doAsyncIo();
      const running = await command.runAsync({ signal: controller.signal });
      await readLine(running.stderr);
      controller.abort();
      assert.equal((await rejection(running.wait(), CommandAbortedError)).result.stdout, 'so far');
    },
  },
  {
    id: 'method',
    title: 'abort() ends the program, resolves when it is over, and makes wait() reject',
    why: 'virCommandAbort.',
    async run(t) {
      const running = await started(t, ['out:ready\\n', 'forever']);
      await running.abort();
      if (running.pid !== undefined) assert.equal(t.alive(running.pid), false);
      const error = await rejection(running.wait(), CommandAbortedError);
      assert.equal(error.result.signal, 'SIGTERM');
    },
  },
  {
    id: 'twice',
    title: 'abort() can be called any number of times, at once and later',
    why: 'Several parts of a program may clean up.',
    async run(t) {
      const running = await started(t, ['out:ready\\n', 'forever']);
      await Promise.all([running.abort(), running.abort(), running.abort({ killDelay: 0 })]);
      await running.abort();
      await rejection(running.wait(), CommandAbortedError);
    },
  },
  {
    id: 'stubborn',
    title: 'a program that ignores SIGTERM gets SIGKILL after the grace period',
    why: 'Nothing that a program does may keep its caller waiting for ever.',
    needs: ['posix'],
    async run(t) {
      const running = await started(t, ['ignore:TERM', 'out:ready\\n', 'forever'], { killDelay: 30 });
      await running.abort();
      assert.equal((await rejection(running.wait(), CommandAbortedError)).result.signal, 'SIGKILL');
    },
  },
  {
    id: 'graceful',
    title: 'a program that handles SIGTERM has its grace period, and its exit code counts',
    why: 'Databases write their last page then.',
    needs: ['posix'],
    async run(t) {
      const running = await started(t, ['on:TERM:exit:7', 'out:ready\\n', 'forever'], { killDelay: 60_000 });
      await running.abort();
      const { result } = await rejection(running.wait(), CommandAbortedError);
      assert.deepEqual([result.exitCode, result.signal], [7, undefined]);
    },
  },
  {
    id: 'no-grace',
    title: 'without a grace period it is SIGKILL at once',
    why: 'Some programs must not get the chance.',
    needs: ['posix'],
    async run(t) {
      const running = await started(t, ['out:ready\\n', 'forever']);
      await running.abort({ killDelay: 0 });
      assert.equal((await rejection(running.wait(), CommandAbortedError)).result.signal, 'SIGKILL');
    },
  },
  {
    id: 'shortened',
    title: 'a second abort() can shorten the grace period',
    why: 'The user who presses Ctrl-C twice does not want to wait.',
    needs: ['posix'],
    async run(t) {
      const running = await started(t, ['ignore:TERM', 'out:ready\\n', 'forever'], { killDelay: 600_000 });
      const first = running.abort();
      await running.abort({ killDelay: 0 });
      await first;
      assert.equal((await rejection(running.wait(), CommandAbortedError)).result.signal, 'SIGKILL');
    },
  },
  {
    id: 'stopped',
    title: 'a stopped program is ended, too',
    why: 'It handles no signal while it is stopped, SIGKILL apart.',
    needs: ['linux', 'posix'],
    requires: ['local-pid'],
    async run(t) {
      const running = await started(t, ['out:ready\\n', 'kill:STOP', 'forever'], { killDelay: 600_000 });
      const stat = (): string => readFileSync(`/proc/${running.pid ?? 0}/stat`, 'latin1');
      await t.until('the program is stopped', () => stat().includes(') T '));
      await running.abort();
      assert.equal((await rejection(running.wait(), CommandAbortedError)).result.signal, 'SIGTERM');
    },
  },
  {
    id: 'unread',
    title: 'an abort ends a program whose output nobody reads, and the caller is released',
    why: 'The pipe is full and stays full: nothing may wait for it.',
    async run(t) {
      const running = await t.helper('count:1:1000000000').setOutputFd('pipe').runAsync({ drainDelay: 600_000 });
      await running.abort();
      const { result } = await rejection(running.wait(), CommandAbortedError);
      assert.notEqual(result.ended, 'none');
    },
  },
  {
    id: 'all',
    title: 'abortAll() ends every program that runs',
    why: 'An application that shuts down leaves nothing behind.',
    async run(t) {
      const running = await Promise.all([1, 2, 3].map(() => started(t, ['out:ready\\n', 'forever'])));
      const waiting = t.helper('forever').run();
      const waited = rejection(waiting, CommandAbortedError);
      await abortAll({ killDelay: 5000 });
      for (const one of running) await rejection(one.wait(), CommandAbortedError);
      await waited;
    },
  },
  {
    id: 'all-meanwhile',
    title: 'nothing is started while everything is being aborted',
    why: 'Code that starts again what has ended would keep the application from shutting down.',
    async run(t) {
      const running = await started(t, ['out:ready\\n', 'forever']);
      const again = running.wait().catch(() => t.helper('forever').run());
      const refused = rejection(again, CommandAbortedError);
      await abortAll({ killDelay: 5000 });
      assert.equal((await refused).result.pid, undefined);
      assert.equal(t.starts, 1);
      await t.helper('exit:0').run();
    },
  },
]);

export const killCases = group('kill', { needs: ['posix'] }, [
  {
    id: 'default',
    title: 'kill() sends SIGTERM, and the end is the program’s own',
    why: 'It is a message and not an abort: wait() tells of a death by signal.',
    async run(t) {
      const running = await t.helper('out:ready\\n', 'forever').setOutputFd('pipe').rawStatus().runAsync();
      await readLine(running.stdout);
      assert.equal(running.kill(), true);
      const { signal, aborted } = await running.wait();
      assert.deepEqual([signal, aborted], ['SIGTERM', false]);
    },
  },
  {
    id: 'named',
    title: 'kill() sends the signal that it is told',
    why: 'SIGHUP reloads, SIGUSR1 reopens the log.',
    async run(t) {
      const running = await t
        .helper('on:USR1:out:usr1\\n', 'on:HUP:exit:5', 'out:ready\\n', 'forever')
        .setOutputFd('pipe')
        .runAsync({ check: false });
      assert.equal(await readLine(running.stdout), 'ready');
      assert.equal(running.kill('SIGUSR1'), true);
      assert.equal(await readLine(running.stdout), 'usr1');
      assert.equal(running.kill('SIGHUP'), true);
      assert.equal((await running.wait()).exitCode, 5);
    },
  },
  {
    id: 'numbered',
    title: 'kill() takes the number of a signal for its name',
    why: 'Node, and what came from a shell or from the kernel, have numbers.',
    async run(t) {
      const running = await t
        .helper('on:USR2:exit:5', 'out:ready\\n', 'forever')
        .setOutputFd('pipe')
        .runAsync({ check: false });
      assert.equal(await readLine(running.stdout), 'ready');
      assert.equal(running.kill(constants.signals.SIGUSR2), true);
      assert.equal((await running.wait()).exitCode, 5);
    },
  },
  {
    id: 'over',
    title: 'kill() after the end says that nothing was sent',
    why: 'The number may be a stranger’s by then.',
    async run(t) {
      const running = await t.helper('exit:0').runAsync();
      await running.wait();
      assert.equal(running.kill(), false);
      assert.equal(running.kill('SIGKILL'), false);
    },
  },
  {
    id: 'unknown',
    title: 'a signal that does not exist is a usage error',
    why: 'A typing mistake must not look like a program that is over.',
    async run(t) {
      const running = await started(t, ['out:ready\\n', 'forever']);
      assert.throws(() => running.kill('SIGNONE' as 'SIGTERM'), CommandUsageError);
      await running.abort();
    },
  },
]);

export const timeoutCases = group('timeout', {}, [
  {
    id: 'ends',
    title: 'a program that takes too long is ended, and the error has the output so far',
    why: 'A deadline must end the work, and not only the waiting.',
    twin: 'sync-deadline',
    async run(t, run) {
      const error = await timedOut(run, () => t.helper('out:ready', 'forever').setOutputBuffer(), {});
      assert.equal(error.code, 'ERR_COMMAND_TIMEOUT');
      assert.deepEqual([error.result.signal, error.result.exitCode], ['SIGTERM', undefined]);
      assert.equal(error.result.stdout, 'ready');
      assert.equal(error.result.timedOut, true);
      assert.equal(error.result.outputComplete, true);
      assert.notEqual(error.result.ended, 'none');
    },
  },
  {
    id: 'stubborn',
    title: 'one that ignores SIGTERM gets SIGKILL after the grace period',
    why: 'As for abort().',
    needs: ['posix'],
    twin: 'sync-deadline',
    async run(t, run) {
      const command = (): Command<'text'> => t.helper('ignore:TERM', 'out:ready', 'forever').setOutputBuffer();
      const error = await timedOut(run, command, { killDelay: 30 });
      assert.equal(error.result.signal, 'SIGKILL');
    },
  },
  {
    id: 'no-grace',
    title: 'without a grace period it is SIGKILL at once',
    why: 'As for abort().',
    needs: ['posix'],
    twin: 'sync-deadline',
    async run(t, run) {
      const command = (): Command<'text'> => t.helper('out:ready', 'forever').setOutputBuffer();
      const error = await timedOut(run, command, { killDelay: 0 });
      assert.equal(error.result.signal, 'SIGKILL');
    },
  },
  {
    id: 'graceful',
    title: 'an exit code 0 in the grace period is a deadline that was missed all the same',
    why: 'Half of the work done, and done politely, is not the work.',
    needs: ['posix'],
    twin: 'sync-deadline',
    async run(t, run) {
      const command = (): Command<'text'> => t.helper('on:TERM:exit:0', 'out:ready', 'forever').setOutputBuffer();
      const error = await timedOut(run, command, { check: false });
      assert.deepEqual([error.result.exitCode, error.result.signal], [0, undefined]);
    },
  },
  {
    id: 'in-time',
    title: 'a deadline that is far away changes nothing',
    why: 'Most runs are in time, and must not wait for it or keep its timer.',
    twin: 'sync-deadline',
    async run(t, run) {
      const result = await run(t.helper('out:x').setOutputBuffer(), { timeout: 600_000, killDelay: 600_000 });
      assert.deepEqual([result.stdout, result.timedOut, result.ended], ['x', false, 'none']);
    },
  },
  {
    id: 'silent-reader',
    title: 'a deadline comes also while the program waits for its input',
    why: 'That is what hanging programs mostly do.',
    twin: 'sync-deadline',
    async run(t, run) {
      const command = t
        .helper('close:out', 'forever')
        .setInputBuffer(Buffer.alloc(1024 * 1024))
        .setOutputBuffer();
      await rejection(run(command, { timeout: 60, killDelay: 0 }), CommandTimeoutError);
    },
  },
  {
    id: 'noisy',
    title: 'a deadline comes also while the program writes all the time',
    why: 'Whoever reads all the time must look at the clock, too.',
    twin: 'sync-deadline',
    async run(t, run) {
      const command = t.helper('count:1:1000000000').setOutputBuffer();
      const options = { timeout: 100, outputLimit: { stdout: 1000, onExceed: 'truncate' } } as const;
      const { result } = await rejection(run(command, options), CommandTimeoutError);
      assert.equal(result.timedOut, true);
      assert.ok(String(result.stdout).length <= 1000);
    },
  },
  {
    id: 'started',
    title: 'a program that was started only has a deadline, too',
    why: 'The deadline counts from the call, whoever waits.',
    async run(t) {
      const running = await t.helper('forever').runAsync({ timeout: 50 });
      await rejection(running.wait(), CommandTimeoutError);
    },
  },
]);

export const drainCases = group('drain', { needs: ['posix'] }, [
  {
    id: 'held',
    title: 'a pipe that a descendant holds is given up after the drain, and the result says so',
    why: 'A daemon that a script starts holds its stdout for ever; the script is over.',
    twin: 'sync-deadline',
    async run(t, run) {
      const result = await run(t.helper('sleeper', 'out:end').setOutputBuffer(), { drainDelay: 50 });
      const [pid = '', rest] = result.stdout.split('\n');
      t.cleanup(() => endSleeper(Number(pid)));
      assert.equal(rest, 'end');
      assert.deepEqual([result.exitCode, result.outputComplete], [0, false]);
    },
  },
  {
    id: 'held-reader',
    title: 'who reads a pipe that a descendant holds is waited for as long, and reads on',
    why: 'The script is over, and what its daemon writes may be wanted.',
    // A replay has no times: what comes later comes at once.
    needs: ['any-program'],
    async run(t) {
      const fifo = path.join(t.tempDir(), 'go-on');
      const goOn = openFifo(fifo);
      t.cleanup(() => closeSync(goOn));
      const script = '(read _ < "$1"; echo later) & echo end';
      const command = new t.Command('/bin/sh', ['-c', script, 'sh', fifo]).setOutputFd('pipe');
      const running = await command.runAsync({ drainDelay: 50 });
      const lines: string[] = [];
      const reader = createInterface(running.stdout).on('line', (line) => lines.push(line));
      const closed = once(reader, 'close');
      const { exitCode, outputComplete } = await running.wait();
      const left = running.stdout.destroyed;
      writeSync(goOn, '\n');
      await closed;
      // What is still to be read is not lost.
      assert.deepEqual([exitCode, outputComplete, left, lines], [0, true, false, ['end', 'later']]);
    },
  },
  {
    id: 'busy-reader',
    title: 'who reads what a descendant writes for ever is waited for as long, however busy he is',
    why: 'What the program itself has written is in the pipe when it ends, and a pipe is no larger than it is.',
    needs: ['posix', 'any-program'],
    async run(t) {
      const command = new t.Command('sh', ['-c', 'yes 2>/dev/null & echo $! >&2; exit 0'])
        .setOutputFd('pipe')
        .setErrorFd('pipe');
      const running = await command.runAsync({ drainDelay: 20 });
      const pid = Number(await readLine(running.stderr));
      t.cleanup(() => endSleeper(pid));
      running.stdout.on('readable', () => undefined);
      const readOn = (): void => {
        running.stdout.read(20_000);
        next = setImmediate(readOn);
      };
      let next = setImmediate(readOn);
      const { exitCode, outputComplete } = await running.wait();
      clearImmediate(next);
      assert.deepEqual([exitCode, outputComplete, running.stdout.destroyed], [0, true, false]);
      running.stdout.destroy();
    },
  },
  {
    id: 'unwanted',
    title: 'a stderr that nobody asked for is not waited for',
    why: 'It is kept for an error message that is not needed.',
    requires: ['fd-stdio'],
    async run(t) {
      const { read, write } = t.pipe();
      const result = await t.helper('sleeper', 'exit:0').setOutputFd(write).run({ drainDelay: 600_000 });
      const line = Buffer.alloc(32);
      endSleeper(Number.parseInt(line.toString('latin1', 0, readSync(read, line)), 10));
      assert.equal(result.outputComplete, true);
    },
  },
  {
    id: 'held-input',
    title: 'an input that a descendant could still read is given up after the drain',
    why: 'The program is over, and nobody will ever take the rest.',
    twin: 'sync-deadline',
    async run(t, run) {
      const command = t
        .helper('sleeper', 'exit:0')
        .setInputBuffer(Buffer.alloc(1 << 20))
        .setOutputBuffer();
      const { exitCode, stdout } = await run(command, { drainDelay: 50 });
      endSleeper(Number.parseInt(stdout, 10));
      assert.equal(exitCode, 0);
    },
  },
  {
    id: 'later-blocking',
    title: 'what a descendant writes after the exit is waited for as long as was said when the thread blocks',
    why: 'Whoever allows more time than usual knows that the rest comes late.',
    requires: ['sync-deadline', 'sync'],
    needs: ['any-program'],
    run(t) {
      // It comes when the drain of whoever says nothing would be over.
      const command = new t.Command('/bin/sh', ['-c', '(sleep 1.5; echo late) & exit 0']).setOutputBuffer();
      const { stdout, outputComplete } = command.runSync({ drainDelay: 600_000 });
      assert.deepEqual([stdout, outputComplete], ['late\n', true]);
      return Promise.resolve();
    },
  },
  {
    id: 'inside-a-character',
    title: 'text that a drain cut inside a character ends before it, and only that',
    why: 'Half a character would become another one, and what the program wrote so is what it wrote.',
    twin: 'sync-deadline',
    async run(t, run) {
      const outputLimit = { stderr: 5, onExceed: 'truncate' } as const;
      const held = t.helper('sleeper', 'out:caf\\0303', 'err:12345').setOutputBuffer().setErrorBuffer();
      const result = await run(held, { drainDelay: 50, outputLimit });
      t.cleanup(() => endSleeper(Number.parseInt(result.stdout, 10)));
      assert.deepEqual([result.stdout.replace(/^\d+\n/, ''), result.outputComplete], ['caf', false]);
      const whole = t.helper('out:caf\\0303', 'err:123456').setOutputBuffer().setErrorBuffer();
      const { stdout, stderr, outputComplete } = await run(whole, { outputLimit });
      assert.deepEqual([stdout, stderr, outputComplete], ['caf\ufffd', '12345', false]);
    },
  },
  {
    id: 'held-and-full',
    title: 'what was written before the drain ended is in the result',
    why: 'It was there to be read.',
    twin: 'sync-deadline',
    async run(t, run) {
      const result = await run(t.helper('sleeper', 'fill:500000', 'out:end').setOutputBuffer(), { drainDelay: 50 });
      t.cleanup(() => endSleeper(Number.parseInt(result.stdout, 10)));
      assert.ok(result.stdout.endsWith('0end'));
      assert.ok(result.stdout.length > 500_000);
    },
  },
]);
