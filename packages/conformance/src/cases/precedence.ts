/** Several ends at once: the first cause decides. Each row of the table in docs/endings.md is a case. */
import * as assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import * as path from 'node:path';
import {
  CommandAbortedError,
  CommandTimeoutError,
  CommandUsageError,
  OutputLimitError,
  type RunningCommand,
  type RunOptions,
} from '@vircommand/core';
import type { CaseContext } from '../types';
import { group, readLine, rejection } from './define';
import { endSleeper, started } from './endings';

/** Writes a line when SIGTERM comes, and lives on. */
const polite = ['on:TERM:out:term\\n', 'out:ready\\n', 'forever'] as const;

/** How long a slow machine may need until a program is ready, in milliseconds; tried one after the other. */
const deadlines = [150, 1000, 4000] as const;

/**
 * Tries one deadline after the other until something has come before it. The program is to write the file `note` when it is
 * ready for that. If it did so in the first half of the longest deadline, the other half was enough: then it is the backend
 * that was late, and not the machine. The file is missing where programs run elsewhere.
 */
async function beforeDeadline<T>(
  t: CaseContext,
  what: string,
  attempt: (timeout: number, note: string) => Promise<T | undefined>,
): Promise<T> {
  let wasReady = false;
  for (const timeout of deadlines) {
    const file = path.join(t.tempDir(), 'note');
    const half = Date.now() + timeout / 2;
    const came = await attempt(timeout, `write-file:${file}`);
    if (came !== undefined) return came;
    wasReady = (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) < half;
  }
  assert.ok(!wasReady, `the program was ready long before the deadline, and yet it did not come before it: ${what}`);
  return t.notChecked('this machine is too slow');
}

/** A program whose deadline has come, and which uses its grace. */
function pastDeadline(t: CaseContext, options: RunOptions): Promise<RunningCommand<'pipe'>> {
  return beforeDeadline(t, 'its first line, and then SIGTERM', async (timeout, note) => {
    const running = await t
      .helper('on:TERM:out:term\\n', note, 'out:ready\\n', 'forever')
      .setOutputFd('pipe')
      .runAsync({ ...options, timeout });
    if ((await readLine(running.stdout)) === 'ready' && (await readLine(running.stdout)) === 'term') return running;
    await running.abort();
    return undefined;
  });
}

/** A program that was aborted, and which uses its grace. */
async function pastAbort(t: CaseContext, options: RunOptions, reason?: unknown): Promise<RunningCommand<'pipe'>> {
  const controller = new AbortController();
  const running = await started(t, polite, { ...options, signal: controller.signal });
  controller.abort(reason);
  assert.equal(await readLine(running.stdout), 'term');
  return running;
}

const grace = { killDelay: 60_000 };

