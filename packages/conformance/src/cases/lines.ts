/** Output line by line, and the other iterations. */
import * as assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { CommandAbortedError, CommandExitError, CommandUsageError, OutputLimitError } from '@vircommand/core';
import { group, rejection } from './define';

/** Everything that an iteration gives. */
async function all<T>(iteration: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of iteration) items.push(item);
  return items;
}

const endless = 'count:1:1000000000';

export const lineCases = group('lines', {}, [
  {
    id: 'cut',
    title: 'lines come without their ends; the last one may have none',
    why: 'Everybody writes this loop, and forgets the last line.',
    async run(t) {
      const cut = async (text: string): Promise<string[]> => all(t.helper(`out:${text}`).runLines());
      assert.deepEqual(await cut('a\\nb\\n'), ['a', 'b']);
      assert.deepEqual(await cut('a\\n\\nb'), ['a', '', 'b']);
      assert.deepEqual(await cut('a\\r\\nb\\rc\\r\\n'), ['a', 'b\rc']);
      assert.deepEqual(await cut(''), []);
      assert.deepEqual(await cut('\\n'), ['']);
    },
  },
  {
    id: 'many',
    title: 'ten thousand lines come in their order, none twice and none lost',
    why: 'The pieces of a pipe end in the middle of lines.',
    async run(t) {
      const lines = await all(t.helper('count:1:10000').runLines());
      assert.equal(lines.length, 10_000);
      lines.forEach((line, index) => {
        assert.equal(line, String(index + 1));
      });
    },
  },
  {
    id: 'split',
    title: 'a line and a character that come in pieces are one line and one character',
    why: 'As above, byte by byte.',
    async run(t) {
      const command = t.helper('out:gr\\0303', 'read', 'out:\\0274n\\nx', 'read', 'out:y').setInputBuffer('1\n2\n');
      assert.deepEqual(await all(command.runLines()), ['grün', 'xy']);
    },
  },
  {
    id: 'stderr',
    title: 'lines can come from stderr',
    why: 'Progress is told there.',
    async run(t) {
      assert.deepEqual(await all(t.helper('out:no\\n', 'err:a\\nb').runLines({ from: 'stderr' })), ['a', 'b']);
    },
  },
  {
    id: 'left',
    title: 'leaving the loop ends the program, without an error',
    why: 'Whoever has found his line does not want the rest.',
    async run(t) {
      const lines: string[] = [];
      const iteration = t.helper(endless).runLines();
      for await (const line of iteration) {
        lines.push(line);
        if (lines.length === 3) break;
      }
      assert.deepEqual(lines, ['1', '2', '3']);
      await rejection(iteration.result, CommandAbortedError);
    },
  },
  {
    id: 'left-by-error',
    title: 'leaving the loop by an error ends the program, and the error is the caller’s',
    why: 'As above.',
    async run(t) {
      const mine = new Error('mine');
      const loop = async (): Promise<void> => {
        for await (const line of t.helper(endless).runLines()) if (line === '5') throw mine;
      };
      // Not assert.rejects(), for which an error of jest's realm is none.
      const error: unknown = await loop().catch((reason: unknown) => reason);
      assert.equal(error, mine);
    },
  },
  {
    id: 'bad-end',
    title: 'a bad end of the program rejects after the last line',
    why: 'The lines are good, and the end is not: both must be known.',
    async run(t) {
      const lines: string[] = [];
      const loop = async (): Promise<void> => {
        for await (const line of t.helper('out:a\\nb\\n', 'err:why', 'exit:3').runLines()) lines.push(line);
      };
      const error = await rejection(loop(), CommandExitError);
      assert.deepEqual(lines, ['a', 'b']);
      assert.deepEqual([error.exitCode, error.stderrTail], [3, 'why']);
    },
  },
  {
    id: 'tail',
    title: 'the error of a bad end says what stderr was, also where it is read with the lines',
    why: 'A log of a build that ends with "exit code 3" and no reason.',
    requires: ['merged-output'],
    async run(t) {
      const lines = t.helper('out:one\\n', 'err:why\\n', 'exit:3').setErrorFd('stdout').runLines();
      assert.equal((await rejection(all(lines), CommandExitError)).stderrTail, 'one\nwhy\n');
    },
  },
  {
    id: 'not-started',
    title: 'nothing is started before the first line is asked for',
    why: 'An iteration that is never used must not run anything.',
    async run(t) {
      const unused = t.helper('out:x').runLines();
      await unused.return?.();
      assert.deepEqual(await all(unused), []);
      await rejection(unused.result, CommandAbortedError);
      t.helper('out:x').runLines();
      assert.equal(t.starts, 0);
    },
  },
  {
    id: 'too-long',
    title: 'a line that is longer than allowed ends the program',
    why: 'A line without an end would fill the memory.',
    async run(t) {
      const command = t.helper('out:short\\n', 'fill:100000', 'forever');
      const lines: string[] = [];
      const loop = async (): Promise<void> => {
        for await (const line of command.runLines({ maxLength: 1000 })) lines.push(line);
      };
      await rejection(loop(), OutputLimitError);
      assert.deepEqual(lines, ['short']);
    },
  },
  {
    id: 'backpressure',
    title: 'a loop that takes its time holds the program up, and misses nothing',
    why: 'A reader of a log that is slower than its writer must not fill the memory.',
    async run(t) {
      let seen = 0;
      for await (const line of t.helper('count:1:30000').runLines()) {
        seen++;
        assert.equal(line, String(seen));
        if (seen % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      assert.equal(seen, 30_000);
    },
  },
  {
    id: 'stopped',
    title: 'a loop that does not read on stops the program, and reading on lets it go on',
    why: 'Otherwise an endless program fills the memory of whoever looks at its first line.',
    needs: ['linux', 'any-program'],
    requires: ['local-pid'],
    async run(t) {
      const running = await new t.Command('/usr/bin/yes', ['a line of an endless program'])
        .setOutputFd('pipe')
        .runAsync();
      const written = (): string => /^wchar: (\d+)/m.exec(readFileSync(`/proc/${running.pid}/io`, 'latin1'))?.[1] ?? '';
      const lines = running.lines();
      assert.deepEqual(await lines.next(), { value: 'a line of an endless program', done: false });
      const memory = process.memoryUsage.rss();
      // It writes no more when it has written as much twice, and is asleep because of its pipe.
      let before = '';
      await t.until('the program waits for its reader', async () => {
        const now = written();
        const same = now === before;
        before = now;
        await new Promise((resolve) => setTimeout(resolve, 20));
        return same && now !== '';
      });
      assert.ok(Number(before) < 8 << 20, `${before} bytes were written for one line`);
      assert.ok(process.memoryUsage.rss() - memory < 64 << 20);
      const most = Number(before) / 'a line of an endless program\n'.length;
      for (let count = 0; count <= most; count++) await lines.next();
      assert.notEqual(written(), before);
      await lines.return?.();
    },
  },
  {
    id: 'started',
    title: 'lines of a program that was started come as they are written',
    why: 'Each is an answer to what was asked.',
    async run(t) {
      const running = await t.helper('cat').setInputFd('pipe').setOutputFd('pipe').runAsync();
      const lines = running.lines();
      for (const word of ['one', 'two']) {
        running.stdin.write(`${word}\n`);
        assert.deepEqual(await lines.next(), { value: word, done: false });
      }
      running.stdin.end('rest');
      assert.deepEqual(await all(lines), ['rest']);
    },
  },
  {
    id: 'aborted',
    title: 'an abort ends the loop with its error',
    why: 'The caller must see that lines are missing.',
    async run(t) {
      const controller = new AbortController();
      const loop = async (): Promise<void> => {
        for await (const line of t.helper('out:ready\\n', 'forever').runLines({ signal: controller.signal })) {
          assert.equal(line, 'ready');
          controller.abort();
        }
      };
      await rejection(loop(), CommandAbortedError);
    },
  },
]);

export const rowCases = group('rows', {}, [
  {
    id: 'regex',
    title: 'rows are the groups of all patterns, for the lines that all of them match',
    why: 'virCommandRunRegex: tables of other programs.',
    async run(t) {
      const command = t.helper('out:# a=1 b=x\\n# a=2\\n# b=y\\n# b=z a=3\\n');
      const rows = await all(command.runRegex([/a=(\d)/g, /b=(.)(q)?/], { prefix: '# ' }));
      assert.deepEqual(rows, [
        ['1', 'x', ''],
        ['3', 'z', ''],
      ]);
    },
  },
  {
    id: 'regex-prefix',
    title: 'the prefix is taken off before the patterns look',
    why: 'Anchors mean the line behind it.',
    async run(t) {
      const command = t.helper('out:> one\\ntwo\\n> three');
      assert.deepEqual(await all(command.runRegex([/^(\w+)$/], { prefix: '> ' })), [['one'], ['two'], ['three']]);
    },
  },
  {
    id: 'result',
    title: 'behind the rows stands how the program ended, and what it wrote elsewhere',
    why: 'virISCSIGetSession: the exit code 21 and the text "No active sessions" are no error, with or without rows.',
    async run(t) {
      const command = t.helper('out:row\\n', 'err:No active sessions', 'exit:21').setErrorBuffer();
      const rows = command.runRegex([/(.*)/], { check: false });
      assert.deepEqual(await all(rows), [['row']]);
      const { exitCode, stdout, stderr } = await rows.result;
      assert.deepEqual({ exitCode, stdout, stderr }, { exitCode: 21, stdout: undefined, stderr: 'No active sessions' });
    },
  },
  {
    id: 'regex-misuse',
    title: 'no pattern, or something else than one, is a usage error, and nothing is started',
    why: 'virCommandRunRegex: a bad pattern runs nothing.',
    async run(t) {
      await rejection(t.helper('out:x').runRegex([]).next(), CommandUsageError);
      await rejection(
        t
          .helper('out:x')
          .runRegex(['x'] as unknown as RegExp[])
          .next(),
        CommandUsageError,
      );
      assert.equal(t.starts, 0);
    },
  },
  {
    id: 'nul',
    title: 'rows are so many NUL-terminated fields; the last row may be shorter',
    why: 'virCommandRunNul: names with newlines in them.',
    async run(t) {
      const command = t.helper('args', 'a', 'b\nc', '', 'd', 'e');
      assert.deepEqual(await all(command.runNul(2)), [['a', 'b\nc'], ['', 'd'], ['e']]);
    },
  },
  {
    id: 'nul-empty',
    title: 'no output is no row',
    why: 'Nothing found is nothing.',
    async run(t) {
      assert.deepEqual(await all(t.helper('exit:0').runNul(3)), []);
    },
  },
  {
    id: 'nul-left',
    title: 'leaving the loop ends the program',
    why: 'As for lines.',
    async run(t) {
      for await (const row of t.helper('out:a\\0000b\\0000', 'forever').runNul(2)) {
        assert.deepEqual(row, ['a', 'b']);
        break;
      }
    },
  },
]);
