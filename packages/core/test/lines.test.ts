import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  CommandAbortedError,
  CommandExitError,
  CommandStartError,
  CommandTimeoutError,
  CommandUsageError,
  OutputLimitError,
  type Command,
} from '@vircommand/core';
import { startError } from '@vircommand/core/backend';
import type * as Lines from '../src/lines';
import { rejection } from './caught';
import { fake, type FakeProgram } from './fake-backend';
import { internal } from './subject';
import { turns } from './virtual-clock';

const { LineReader } = internal('lines') as typeof Lines;

async function all<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of iterable) items.push(item);
  return items;
}

type Settings = ConstructorParameters<typeof LineReader>[1];
const settings = (more: Partial<Settings> = {}): Settings => ({ encoding: 'utf8', maxLength: Infinity, ...more });

/** What a reader makes of chunks, and the limit that it says is exceeded. */
async function read(chunks: readonly Uint8Array[], more: Partial<Settings> = {}, separator = '\n') {
  const stream = new PassThrough();
  let exceeded: number | undefined;
  const reader = new LineReader(
    stream,
    settings(more),
    { tooLong: (limit) => (exceeded = limit), resumed: () => undefined },
    separator,
  );
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  const records: string[] = [];
  do {
    for (let record = reader.shift(); record !== undefined; record = reader.shift()) records.push(record);
  } while (await reader.more());
  return { records, exceeded };
}

/** Cut at any bytes. */
const chunked = (text: fc.Arbitrary<string>, encoding: BufferEncoding = 'utf8') =>
  fc.tuple(text, fc.array(fc.nat(8), { minLength: 1, maxLength: 20 })).map(([value, sizes]) => {
    const bytes = Buffer.from(value, encoding);
    const chunks: Buffer[] = [];
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const size = 1 + (sizes[turn % sizes.length] ?? 0);
      chunks.push(bytes.subarray(at, at + size));
      at += size;
    }
    return { value, chunks };
  });
const lineText = fc
  .array(fc.constantFrom('a', 'é', '漢', '😀', '\n', '\r', '\r\n', '', ' '), { maxLength: 40 })
  .map((parts) => parts.join(''));

/** The obvious way. */
function naive(text: string): string[] {
  const lines = text.split('\n');
  const unfinished = lines.pop() ?? '';
  return [...lines.map((line) => line.replace(/\r$/, '')), ...(unfinished === '' ? [] : [unfinished])];
}

