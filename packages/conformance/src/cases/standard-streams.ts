/** stdin, stdout and stderr: null devices when nothing is said, buffers otherwise. */
import * as assert from 'node:assert/strict';
import { CommandExitError } from '@vircommand/core';
import { group, parseFds, rejection } from './define';

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const mebibyte = 1024 * 1024;
/** More than any pipe holds, and other in every place. */
const large = Buffer.alloc(8 * mebibyte, Array.from({ length: 3001 }, (_, index) => `${index},`).join(''));

export const defaultCases = group('defaults', {}, [
  {
    id: 'stdin',
    title: 'a program that reads its stdin finds the end at once',
    why: 'A program that asks a question must not wait for an answer that nobody gives.',
    twin: true,
    async run(t, run) {
      const { stdout } = await run(t.helper('length').setOutputBuffer());
      assert.equal(stdout, '0');
    },
  },
  {
    id: 'stdout',
    title: 'a program whose output nobody asked for can write as much as it likes',
    why: 'A pipe that nobody reads would stop it for ever.',
    twin: true,
    async run(t, run) {
      const result = await run(t.helper('fill:300000', 'fillerr:300000'));
      assert.equal(result.stdout, undefined);
      assert.equal(result.stderr, undefined);
      assert.equal(result.exitCode, 0);
    },
  },
  {
    id: 'started-only',
    title: 'a program that was only started can write as much as it likes, too',
    why: 'Nobody reads its output until somebody waits, or ever.',
    async run(t) {
      const running = await t.helper('fill:300000', 'fillerr:300000', 'length').runAsync();
      assert.equal(running.stdin, undefined);
      assert.equal(running.stdout, undefined);
      assert.equal(running.stderr, undefined);
      assert.equal((await running.wait()).exitCode, 0);
    },
  },
  {
    id: 'null-device',
    title: 'streams that nobody asked for are /dev/null',
    why: 'Closed ones would be taken by the next file that the program opens, which it then writes its messages into.',
    needs: ['linux', 'posix', 'any-program'],
    async run(t) {
      // The shell's own streams: it must neither become ls(1) nor redirect itself.
      const list = (to: string) => new t.Command('sh', ['-c', `(ls -l /proc/$$/fd ${to}); :`]);
      const waited = parseFds((await list('>&2').setErrorBuffer().run()).stderr);
      assert.deepEqual([waited.get(0), waited.get(1)], ['/dev/null', '/dev/null']);
      const running = await list('').setOutputBuffer().doAsyncIo().runAsync();
      const started = parseFds((await running.wait()).stdout);
      assert.deepEqual([started.get(0), started.get(2)], ['/dev/null', '/dev/null']);
    },
  },
  {
    id: 'stderr-tail',
    title: 'the error of a run has what the program wrote to a stderr that nobody asked for',
    why: 'An error without the program’s own words is useless.',
    twin: true,
    async run(t, run) {
      const error = await rejection(run(t.helper('err:no such thing\\n', 'exit:3')), CommandExitError);
      assert.equal(error.stderrTail, 'no such thing\n');
      assert.equal(error.result.stderr, undefined);
    },
  },
  {
    id: 'stderr-tail-size',
    title: 'of a long stderr the error has the end, at most 8 KiB',
    why: 'The last words say what went wrong; a log must not fill the memory.',
    twin: true,
    async run(t, run) {
      const command = t.helper('err:first words', 'fillerr:200000', 'err:last words', 'exit:1');
      const { stderrTail } = await rejection(run(command), CommandExitError);
      assert.ok(stderrTail.endsWith('0last words'));
      assert.ok(stderrTail.length <= 8192, `${stderrTail.length} bytes`);
      assert.ok(!stderrTail.includes('first words'));
    },
  },
]);

