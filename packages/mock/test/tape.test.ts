import { expect } from 'chai';
import Ajv from 'ajv';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import type { CommandConstructor } from '@vircommand/core';
import { lineOfEntry, parseTape, tapeText, type TapeEntry } from '../src/tape';
import { Arrangement, fromTapeData, toTapeData, type TapeEvent, type Timed } from '../src/tape-event';
import { Redactor } from '../src/redact';
import { createMock } from '@vircommand/mock';
import { Scratch } from './scratch';

const schema = JSON.parse(readFileSync(path.join(__dirname, '..', 'schema.json'), 'utf8')) as object;
const isValid = new Ajv({ allErrors: true }).compile(schema);

const tapeOf = (...calls: unknown[]): string =>
  tapeText({ backend: { name: 'x', features: [] }, calls: calls as TapeEntry[] });

/** Whether our own check takes it. */
const isParsed = (text: string): boolean => {
  try {
    parseTape(text, 'file');
    return true;
  } catch {
    return false;
  }
};

describe('the file format', () => {
  it('what is recorded follows the published schema', async () => {
    const scratch = new Scratch();
    try {
      await scratch.record(async (Command: CommandConstructor) => {
        await new Command('sh', ['-c', 'echo a; printf "\\377"; echo b >&2; exit 2'], {
          env: { A: 'b' },
          cwd: '/',
          stdin: { input: 'x' },
          stdout: 'bytes',
          stderr: 'text',
        }).run({ check: false });
        await new Command('sleep', ['60']).run({ timeout: 50 }).catch(() => undefined);
        await new Command('/no/such').run().catch(() => undefined);
        new Command('cat', [], { stdin: { input: 'x' }, stdout: 'text' }).runSync();
      });
      expect(isValid(JSON.parse(scratch.text)), JSON.stringify(isValid.errors)).to.equal(true);
    } finally {
      scratch.remove();
    }
  });

  it('the schema and the check of the code agree', () => {
    const call = { program: 'p' };
    const exit = { exit: 0 };
    const failure = { stage: 'exec', code: 'E' };
    const entries: readonly (readonly [boolean, unknown])[] = [
      [true, { call, events: [exit] }],
      [true, { call, events: [{ lost: failure }] }],
      [true, { call, events: [{ startError: failure }] }],
      [true, { call, events: [{ exit: null }, { held: 'stdout' }] }],
      [true, { call, events: [{ stdout: { base64: ['AA=='] } }, { exit: 'SIGTERM', coreDumped: true }] }],
      [true, { call, events: [{ handshake: 'wait' }, { handshake: 'notify', failure }] }],
      [true, { call: { ...call, sync: {} }, outcome: {} }],
      [
        true,
        {
          call: { ...call, sync: { limit: { total: 5, truncate: true }, tail: 1 } },
          sent: { 0: ['a'] },
          outcome: { exit: 0 },
        },
      ],
      [
        true,
        { call: { program: { base64: '/w==' }, args: ['a', { base64: '/w==' }], env: { A: null } }, events: [exit] },
      ],
      [false, { call }],
      [false, { call, events: [exit], outcome: {} }],
      [false, { call: { ...call, sync: {} }, events: [exit] }],
      [false, { call, outcome: {} }],
      [false, { call: {}, events: [exit] }],
      [false, { call: { ...call, stdin: 'null' }, events: [exit] }],
      [false, { call: { ...call, other: 1 }, events: [exit] }],
      [false, { call: { ...call, daemon: false }, events: [exit] }],
      [false, { call, events: [{ stdout: 'text' }, exit] }],
      [false, { call, events: [{ exit: 0, stdout: ['x'] }] }],
      [false, { call, events: [{ end: 'stdin', reached: 'tree' }, exit] }],
      [false, { call, events: [{ signal: 'TERM' }, exit] }],
      [false, { call, events: [{}, exit] }],
      [false, { call, events: ['exit', exit] }],
      [false, { call, events: [exit], sent: { 0: 'x' } }],
      // A replay of these would never end, or be of something else than the file says.
      [false, { call, events: [] }],
      [false, { call, events: [{ stdout: ['x'] }, { signal: 'SIGTERM' }] }],
      [false, { call, events: [{ handshake: 'notify' }] }],
      [true, { call, events: [{ exit: 0xffff_ffff }] }],
      [false, { call, events: [{ exit: 0x1_0000_0000 }] }],
      [false, { call, events: [{ exit: -1 }] }],
      [false, { call, events: [{ exit: 1.5 }] }],
      [true, { call, events: [{ stdout: { base64: ['AAAA', 'AA=='] } }, exit] }],
      [false, { call, events: [{ stdout: { base64: ['%%%%'] } }, exit] }],
      [false, { call: { program: { base64: 'AA' } }, events: [exit] }],
      [false, null],
    ];
    for (const [good, entry] of entries) {
      const text = tapeOf(entry);
      expect(isParsed(text), `code: ${JSON.stringify(entry)}`).to.equal(good);
      expect(isValid(JSON.parse(text)), `schema: ${JSON.stringify(entry)}`).to.equal(good);
    }
  });

  it('is exported, for editors', () => {
    expect(require.resolve('@vircommand/mock/schema.json')).to.match(/schema\.json$/);
  });

  it('the line of an entry is found, however the file is formatted', () => {
    const entry = { call: { program: '"calls": [{', args: ['{', ']'] }, events: [{ stdout: ['[{"', ''] }] };
    const tape = JSON.parse(tapeOf(entry, entry, entry)) as { calls: unknown[] };
    for (const text of [tapeOf(entry, entry, entry), JSON.stringify(tape, undefined, 4), JSON.stringify(tape)]) {
      const lines = text.split('\n');
      for (const index of [0, 1, 2]) {
        const line = lines[lineOfEntry(text, index) - 1]!;
        expect(line.trimStart().startsWith('{')).to.equal(true);
      }
    }
    const text = tapeOf(entry, entry, entry);
    expect([0, 1, 2].map((index) => lineOfEntry(text, index))).to.deep.equal(
      Array.from(text.matchAll(/^ {4}\{$/gm), ({ index }) => text.slice(0, index).split('\n').length),
    );
  });

  it('data comes back as it was, text as text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(fromTapeData(JSON.parse(JSON.stringify(toTapeData(text))) as never)).to.equal(text);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const data = toTapeData(Buffer.from(bytes));
        expect(fromTapeData(data)).to.deep.equal(Buffer.from(bytes));
        if ('base64' in data) for (const line of data.base64) expect(line.length).to.be.at.most(76);
      }),
    );
  });
});