describe('lines', () => {
  it('end with what is left of a character', async () => {
    expect((await read([Buffer.from('a\nb'), Buffer.from([0xc3])])).records).to.deep.equal(['a', 'b\ufffd']);
  });

  it('of two bytes a character are measured in bytes, whatever bytes those are', async () => {
    const bytes = Buffer.from('aa\n\u010ab\u0a0a\n', 'utf16le');
    const whole = { records: ['aa', '\u010ab\u0a0a'], exceeded: undefined };
    expect(await read([bytes], { encoding: 'utf16le', maxLength: 6 })).to.deep.equal(whole);
    expect(await read([bytes], { encoding: 'utf16le', maxLength: 5 })).to.deep.equal({ records: ['aa'], exceeded: 5 });
  });

  it('that are few and long make the stream wait as well, until they are read', async () => {
    const stream = new PassThrough();
    const reader = new LineReader(stream, settings(), { tooLong: () => undefined, resumed: () => undefined });
    for (const [chunk, blocked] of [
      ['x'.repeat((1 << 19) - 1) + '\n', false],
      ['x'.repeat((1 << 19) - 1) + '\n', true],
    ] as const) {
      stream.write(chunk);
      await turns();
      expect(reader.blocked).to.equal(blocked);
    }
    while (reader.shift() !== undefined);
    expect(reader.blocked).to.equal(false);
    stream.write('short\n');
    await turns();
    expect([reader.blocked, reader.shift()]).to.deep.equal([false, 'short']);
  });

  for (const encoding of ['utf8', 'utf16le'] as const) {
    it(`are those of the whole text, wherever its chunks begin (${encoding})`, () =>
      fc.assert(
        fc.asyncProperty(chunked(lineText, encoding), async ({ value, chunks }) => {
          expect((await read(chunks, { encoding })).records).to.deep.equal(naive(value));
        }),
        { numRuns: 500 },
      ));
  }

  it('of more bytes than maxLength are an error, exactly', () =>
    fc.assert(
      fc.asyncProperty(chunked(lineText), fc.integer({ min: 1, max: 12 }), async ({ value, chunks }, maxLength) => {
        const tooLong = naive(value).some((line) => Buffer.byteLength(line) > maxLength);
        const { records, exceeded } = await read(chunks, { maxLength });
        expect(exceeded).to.equal(tooLong ? maxLength : undefined);
        expect(naive(value).slice(0, records.length)).to.deep.equal(records);
      }),
      { numRuns: 500 },
    ));

  it('of what is malformed are as long as it was written', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes))),
        fc.integer({ min: 1, max: 12 }),
        async (parts, maxLength) => {
          const bytes = Buffer.concat(parts);
          // The carriage return is none of the line.
          const lines = bytes.toString('latin1').replaceAll('\r', 'r').split('\n');
          const { exceeded } = await read(
            parts.map((part) => Buffer.from(part.toString('latin1').replaceAll('\r', 'r'), 'latin1')),
            { maxLength },
          );
          expect(exceeded).to.equal(lines.some((line) => line.length > maxLength) ? maxLength : undefined);
        },
      ),
      { numRuns: 500 },
    ));

  it('near the limit are measured in one pass over a chunk', () => {
    const prototype = Buffer.prototype as Buffer;
    const real: unknown = Reflect.get(prototype, 'indexOf');
    let looks = 0;
    Reflect.set(prototype, 'indexOf', function (this: Buffer, ...given: unknown[]): unknown {
      looks++;
      return Reflect.apply(real as () => unknown, this, given) as unknown;
    });
    const stream = new Readable({ read: () => undefined });
    const events = { tooLong: () => expect.fail('none is too long'), resumed: () => undefined };
    const reader = new LineReader(stream, settings({ maxLength: 10 }), events);
    try {
      stream.emit('data', Buffer.from('0123456789\n'.repeat(1000)));
    } finally {
      Reflect.set(prototype, 'indexOf', real);
    }
    expect(reader.shift()).to.equal('0123456789');
    expect(looks).to.be.within(1, 2 * 1000);
  });

  it('a carriage return before the newline belongs to its end; alone, and before NUL, it is text', async () => {
    expect((await read([Buffer.from('a\r\nb\rc\n\r\nd\r')])).records).to.deep.equal(['a', 'b\rc', '', 'd\r']);
    expect((await read([Buffer.from('a\r\0b\r')], {}, '\0')).records).to.deep.equal(['a\r', 'b\r']);
  });

  it('a line without end costs no more than its length', async () => {
    const chunk = Buffer.alloc(1 << 16, 'x');
    const { records } = await read(Array.from({ length: 400 }, () => chunk));
    expect(records.map(({ length }) => length)).to.deep.equal([400 << 16]);
  });

  it('stop the stream when nobody reads them, few long ones as well as many short ones', async () => {
    for (const line of ['x\n', 'x'.repeat(1 << 18) + '\n']) {
      const stream = new PassThrough({ highWaterMark: 1 << 20 });
      const reader = new LineReader(stream, settings(), { tooLong: () => undefined, resumed: () => undefined });
      let written = 0;
      while (!reader.blocked && written < 5000) {
        stream.write(line);
        written++;
        await new Promise(setImmediate);
      }
      expect(written).to.be.lessThan(2000);
      expect(stream.isPaused()).to.equal(true);
      for (let left = written; left > 0; left--) expect(reader.shift()).to.have.length(line.length - 1);
      expect([reader.blocked, stream.isPaused()]).to.deep.equal([false, false]);
    }
  });
});