export const inputCases = group('input', {}, [
  {
    id: 'text',
    title: 'an input buffer is what the program reads, up to its end',
    why: 'A program that filters must get all of it, and then an end, or it never finishes.',
    twin: true,
    async run(t, run) {
      const { stdout } = await run(t.helper('cat').setInputBuffer('first\nsecond grün\n').setOutputBuffer());
      assert.equal(stdout, 'first\nsecond grün\n');
    },
  },
  {
    id: 'empty',
    title: 'an empty input buffer is an end at once',
    why: 'Nothing to say is not the same as nobody there.',
    twin: true,
    async run(t, run) {
      const { stdout } = await run(t.helper('length').setInputBuffer('').setOutputBuffer());
      assert.equal(stdout, '0');
    },
  },
  {
    id: 'binary',
    title: 'all bytes go in and come out unchanged',
    why: 'Archives and images are no text.',
    twin: true,
    async run(t, run) {
      const { stdout } = await run(t.helper('cat').setInputBuffer(everyByte).setOutputBuffer('buffer'));
      assert.deepEqual(stdout, everyByte);
    },
  },
  {
    id: 'large',
    title: 'eight mebibytes in and out at the same time do not block each other',
    why: 'Whoever writes everything before he reads waits for a program that waits for him.',
    twin: true,
    async run(t, run) {
      const { stdout } = await run(t.helper('cat').setInputBuffer(large).setOutputBuffer('buffer'));
      assert.equal(stdout.length, large.length);
      assert.ok(stdout.equals(large), 'the bytes differ');
    },
  },
  {
    id: 'unread',
    title: 'a program may exit without having read its input',
    why: 'It need not be interested: head(1) is not. A broken pipe is no failure of the command.',
    twin: true,
    async run(t, run) {
      const { stdout } = await run(t.helper('out:done').setInputBuffer(Buffer.alloc(mebibyte)).setOutputBuffer());
      assert.equal(stdout, 'done');
    },
  },
  {
    id: 'partly-read',
    title: 'a program may exit when it has read enough of its input',
    why: 'As above, with a part of the input on its way already.',
    twin: true,
    async run(t, run) {
      const input = Buffer.concat([Buffer.from('first\n'), Buffer.alloc(mebibyte, 'x')]);
      const { exitCode } = await run(t.helper('read', 'exit:7').setInputBuffer(input), { check: false });
      assert.equal(exitCode, 7);
    },
  },
  {
    id: 'closed',
    title: 'a program may close its stdin and go on',
    why: 'That nobody reads any more must end the writing, not the program.',
    twin: true,
    async run(t, run) {
      const command = t.helper('close:in', 'fill:100000', 'out:end').setInputBuffer(Buffer.alloc(mebibyte));
      const { stdout } = await run(command.setOutputBuffer());
      assert.ok(stdout.endsWith('0end'));
      assert.equal(stdout.length, 100_003);
    },
  },
  {
    id: 'again',
    title: 'every run sends the whole input',
    why: 'A command is a description that can be run any number of times.',
    async run(t) {
      const command = t.helper('cat').setInputBuffer('again').setOutputBuffer();
      assert.equal((await command.run()).stdout, 'again');
      assert.equal((await command.run()).stdout, 'again');
    },
  },
]);