describe('the normal form of events', () => {
  const arrange = async (...events: readonly (readonly [number, object])[]): Promise<TapeEvent[]> => {
    const mock = createMock();
    mock.on('p').reply({});
    await new mock.Command('p').run();
    const redactor = new Redactor({ redact: [], placeholders: {}, env: [] }).forCall(mock.onlyCall().plan);
    return Arrangement.of(
      events.map(([at, event]) => ({ call: 0, at, ...event }) as Timed),
      redactor,
      false,
    );
  };
  const out = (text: string) => ({ type: 'stdout', data: Buffer.from(text) });
  const err = (text: string) => ({ type: 'stderr', data: Buffer.from(text) });
  const exit = { type: 'exit', status: { exitCode: 0, signal: undefined } };
  const end = (stream: string) => ({ type: 'end', stream });

  it('how the chunks came does not matter', async () => {
    const expected = [{ stdout: ['ab', ''] }, { stderr: ['e'] }, { exit: 0 }];
    expect(await arrange([0, out('a')], [1, err('e')], [2, out('b\n')], [3, exit])).to.deep.equal(expected);
    expect(await arrange([0, err('e')], [0, exit], [1, out('ab\n')], [1, end('stdout')])).to.deep.equal(expected);
  });

  it('what comes much later stays later: on the other stream, and after the exit', async () => {
    expect(await arrange([0, err('e')], [500, out('o')], [501, exit])).to.deep.equal([
      { stderr: ['e'] },
      { stdout: ['o'] },
      { exit: 0 },
    ]);
    expect(await arrange([0, out('a')], [1, exit], [500, out('b')])).to.deep.equal([
      { stdout: ['a'] },
      { exit: 0 },
      { stdout: ['b'] },
    ]);
  });

  it('what the caller does separates what was before from what was after', async () => {
    const stdin = { type: 'stdin', data: Buffer.from('q') };
    const signal = { type: 'signal', name: 'SIGTERM', reached: 'process' };
    expect(
      await arrange([0, out('a')], [1, stdin], [1, stdin], [2, out('b')], [3, signal], [4, out('c')], [5, exit]),
    ).to.deep.equal([
      { stdout: ['a'] },
      { stdin: ['qq'] },
      { stdout: ['b'] },
      { signal: 'SIGTERM' },
      { stdout: ['c'] },
      { exit: 0 },
    ]);
  });

  it('an end that comes with the exit is not said; one long before it is, and a pipe that is held', async () => {
    expect(await arrange([0, end('stdout')], [1, exit], [2, end('stderr')])).to.deep.equal([{ exit: 0 }]);
    expect(await arrange([0, end('stdout')], [900, exit])).to.deep.equal([{ end: 'stdout' }, { exit: 0 }]);
    expect(await arrange([0, exit], [1, { type: 'held', stream: 'stderr' }])).to.deep.equal([
      { exit: 0 },
      { held: 'stderr' },
    ]);
  });

  it('of ends that come at once stdout is first, others are in their order', async () => {
    const stdin = { type: 'stdin', data: Buffer.from('q') };
    const ends = [{ end: 'stdout' }, { end: 'stderr' }];
    const [after, said] = [{ exit: 0 }, { stdin: ['q'] }];
    expect(await arrange([0, end('stderr')], [1, end('stdout')], [900, exit])).to.deep.equal([...ends, after]);
    expect(await arrange([0, end('stderr')], [1, end('stdout')], [2, stdin], [3, exit])).to.deep.equal([
      ...ends,
      said,
      after,
    ]);
    const apart = [{ end: 'stderr' }, { end: 'stdout' }];
    expect(await arrange([0, end('stderr')], [500, end('stdout')], [900, exit])).to.deep.equal([...apart, after]);
    expect(await arrange([0, end('stderr')], [500, end('stdout')], [501, stdin], [502, exit])).to.deep.equal([
      ...apart,
      said,
      after,
    ]);
  });
});
