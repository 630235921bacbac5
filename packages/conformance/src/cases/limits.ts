/** Limits of how much output is kept. */
import * as assert from 'node:assert/strict';
import { CommandTimeoutError, OutputLimitError, type Command } from '@vircommand/core';
import { group, rejection } from './define';

const endless = 'count:1:1000000000';

export const outputLimitCases = group('output-limit', {}, [
  {
    id: 'exact',
    title: 'a program that writes more than the limit is ended; what is kept is exact to the byte',
    why: 'Memory is bounded whatever the program does.',
    twin: 'sync-deadline',
    async run(t, run) {
      const error = await rejection(run(t.helper(endless).setOutputBuffer(), { outputLimit: 1000 }), OutputLimitError);
      assert.deepEqual([error.code, error.stream, error.limit], ['ERR_COMMAND_OUTPUT_LIMIT', 'stdout', 1000]);
      const { stdout, outputComplete } = error.result;
      assert.equal(stdout?.length, 1000);
      assert.ok(String(stdout).startsWith('1\n2\n3\n'));
      assert.equal(outputComplete, false);
    },
  },
  {
    id: 'not-reached',
    title: 'as much as the limit is no error',
    why: 'The limit is the most that is allowed.',
    twin: 'sync-deadline',
    async run(t, run) {
      const { stdout, outputComplete } = await run(t.helper('fill:1000').setOutputBuffer(), { outputLimit: 1000 });
      assert.equal(stdout.length, 1000);
      assert.equal(outputComplete, true);
    },
  },
  {
    id: 'one-more',
    title: 'one byte more than the limit is one too many, also as the last byte',
    why: 'Otherwise the result looks complete and is not.',
    twin: 'sync-deadline',
    async run(t, run) {
      const command = t.helper('fill:1001').setOutputBuffer();
      await rejection(run(command, { outputLimit: 1000 }), OutputLimitError);
    },
  },
  {
    id: 'truncate',
    title: 'output can be cut at the limit while the program runs on',
    why: 'A verbose program is still a good one.',
    twin: 'sync-deadline',
    async run(t, run) {
      const command = t.helper('fill:300000', 'exit:4').setOutputBuffer();
      const options = { outputLimit: { stdout: 1000, onExceed: 'truncate' }, check: false } as const;
      const { stdout, exitCode, outputComplete } = await run(command, options);
      assert.deepEqual([stdout.length, exitCode, outputComplete], [1000, 4, false]);
    },
  },
  {
    id: 'stderr',
    title: 'each stream has a limit of its own',
    why: 'A flood of warnings is another matter than a large result.',
    twin: 'sync-deadline',
    async run(t, run) {
      const command = t.helper('fill:5000', 'fillerr:5000', 'forever').setOutputBuffer().setErrorBuffer();
      const error = await rejection(run(command, { outputLimit: { stdout: 5000, stderr: 100 } }), OutputLimitError);
      assert.deepEqual([error.stream, error.limit], ['stderr', 100]);
      assert.deepEqual([error.result.stdout?.length, error.result.stderr?.length], [5000, 100]);
    },
  },
  {
    id: 'total',
    title: 'a limit for both streams together counts both',
    why: 'What must be bounded is the memory.',
    twin: 'sync-deadline',
    async run(t, run) {
      const command = t.helper('fill:600', 'fillerr:600', 'forever').setOutputBuffer().setErrorBuffer();
      const error = await rejection(run(command, { outputLimit: { total: 1000 } }), OutputLimitError);
      assert.deepEqual([error.stream, error.limit], ['total', 1000]);
      const { stdout, stderr } = error.result;
      assert.equal((stdout?.length ?? 0) + (stderr?.length ?? 0), 1000);
    },
  },
  {
    id: 'inside-a-character',
    title: 'a limit inside a character leaves the character out, and the bytes are all there',
    why: 'Half a character would become another one.',
    twin: 'sync-deadline',
    async run(t, run) {
      const euros = (): Command => t.helper('out:\\0342\\0202\\0254\\0342\\0202\\0254', 'exit:0');
      const outputLimit = { stdout: 5, onExceed: 'truncate' } as const;
      const { stdout, outputComplete } = await run(euros().setOutputBuffer(), { outputLimit });
      assert.deepEqual([stdout, outputComplete], ['€', false]);
      const bytes = await run(euros().setOutputBuffer('buffer'), { outputLimit });
      assert.deepEqual(Array.from(bytes.stdout), [0xe2, 0x82, 0xac, 0xe2, 0x82]);
      const error = await rejection(run(euros().setOutputBuffer(), { outputLimit: 4 }), OutputLimitError);
      assert.equal(error.result.stdout, '€');
    },
  },
  {
    id: 'merged',
    title: 'of two streams in one pipe the limit counts both',
    why: 'They are one output.',
    requires: ['merged-output'],
    twin: 'sync-deadline',
    async run(t, run) {
      const command = t.helper('fill:6', 'fillerr:6', 'forever').setOutputBuffer().setErrorFd('stdout');
      const { stream, result } = await rejection(run(command, { outputLimit: 10 }), OutputLimitError);
      assert.deepEqual([stream, result.stdout], ['stdout', '0000000000']);
    },
  },
  {
    id: 'truncate-total',
    title: 'a limit for both streams together can cut, too',
    why: 'As for one stream.',
    twin: 'sync-deadline',
    async run(t, run) {
      const command = t.helper('fill:600', 'fillerr:600', 'exit:4').setOutputBuffer().setErrorBuffer();
      const options = { outputLimit: { total: 1000, onExceed: 'truncate' }, check: false } as const;
      const { stdout, stderr, exitCode, outputComplete } = await run(command, options);
      assert.deepEqual([stdout.length + stderr.length, exitCode, outputComplete], [1000, 4, false]);
    },
  },
  {
    id: 'and-deadline',
    title: 'with a limit and a deadline, whichever comes first is told',
    why: 'Both are there to protect the caller; the message must name the right one.',
    twin: 'sync-deadline',
    async run(t, run) {
      const bounds = { timeout: 600_000, outputLimit: 10, killDelay: 0 };
      const { result } = await rejection(run(t.helper(endless).setOutputBuffer(), bounds), OutputLimitError);
      assert.deepEqual([result.timedOut, String(result.stdout).length], [false, 10]);
      const quiet = t.helper('forever').setOutputBuffer();
      await rejection(run(quiet, { ...bounds, timeout: 50 }), CommandTimeoutError);
    },
  },
  {
    id: 'none-allowed',
    title: 'a limit of 0 allows no output',
    why: 'Zero is a number and not "no limit".',
    twin: 'sync-deadline',
    async run(t, run) {
      await run(t.helper('exit:0').setOutputBuffer(), { outputLimit: 0 });
      await rejection(run(t.helper('out:x').setOutputBuffer(), { outputLimit: 0 }), OutputLimitError);
    },
  },
  {
    id: 'tail-is-free',
    title: 'a stderr that is only kept for the error message counts in no limit',
    why: 'The caller did not ask for it.',
    twin: 'sync-deadline',
    async run(t, run) {
      const command = t.helper('fillerr:100000', 'out:x').setOutputBuffer();
      assert.equal((await run(command, { outputLimit: { total: 10 } })).stdout, 'x');
    },
  },
]);