export const outputCases = group('output', {}, [
  {
    id: 'separate',
    title: 'stdout and stderr are captured apart, each as itself',
    why: 'A warning in the data, or the data in the log: both are wrong results that nobody notices.',
    twin: true,
    async run(t, run) {
      const { stdout, stderr } = await run(t.helper('out:to out', 'err:to err').setOutputBuffer().setErrorBuffer());
      assert.equal(stdout, 'to out');
      assert.equal(stderr, 'to err');
    },
  },
  {
    id: 'empty',
    title: 'no output is an empty string, or an empty buffer',
    why: 'Callers need not ask whether there is a string.',
    twin: true,
    async run(t, run) {
      const { stdout, stderr } = await run(t.helper('exit:0').setOutputBuffer().setErrorBuffer('buffer'));
      assert.equal(stdout, '');
      assert.deepEqual(stderr, Buffer.alloc(0));
    },
  },
  {
    id: 'complete',
    title: 'output is complete to the last byte, also what was written just before the exit',
    why: 'The end of the output is where results, totals and closing brackets are.',
    twin: true,
    async run(t, run) {
      const command = t.helper('fill:99999', 'out:end of out', 'fillerr:99999', 'err:end of err');
      const { stdout, stderr, outputComplete } = await run(command.setOutputBuffer().setErrorBuffer());
      assert.equal(stdout.length, 99_999 + 10);
      assert.ok(stdout.endsWith('0end of out'));
      assert.equal(stderr.length, 99_999 + 10);
      assert.ok(stderr.endsWith('0end of err'));
      assert.equal(outputComplete, true);
    },
  },
  {
    id: 'both-full',
    title: 'both streams can be full at any time without blocking the program',
    why: 'Whoever reads one stream to its end first waits for a program that waits for the other.',
    twin: true,
    async run(t, run) {
      const command = t.helper('fillerr:500000', 'fill:500000', 'fillerr:500000', 'fill:500000');
      const { stdout, stderr } = await run(command.setOutputBuffer().setErrorBuffer());
      assert.equal(stdout.length, 1_000_000);
      assert.equal(stderr.length, 1_000_000);
    },
  },
  {
    id: 'one-of-two',
    title: 'one stream can be captured while the other one is full and unwanted',
    why: 'The unwanted one must not fill up, and must not get into the wanted one.',
    twin: true,
    async run(t, run) {
      const first = await run(t.helper('fillerr:300000', 'out:x').setOutputBuffer());
      assert.equal(first.stdout, 'x');
      const second = await run(t.helper('fill:300000', 'err:y').setErrorBuffer());
      assert.equal(second.stderr, 'y');
    },
  },
  {
    id: 'malformed',
    title: 'bytes that are no UTF-8 become U+FFFD in text, and stay what they are in a buffer',
    why: 'A stray byte must not make a run fail; who wants the bytes gets them.',
    twin: true,
    async run(t, run) {
      const instruction = 'out:a\\0377b\\0303';
      const text = await run(t.helper(instruction).setOutputBuffer());
      assert.equal(text.stdout, 'a\ufffdb\ufffd');
      const bytes = await run(t.helper(instruction).setOutputBuffer('buffer'));
      assert.deepEqual(bytes.stdout, Buffer.from([0x61, 0xff, 0x62, 0xc3]));
    },
  },
  {
    id: 'split-character',
    title: 'a character whose bytes come one by one is one character',
    why: 'Pipes know no characters: each piece decoded by itself is damaged text.',
    async run(t) {
      const command = t.helper('out:\\0342', 'read', 'out:\\0202', 'read', 'out:\\0254').setOutputBuffer();
      const running = await command.setInputFd('pipe').doAsyncIo().runAsync();
      running.stdin.write('\n');
      running.stdin.end('\n');
      assert.equal((await running.wait()).stdout, '€');
    },
  },
  {
    id: 'encoding',
    title: 'the encoding of a run is that of its text, and "buffer" makes bytes of all of it',
    why: 'Not every program speaks UTF-8.',
    twin: true,
    async run(t, run) {
      const { stdout } = await run(t.helper('out:\\0344').setOutputBuffer(), { encoding: 'latin1' });
      assert.equal(stdout, 'ä');
    },
  },
  {
    id: 'as-bytes',
    title: 'a run can ask for bytes whatever the command says',
    why: 'The caller of a command that others built may need the bytes.',
    async run(t) {
      const { stdout, stderr } = await t
        .helper('out:a', 'err:b')
        .setOutputBuffer()
        .setErrorBuffer('buffer')
        .run({ encoding: 'buffer' });
      assert.deepEqual(stdout, Buffer.from('a'));
      assert.deepEqual(stderr, Buffer.from('b'));
    },
  },
  {
    id: 'closed',
    title: 'a program may close its streams before it exits; its exit is waited for',
    why: 'The end of the output is not the end of the program: its exit code comes later.',
    twin: true,
    async run(t, run) {
      const command = t.helper('out:before', 'close:out', 'close:err', 'eof', 'exit:4').setOutputBuffer();
      const { stdout, exitCode } = await run(command, { check: false });
      assert.equal(stdout, 'before');
      assert.equal(exitCode, 4);
    },
  },
  {
    id: 'later-writer',
    title: 'output of a descendant that outlives the program for a moment is part of the output',
    why: 'Shell scripts leave the last stage of a pipeline behind; its lines are wanted.',
    needs: ['posix', 'any-program'],
    async run(t) {
      const script = 'exec 3<&0; { read line <&3; echo "$line"; } & exit 0';
      const running = await new t.Command('sh', ['-c', script])
        .setInputFd('pipe')
        .setOutputBuffer()
        .doAsyncIo()
        .runAsync({ drainDelay: 10_000 });
      running.stdin.end('from the descendant\n');
      const { stdout, outputComplete } = await running.wait();
      assert.equal(stdout, 'from the descendant\n');
      assert.equal(outputComplete, true);
    },
  },
  {
    id: 'asynchronous',
    title: 'a started program captures into buffers when asked to, complete after wait()',
    why: 'virCommandDoAsyncIO: start now, collect later.',
    async run(t) {
      const command = t.helper('cat', 'err:e').setInputBuffer('in').setOutputBuffer().setErrorBuffer();
      const running = await command.doAsyncIo().runAsync();
      const { stdout, stderr } = await running.wait();
      assert.equal(stdout, 'in');
      assert.equal(stderr, 'e');
    },
  },
]);