describe('runLines()', () => {
  it('starts with the first next(), and ends as the program does', async () => {
    const made = fake((p) => p.write('stdout', 'a\nb').exit());
    const lines = new made.Command('x').runLines();
    await turns();
    expect(made.programs).to.have.length(0);
    expect(await all(lines)).to.deep.equal(['a', 'b']);
    expect(made.clock.pending).to.equal(0);
  });

  it('gives every line before it rejects for a bad end', async () => {
    const { Command } = fake((p) => p.write('stdout', 'a\nb\n').write('stderr', 'why').exit(2));
    const seen: string[] = [];
    const reading = (async () => {
      for await (const line of new Command('x').runLines()) seen.push(line);
    })();
    expect(await rejection(reading, CommandExitError)).to.include({ exitCode: 2, stderrTail: 'why' });
    expect(seen).to.deep.equal(['a', 'b']);
  });

  it('leaving the loop ends the program, without an error', async () => {
    const made = fake((p) => p.write('stdout', 'a\nb\nc\n'));
    for await (const line of new made.Command('x').runLines()) if (line === 'b') break;
    expect(made.program.signals[0]).to.equal('SIGTERM tree');
    expect([made.program.over, made.clock.pending]).to.deep.equal([true, 0]);
  });

  it('an error thrown in the loop ends it too, and stays the error', async () => {
    const made = fake((p) => p.write('stdout', 'a\n'));
    const failing = (async () => {
      for await (const line of new made.Command('x').runLines()) throw new RangeError(line);
    })();
    await rejection(failing, RangeError);
    expect(made.program.over).to.equal(true);
  });

  it('a line that is too long ends it with OutputLimitError', async () => {
    const made = fake((p) => p.write('stdout', 'ab\nabcdef\n'));
    const error = await rejection(all(new made.Command('x').runLines({ maxLength: 5 })), OutputLimitError);
    expect(error).to.include({ stream: 'stdout', limit: 5 });
  });

  it('reads stderr where it is told to', async () => {
    const { Command } = fake((p) => p.write('stderr', 'e\n').exit());
    expect(await all(new Command('x').runLines({ from: 'stderr' }))).to.deep.equal(['e']);
  });

  it('an abort after the end of the program is an error where not all was read, and no piece is a line', async () => {
    const controller = new AbortController();
    const text = 'some line\n'.repeat(40_000);
    const made = fake((p) => p.write('stdout', text.slice(0, 200_005)).write('stdout', text.slice(200_005)).exit());
    const lines = new made.Command('x').runLines({ signal: controller.signal });
    const seen = [(await lines.next()).value];
    await turns();
    controller.abort();
    const reading = (async () => {
      for await (const line of lines) seen.push(line);
    })();
    expect((await rejection(reading, CommandAbortedError)).result).to.include({ exitCode: 0, ended: 'none' });
    expect(seen.length).to.be.lessThan(40_000);
    expect(new Set(seen)).to.deep.equal(new Set(['some line']));
    expect(made.clock.pending).to.equal(0);
  });

  it('a slow reader is waited for: the end of the program does not cut what it wrote', async () => {
    const made = fake((p) => p.write('stdout', 'x\n'.repeat(40_000)).exit());
    const lines = new made.Command('x').runLines({ drainDelay: 100 });
    await lines.next();
    await made.clock.advance(10_000);
    // Nor does a timer hold this process if he never reads on.
    expect(made.clock.pending).to.equal(0);
    expect(await all(lines)).to.have.length(39_999);
    expect(made.clock.pending).to.equal(0);
  });

  it('says how it ended behind the loop, to who accepts any end', async () => {
    const { Command } = fake((p) => p.write('stdout', 'a\n').write('stderr', 'why').exit(3));
    const lines = new Command('x').setErrorBuffer().runLines({ check: false });
    expect(await all(lines)).to.deep.equal(['a']);
    const result = await lines.result;
    expect(result).to.include({ exitCode: 3, stdout: undefined, stderr: 'why', command: 'x' });
    // As often as it is asked for.
    expect(await lines.next()).to.deep.equal({ value: result, done: true });
    await lines.return?.();
    expect(await lines.next()).to.deep.equal({ value: result, done: true });
    expect(await lines.result).to.equal(result);
  });

  it('says the error behind the loop too, which nobody has to hear', async () => {
    const { Command } = fake((p) => p.write('stdout', 'a\n').exit(3));
    const lines = new Command('x').runLines();
    const error = await rejection(all(lines), CommandExitError);
    await turns();
    expect(await rejection(lines.result, CommandExitError)).to.equal(error);
    const misused = new Command('x').setOutputBuffer().runLines();
    await rejection(misused.next(), CommandUsageError);
    await rejection(misused.result, CommandUsageError);
  });

  it('a loop that was left has aborted the program', async () => {
    const { Command } = fake((p) => p.write('stdout', 'a\nb\n'));
    const lines = new Command('x').runLines();
    for await (const line of lines) if (line === 'a') break;
    expect(await lines.next()).to.deep.equal({ value: undefined, done: true });
    await rejection(lines.result, CommandAbortedError);
  });

  const ends: Record<string, [end: (program: FakeProgram) => unknown, exitCode: number | undefined]> = {
    'has ended well': [(p) => p.exit(), 0],
    'has failed': [(p) => p.exit(2), 2],
    'has left its pipes to somebody else': [(p) => p.exit(2, 'pipes held'), 2],
    runs: [() => undefined, undefined],
  };
  for (const [what, [end, exitCode]] of Object.entries(ends)) {
    it(`a loop that was left is an abort, also where the program ${what}`, async () => {
      const made = fake((p) => p.write('stdout', 'a\nb\n'));
      const lines = new made.Command('x').runLines();
      const { result } = lines;
      for await (const line of lines) {
        expect(line).to.equal('a');
        end(made.program);
        await turns();
        break;
      }
      expect((await rejection(result, CommandAbortedError)).result).to.include({ aborted: true, exitCode });
      expect(made.clock.pending).to.equal(0);
    });
  }

  it('what had ended the program before the loop was left stays the error', async () => {
    const made = fake((p) => p.write('stdout', 'a\nb\n'));
    const lines = new made.Command('x').runLines({ timeout: 100 });
    expect((await lines.next()).value).to.equal('a');
    await made.clock.advance(100);
    await lines.return?.();
    await rejection(lines.result, CommandTimeoutError);
    let fail = (): void => undefined;
    const failing = fake(undefined, {
      start: () => new Promise((_, reject) => (fail = () => reject(startError('exec', 'no')))),
    });
    const unstarted = new failing.Command('x').runLines();
    const next = rejection(unstarted.next(), CommandStartError);
    await turns();
    const leaving = unstarted.return?.();
    fail();
    await leaving;
    expect(await rejection(unstarted.result, CommandStartError)).to.equal(await next);
  });

  const leaves: Record<string, (lines: AsyncIterableIterator<unknown>) => unknown> = {
    'return()': (lines) => lines.return?.(),
    'throw()': (lines) => lines.throw?.(new Error('enough')).catch(() => undefined),
    'the end of a stream of them': (lines) => once(Readable.from(lines).destroy(), 'close'),
  };
  for (const [how, leave] of Object.entries(leaves)) {
    it(`${how} before the first next() is an abort too, which nobody has to hear, and starts nothing`, async () => {
      const made = fake();
      const command = new made.Command('x', ['y']);
      for (const iteration of [command.runLines(), command.runNul(1), command.runRegex([/a/])]) {
        await leave(iteration);
        await turns();
        const error = await rejection(iteration.result, CommandAbortedError);
        expect(error).to.include({ command: 'x y', backend: 'fake' });
        expect(error.stack).to.match(/\n {4}at [^\n]*lines\.test\.ts/);
        expect(error.result).to.include({ pid: undefined, aborted: true });
      }
      const misused = command.setOutputBuffer().runLines();
      await leave(misused);
      await rejection(misused.result, CommandUsageError);
      expect(made.programs).to.have.length(0);
    });
  }

  const wrong: Record<string, (command: Command) => AsyncIterableIterator<unknown>> = {
    'stdout that is set': (c) => c.setOutputBuffer().runLines(),
    'a pipe that nobody can write': (c) => c.setInputFd('pipe').runLines(),
    'a pipe that nobody can read': (c) => c.setErrorFd('pipe').runLines(),
    'a prefix, which is for runRegex()': (c) => c.runLines({ prefix: 'x' } as never),
    'bytes, which lines are not': (c) => c.runLines({ encoding: 'buffer' } as never),
    'a daemon': (c) => c.daemonize().runLines(),
    'a handshake': (c) => c.requireHandshake().runLines(),
    'no pattern': (c) => c.runRegex([]),
    'a pattern that is none': (c) => c.runRegex(['x' as never]),
    'no columns': (c) => c.runNul(0),
    'half a column': (c) => c.runNul(1.5),
  };
  for (const [what, iterate] of Object.entries(wrong)) {
    it(`${what}: a usage error with the first next()`, async () => {
      const made = fake();
      const command = new made.Command('x');
      await rejection(iterate(command).next(), CommandUsageError);
      expect(made.programs).to.have.length(0);
      // What was wrong with the iteration is not wrong with the command.
      if (/column|pattern|prefix|bytes/.test(what)) expect((await command.run()).exitCode).to.equal(0);
    });
  }

  it('the error of a bad end says what was read last, where that is stderr', async () => {
    const { Command } = fake((p) => p.write('stdout', 'out\n').write('stderr', 'err\n').exit(3));
    const command = new Command('x');
    const merged = command.clone().setErrorFd('stdout');
    const piped = await command.clone().setOutputFd('pipe').setErrorFd('pipe').runAsync();
    const both = await merged.clone().setOutputFd('pipe').runAsync();
    const tails: readonly (readonly [AsyncIterable<string>, string])[] = [
      [command.clone().runLines({ from: 'stderr' }), 'err\n'],
      [merged.runLines(), 'out\n'],
      [piped.lines({ from: 'stderr' }), 'err\n'],
      [both.lines(), 'out\n'],
      // Of stdout alone nothing is known to be the reason.
      [(await command.setOutputFd('pipe').runAsync()).lines(), ''],
    ];
    const others = all(piped.lines()).catch(() => undefined);
    for (const [lines, stderrTail] of tails) {
      const error = await rejection(all(lines), CommandExitError);
      expect(error.stderrTail).to.equal(stderrTail);
      expect(error.message.endsWith(stderrTail.trim())).to.equal(true);
      expect(error.result).to.include({ stdout: undefined, stderr: undefined });
    }
    await others;
  });

  it('options are read at the call', async () => {
    const { Command } = fake((p) => p.write('stderr', 'e\n').write('stdout', 'o\n').exit());
    const options: { from: 'stdout' | 'stderr' } = { from: 'stderr' };
    const lines = new Command('x').runLines(options);
    options.from = 'stdout';
    expect(await all(lines)).to.deep.equal(['e']);
  });
});