export const precedenceCases = group('precedence', { needs: ['posix'] }, [
  {
    id: 'usage-before-abort',
    title: 'a wrong option is a usage error, though the signal is aborted already',
    why: 'A mistake in the program must not hide behind its circumstances.',
    async run(t) {
      const options = { signal: AbortSignal.abort(), timeout: -1 };
      await rejection(t.helper('exit:0').run(options), CommandUsageError);
      assert.equal(t.starts, 0);
    },
  },
  {
    id: 'abort-before-start-error',
    title: 'a signal that is aborted already is an abort, though the program is missing',
    why: 'Nothing is looked for when nothing is wanted.',
    async run(t) {
      const missing = new t.Command('/vircommand/no/such/program');
      await rejection(missing.run({ signal: AbortSignal.abort() }), CommandAbortedError);
      assert.equal(t.starts, 0);
    },
  },
  {
    id: 'exit-then-deadline',
    title: 'an exit before the deadline is a success, though the deadline comes while the output is still held',
    why: 'The work was done in time; that a daemon holds its pipe is another matter.',
    twin: 'sync-deadline',
    async run(t, run) {
      const result = await beforeDeadline(t, 'its exit', async (timeout, note) => {
        const command = t.helper('sleeper', note, 'exit:0').setOutputBuffer();
        const ended = await run(command, { timeout, drainDelay: timeout, killDelay: 0 }).catch((error: unknown) => {
          if (error instanceof CommandTimeoutError) return error.result;
          throw error;
        });
        endSleeper(Number.parseInt(String(ended.stdout), 10));
        return ended.timedOut ? undefined : ended;
      });
      assert.deepEqual([result.exitCode, result.outputComplete], [0, false]);
    },
  },
  {
    id: 'exit-then-abort',
    title: 'an abort after the exit ends the wait for the output, and not the result',
    why: 'Whoever aborts does not want to wait; the program did its work all the same.',
    // A replay has no times: what is asked again and again until it changes is asked at other moments.
    needs: ['any-program'],
    async run(t) {
      const controller = new AbortController();
      const options = { signal: controller.signal, drainDelay: 600_000 };
      const running = await t
        .helper('sleeper', 'err:ready\\n', 'exit:0')
        .setOutputBuffer()
        .setErrorFd('pipe')
        .doAsyncIo()
        .runAsync(options);
      await readLine(running.stderr);
      // It has been reaped when it cannot be signalled any more.
      await t.until('the program has exited', () => !running.kill('SIGCONT'));
      controller.abort();
      const { exitCode, aborted, outputComplete, stdout } = await running.wait();
      endSleeper(Number.parseInt(stdout, 10));
      assert.deepEqual([exitCode, aborted, outputComplete], [0, false, false]);
    },
  },
  {
    id: 'exit-then-abort-lines',
    title: 'an abort after the exit is an error for who has not read all lines, and no piece is one',
    why: 'Whoever stops reading must not take what he has for all that the program wrote.',
    needs: ['any-program'],
    async run(t) {
      const controller = new AbortController();
      const options = { signal: controller.signal, drainDelay: 600_000 };
      // Who holds the pipe sees to it that its end has not been read by then.
      const running = await t.helper('sleeper', 'count:1:3000', 'exit:0').setOutputFd('pipe').runAsync(options);
      const lines = running.lines();
      const sleeper = Number((await lines.next()).value);
      const seen: string[] = [];
      await t.until('the program has exited', () => !running.kill('SIGCONT'));
      controller.abort();
      const loop = async (): Promise<void> => {
        for await (const line of lines) seen.push(line);
      };
      const { result } = await rejection(loop(), CommandAbortedError);
      endSleeper(sleeper);
      assert.deepEqual([result.exitCode, result.ended], [0, 'none']);
      assert.deepEqual(
        seen,
        seen.map((_, index) => `${index + 1}`),
      );
    },
  },
  {
    id: 'exit-then-limit',
    title: 'too much output is too much, though the program has exited',
    why: 'What was written before the exit may be read after it.',
    twin: 'sync-deadline',
    async run(t, run) {
      const command = t.helper('fill:60000', 'exit:0').setOutputBuffer();
      const { result } = await rejection(run(command, { outputLimit: 1000 }), OutputLimitError);
      assert.equal(String(result.stdout).length, 1000);
    },
  },
  {
    id: 'deadline-then-exit',
    title: 'an exit code in the grace after a deadline is a deadline that was missed',
    why: 'The deadline made it end; its code is known from the result.',
    async run(t) {
      const running = await pastDeadline(t, grace);
      running.kill('SIGKILL');
      const { result } = await rejection(running.wait(), CommandTimeoutError);
      assert.deepEqual([result.timedOut, result.aborted, result.signal], [true, false, 'SIGKILL']);
    },
  },
  {
    id: 'deadline-then-abort',
    title: 'an abort in the grace after a deadline can shorten it, and the deadline stays the cause',
    why: 'The first cause is why it had to end.',
    async run(t) {
      const running = await pastDeadline(t, grace);
      await running.abort({ killDelay: 0 });
      const { result } = await rejection(running.wait(), CommandTimeoutError);
      assert.deepEqual([result.timedOut, result.aborted, result.signal], [true, false, 'SIGKILL']);
    },
  },
  {
    id: 'deadline-then-dispose',
    title: 'a disposal in the grace after a deadline kills at once, and the deadline stays the cause',
    why: 'As for an abort.',
    async run(t) {
      const running = await pastDeadline(t, grace);
      running[Symbol.dispose]();
      const { result } = await rejection(running.wait(), CommandTimeoutError);
      assert.deepEqual([result.timedOut, result.aborted, result.signal], [true, false, 'SIGKILL']);
    },
  },
  {
    id: 'abort-then-deadline',
    title: 'a deadline in the grace after an abort changes nothing',
    why: 'It was not too slow: it was not wanted any more.',
    async run(t) {
      const error = await beforeDeadline(t, 'the abort', async (timeout, note) => {
        const command = t.helper('ignore:TERM', note, 'out:ready\\n', 'forever').setOutputFd('pipe');
        const running = await command.runAsync({ timeout, killDelay: timeout });
        await readLine(running.stdout);
        await running.abort();
        const reason: unknown = await running.wait().catch((caught: unknown) => caught);
        return reason instanceof CommandTimeoutError ? undefined : reason;
      });
      assert.ok(error instanceof CommandAbortedError);
      assert.deepEqual([error.result.timedOut, error.result.aborted, error.result.signal], [false, true, 'SIGKILL']);
    },
  },
  {
    id: 'abort-then-abort',
    title: 'of two aborts the first one has the reason',
    why: 'The second one only makes it quicker.',
    async run(t) {
      const running = await pastAbort(t, grace, 'first');
      await running.abort({ killDelay: 0 });
      const error = await rejection(running.wait(), CommandAbortedError);
      assert.deepEqual([error.reason, error.result.signal], ['first', 'SIGKILL']);
    },
  },
  {
    id: 'abort-then-dispose',
    title: 'a disposal in the grace after an abort kills at once, and the abort stays the cause',
    why: '`using` leaves its block whatever goes on.',
    async run(t) {
      const running = await pastAbort(t, grace, 'first');
      running[Symbol.dispose]();
      const error = await rejection(running.wait(), CommandAbortedError);
      assert.deepEqual([error.reason, error.result.signal], ['first', 'SIGKILL']);
    },
  },
  {
    id: 'limit-then-deadline',
    title: 'a deadline in the grace after too much output changes nothing',
    why: 'The first cause decides.',
    twin: 'sync-deadline',
    async run(t, run) {
      const error = await beforeDeadline(t, 'the limit', async (timeout, note) => {
        const command = t.helper('ignore:TERM', 'fill:2000', note, 'forever').setOutputBuffer();
        const options = { timeout, killDelay: timeout, outputLimit: 1000 };
        const reason: unknown = await run(command, options).catch((caught: unknown) => caught);
        return reason instanceof CommandTimeoutError ? undefined : reason;
      });
      assert.ok(error instanceof OutputLimitError);
      const { result } = error;
      assert.deepEqual([result.timedOut, result.signal, String(result.stdout).length], [false, 'SIGKILL', 1000]);
    },
  },
  {
    id: 'deadline-then-limit',
    title: 'too much output in the grace after a deadline is cut to the limit, and the deadline stays the cause',
    why: 'Memory is bounded then, too.',
    twin: 'sync-deadline',
    async run(t, run) {
      const result = await beforeDeadline(t, 'its first words, and then SIGTERM', async (timeout, note) => {
        const command = t.helper('on:TERM:out:much more', 'out:ready', note, 'forever').setOutputBuffer();
        const options = { timeout, killDelay: timeout, outputLimit: 8 };
        const ended = (await rejection(run(command, options), CommandTimeoutError)).result;
        // It was not ready for this deadline, or had no time to say more.
        return ended.signal === 'SIGKILL' && ended.stdout === 'readymuc' ? ended : undefined;
      });
      assert.equal(result.outputComplete, false);
    },
  },
  {
    id: 'limit-then-abort',
    title: 'an abort in the grace after too much output can shorten it, and the limit stays the cause',
    why: 'The first cause decides.',
    async run(t) {
      const running = await t
        .helper('on:TERM:out:term\\n', 'fillerr:2000', 'forever')
        .setOutputFd('pipe')
        .setErrorBuffer()
        .doAsyncIo()
        .runAsync({ ...grace, outputLimit: { stderr: 1000 } });
      assert.equal(await readLine(running.stdout), 'term');
      await running.abort({ killDelay: 0 });
      const { result } = await rejection(running.wait(), OutputLimitError);
      assert.deepEqual([result.aborted, result.signal, String(result.stderr).length], [false, 'SIGKILL', 1000]);
    },
  },
  {
    id: 'kill-then-deadline',
    title: 'a signal sent by kill() is no end: a deadline that comes later is one',
    why: 'kill() is a message, and the program did not take it as its end.',
    async run(t) {
      const result = await beforeDeadline(t, 'what it says to SIGTERM', async (timeout, note) => {
        const running = await t
          .helper('on:TERM:out:term\\n', note, 'out:ready\\n', 'forever')
          .setOutputFd('pipe')
          .runAsync({ timeout, killDelay: 0 });
        if ((await readLine(running.stdout)) === 'ready') running.kill('SIGTERM');
        const heard = await readLine(running.stdout);
        const ended = (await rejection(running.wait(), CommandTimeoutError)).result;
        return heard === 'term' ? ended : undefined;
      });
      assert.deepEqual([result.timedOut, result.aborted, result.signal], [true, false, 'SIGKILL']);
    },
  },
  {
    id: 'kill-then-abort',
    title: 'an abort after kill() is an abort',
    why: 'As for the deadline.',
    async run(t) {
      const running = await started(t, polite);
      running.kill('SIGTERM');
      assert.equal(await readLine(running.stdout), 'term');
      await running.abort({ killDelay: 0 });
      const { result } = await rejection(running.wait(), CommandAbortedError);
      assert.deepEqual([result.aborted, result.signal], [true, 'SIGKILL']);
    },
  },
  {
    id: 'dispose',
    title: 'a disposal is an abort without a reason and without a grace',
    why: 'Whoever waits for it must know that its end was wanted.',
    async run(t) {
      const running = await started(t, polite, grace);
      running[Symbol.dispose]();
      const error = await rejection(running.wait(), CommandAbortedError);
      assert.deepEqual([error.reason, error.result.signal, error.result.aborted], [undefined, 'SIGKILL', true]);
    },
  },
]);