export const mergedCases = group('merged', { requires: ['merged-output'] }, [
  {
    id: 'order',
    title: 'stdout and stderr through one pipe come in the order in which they were written',
    why: 'A transcript in which the error stands behind the wrong line leads astray.',
    twin: true,
    async run(t, run) {
      const steps = Array.from({ length: 100 }, (_, index) => [`out:o${index}\\n`, `err:e${index}\\n`]).flat();
      const { stdout } = await run(
        t
          .helper(...steps)
          .setOutputBuffer()
          .setErrorFd('stdout'),
      );
      const expected = Array.from({ length: 100 }, (_, index) => `o${index}\ne${index}\n`).join('');
      assert.equal(stdout, expected);
    },
  },
  {
    id: 'large',
    title: 'merged output is complete, however much it is',
    why: 'The shared pipe is full as often as any other.',
    twin: true,
    async run(t, run) {
      const command = t.helper('fill:300000', 'fillerr:300000', 'fill:300000', 'err:end');
      const { stdout } = await run(command.setOutputBuffer('buffer').setErrorFd('stdout'));
      assert.equal(stdout.length, 900_003);
      assert.equal(stdout.subarray(-4).toString(), '0end');
    },
  },
  {
    id: 'tail',
    title: 'the error of a failed run has the end of merged output',
    why: 'The program’s last words are there, and nowhere else.',
    async run(t) {
      const command = t.helper('out:working\\n', 'err:failed\\n', 'exit:2').setOutputBuffer().setErrorFd('stdout');
      const error = await rejection(command.run(), CommandExitError);
      assert.equal(error.stderrTail, 'working\nfailed\n');
      assert.equal(error.result.stderr, undefined);
    },
  },
  {
    id: 'lines',
    title: 'lines of merged output come in their order',
    why: 'Logs are read line by line.',
    async run(t) {
      const lines: string[] = [];
      for await (const line of t.helper('out:1\\n', 'err:2\\n', 'out:3\\n', 'err:4').setErrorFd('stdout').runLines()) {
        lines.push(line);
      }
      assert.deepEqual(lines, ['1', '2', '3', '4']);
    },
  },
  {
    id: 'pipe',
    title: 'a merged pipe to the caller ends when the program has',
    why: 'An end of it that was left open somewhere would keep the reader waiting for ever.',
    async run(t) {
      const running = await t.helper('out:a', 'err:b', 'out:c').setOutputFd('pipe').setErrorFd('stdout').runAsync();
      assert.equal(running.stderr, undefined);
      const chunks: Buffer[] = [];
      for await (const chunk of running.stdout) chunks.push(chunk as Buffer);
      assert.equal(Buffer.concat(chunks).toString(), 'abc');
      await running.wait();
    },
  },
]);