describe('runRegex()', () => {
  const output = fake((p) => p.write('stdout', 'pre: a 1\nb 2\npre: c\nd 4 x\n').exit());

  it('gives a row for each line that all patterns match, less the prefix', async () => {
    const rows = new output.Command('x').runRegex([/^(\w) (\d)/g, /( x)?$/], { prefix: 'pre: ' });
    expect(await all(rows)).to.deep.equal([
      ['a', '1', ''],
      ['b', '2', ''],
      ['d', '4', ' x'],
    ]);
  });

  it('can be left while a row is awaited', async () => {
    const made = fake((p) => p.write('stdout', 'no row\n'));
    const rows = new made.Command('x').runRegex([/row (\d)/]);
    const next = rows.next();
    await turns();
    await rows.return?.();
    expect([await next, await rows.next()]).to.deep.equal([
      { value: undefined, done: true },
      { value: undefined, done: true },
    ]);
    expect(made.program.signals).to.include('SIGTERM tree');
  });

  it('gives rows in the order in which they are asked for, and the error of the end once', async () => {
    const made = fake((p) => p.write('stdout', '1\n2\n').exit(3));
    const rows = new made.Command('x').runRegex([/(\d)/]);
    const settled = await Promise.allSettled([rows.next(), rows.next(), rows.next(), rows.next()]);
    const said = settled.map((one) =>
      one.status === 'rejected' ? String(one.reason) : one.value.done === true ? [] : one.value.value,
    );
    expect(said.slice(0, 2)).to.deep.equal([['1'], ['2']]);
    expect(said[2]).to.match(/^CommandExitError/);
    expect(said[3]).to.deep.equal([]);
  });

  it('a pattern with the flag g begins at the start of each line, and keeps its lastIndex', async () => {
    const sticky = /(\d)/g;
    sticky.lastIndex = 3;
    expect(await all(new output.Command('x').runRegex([sticky]))).to.deep.equal([['1'], ['2'], ['4']]);
    expect(sticky.lastIndex).to.equal(3);
  });
});

describe('runNul()', () => {
  const rowsOf = (text: string, columns: number) =>
    all(new (fake((p) => p.write('stdout', text).exit()).Command)('x').runNul(columns));

  it('gives rows of so many fields; the last one may be shorter; nothing is no row', async () => {
    expect(await rowsOf('a\0b\0c\0', 2)).to.deep.equal([['a', 'b'], ['c']]);
    expect(await rowsOf('a\0\0b\nb\0d', 2)).to.deep.equal([
      ['a', ''],
      ['b\nb', 'd'],
    ]);
    expect(await rowsOf('', 3)).to.deep.equal([]);
  });

  it('says how it ended behind the last row, which may be shorter', async () => {
    const { Command } = fake((p) => p.write('stdout', 'a\0b\0c\0').exit(1));
    const rows = new Command('x').runNul(2, { check: false });
    expect([(await rows.next()).value, (await rows.next()).value]).to.deep.equal([['a', 'b'], ['c']]);
    const result = await rows.result;
    expect(result.exitCode).to.equal(1);
    expect(await rows.next()).to.deep.equal({ value: result, done: true });
    expect(await rows.next()).to.deep.equal({ value: result, done: true });
  });
});

describe('lines() of a program that runs', () => {
  it('come from stdout and from stderr, and each is read once', async () => {
    const made = fake();
    const running = await new made.Command('x').setOutputFd('pipe').setErrorFd('pipe').runAsync();
    const [out, err] = [running.lines(), running.lines({ from: 'stderr' })];
    expect(() => running.lines()).to.throw(CommandUsageError, 'read by lines already');
    made.program.write('stdout', 'o\n').write('stderr', 'e\n');
    expect([await all(out), await all(err)]).to.deep.equal([['o'], ['e']]);
  });

  it('of both streams end, also when somebody else holds the pipes', async () => {
    const made = fake((p) => p.write('stdout', 'o').write('stderr', 'e').exit(0, 'pipes held'));
    const running = await new made.Command('x').setOutputFd('pipe').setErrorFd('pipe').runAsync();
    const both = Promise.all([all(running.lines()), all(running.lines({ from: 'stderr' }))]);
    await made.clock.advance(2000);
    expect(await both).to.deep.equal([['o'], ['e']]);
  });

  it('of a program that works on for long are read on, also if their reader has paused before', async () => {
    const made = fake((p) => p.write('stdout', 'a\n'.repeat(2000)));
    const lines = new made.Command('x').runLines();
    const read: unknown[] = [];
    for (let count = 0; count < 2000; count++) read.push((await lines.next()).value);
    await made.clock.advance(60_000);
    made.program.write('stdout', 'last\n').exit();
    expect(await lines.next()).to.deep.equal({ value: 'last', done: false });
    expect([(await lines.next()).done, (await lines.result).outputComplete]).to.deep.equal([true, true]);
  });

  it('are given to calls of next() in their order, also to one of the moment in which they come', async () => {
    const made = fake(() => undefined);
    const running = await new made.Command('x').setOutputFd('pipe').runAsync();
    const lines = running.lines();
    const answers = [lines.next()];
    await turns();
    running.stdout.once('data', () => answers.push(lines.next()));
    made.program.write('stdout', 'a\nb\n').exit();
    await turns();
    expect((await Promise.all(answers)).map(({ value }) => value as string)).to.deep.equal(['a', 'b']);
  });

  it('that nobody reads any more do not keep a program that ends when it has written all', async () => {
    const made = fake((p) => {
      p.traps.add('SIGTERM');
      // As a pipe: more is written when there is room.
      let left = 300;
      const more = (): void => {
        while (left-- > 0)
          if (p.stdout?.write('a\n'.repeat(10_000)) === false) return void p.stdout.once('drain', more);
        p.exit();
      };
      more();
    });
    const lines = new made.Command('x').runLines();
    expect((await lines.next()).value).to.equal('a');
    await turns();
    void lines.return?.();
    await turns(700);
    expect((await rejection(lines.result, CommandAbortedError)).result).to.include({ exitCode: 0 });
    expect(made.program.signals).to.not.include('SIGKILL tree');
  });

  it('of which the first is too long wake a reader who waits for it', async () => {
    const made = fake(() => undefined);
    const lines = new made.Command('x').runLines({ maxLength: 5 });
    const next = rejection(lines.next(), OutputLimitError);
    await turns();
    made.program.write('stdout', 'too long\n');
    expect(await next).to.include({ stream: 'stdout', limit: 5 });
  });

  it('that were asked for after its end are still there', async () => {
    const made = fake((p) => p.write('stdout', 'a\nb\n').exit());
    const running = await new made.Command('x').setOutputFd('pipe').runAsync();
    await running.wait();
    expect(await all(running.lines())).to.deep.equal(['a', 'b']);
  });

  for (const [how, stop] of [
    ['pause()', (stdout: Readable) => stdout.pause()],
    ['unpipe()', (stdout: Readable) => (stdout.pipe(new PassThrough()), stdout.unpipe())],
  ] as const) {
    it(`are all there after ${how}, as of who has read a header`, async () => {
      const made = fake();
      const running = await new made.Command('x').setOutputFd('pipe').runAsync();
      const header = once(running.stdout, 'data');
      made.program.write('stdout', 'header\n');
      await header;
      stop(running.stdout);
      made.program.write('stdout', 'a\nb\n').exit();
      expect(await all(running.lines())).to.deep.equal(['a', 'b']);
      expect((await running.wait()).outputComplete).to.equal(true);
    });
  }

  it('are refused where a listener takes all data', async () => {
    const made = fake();
    const running = await new made.Command('x').setOutputFd('pipe').runAsync();
    const listener = (): void => undefined;
    running.stdout.on('readable', listener);
    expect(() => running.lines()).to.throw(CommandUsageError, "a listener of 'readable'");
    running.stdout.off('readable', listener);
    made.program.write('stdout', 'a\n').exit();
    await turns();
    expect(await all(running.lines())).to.deep.equal(['a']);
  });

  it('hold no process after its end, if nobody reads on', async () => {
    const made = fake((p) => p.write('stdout', 'x\n'.repeat(40_000)).exit(0, 'pipes held'));
    const running = await new made.Command('x').setOutputFd('pipe').runAsync({ drainDelay: 100 });
    await running.wait();
    const lines = running.lines();
    await lines.next();
    await turns();
    await made.clock.advance(1000);
    expect([running.stdout.destroyed, made.clock.pending]).to.deep.equal([false, 0]);
    const rest = all(lines);
    await turns(50);
    await made.clock.advance(100);
    expect(await rest).to.have.length(39_999);
    expect([running.stdout.destroyed, made.clock.pending]).to.deep.equal([true, 0]);
  });

  it('end with an error when the program is aborted', async () => {
    const made = fake((p) => p.write('stdout', 'a\n'));
    const running = await new made.Command('x').setOutputFd('pipe').runAsync();
    const lines = running.lines();
    expect((await lines.next()).value).to.equal('a');
    const next = lines.next();
    await running.abort();
    await rejection(next, CommandAbortedError);
  });

  for (const [what, leave] of [
    ['return()', (lines) => lines.return?.()],
    ['throw()', (lines) => lines.throw?.(new Error('enough')).catch(() => undefined)],
    ['cancel() of a stream of them', (lines) => ReadableStream.from(lines).cancel()],
  ] satisfies [string, (lines: AsyncIterableIterator<string>) => unknown][]) {
    it(`${what} before the first is read ends the program, and starts none with runLines()`, async () => {
      const made = fake(() => undefined);
      await leave(new made.Command('x').runLines());
      expect(made.programs).to.have.length(0);
      const running = await new made.Command('x').setOutputFd('pipe').runAsync();
      await leave(running.lines());
      await rejection(running.wait(), CommandAbortedError);
      expect([made.program.signals[0], made.clock.pending]).to.deep.equal(['SIGTERM tree', 0]);
    });
  }

  it('wrong options and streams are usage errors', async () => {
    const made = fake();
    const running = await new made.Command('x').setOutputFd('pipe').runAsync();
    expect(() => running.lines({ from: 'stderr' })).to.throw(CommandUsageError, "setErrorFd('pipe')");
    expect(() => running.lines({ form: 'stderr' } as never)).to.throw(CommandUsageError, "did you mean 'from'");
    for (const maxLength of [0, 3.5, -1]) {
      const message = "lines(): option 'maxLength' must be a whole number of bytes above 0";
      expect(() => running.lines({ maxLength })).to.throw(CommandUsageError, message);
    }
    expect(() => running.lines({ signal: AbortSignal.abort() } as never)).to.throw(
      CommandUsageError,
      "option 'signal' is not for lines(); it is one of run(), runAsync()",
    );
    await running.abort();
  });
});
