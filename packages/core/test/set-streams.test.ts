import { expect } from 'chai';
import { CommandIoError, CommandUsageError, type CommandOptions } from '@vircommand/core';
import type { PlanStream } from '@vircommand/core/backend';
import { rejection, thrown } from './caught';
import { fake } from './fake-backend';

type Streams = Pick<CommandOptions, 'stdin' | 'stdout' | 'stderr'>;

describe('standard streams', () => {
  const forms: [options: Streams, stdin: PlanStream, stdout: PlanStream, stderr: PlanStream][] = [
    [{}, { type: 'null' }, { type: 'null' }, { type: 'pipe' }],
    [{ stdin: 'null', stdout: 'null', stderr: 'null' }, { type: 'null' }, { type: 'null' }, { type: 'null' }],
    [{ stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' }, fd(0), fd(1), fd(2)],
    [{ stdin: 5, stdout: { fd: 6 }, stderr: 'stdout' }, fd(5), fd(6), { type: 'same-as-stdout' }],
    [{ stdin: { input: 'x' }, stdout: 'text', stderr: 'bytes' }, { type: 'pipe' }, { type: 'pipe' }, { type: 'pipe' }],
    [
      { stdin: { file: '/i' }, stdout: { file: '/o' }, stderr: { file: '/e', append: true } },
      file('/i', 'read'),
      file('/o', 'write'),
      file('/e', 'append'),
    ],
    // 2>&1 of what goes nowhere goes nowhere.
    [{ stderr: 'stdout' }, { type: 'null' }, { type: 'null' }, { type: 'null' }],
  ];
  for (const [options, stdin, stdout, stderr] of forms) {
    it(`${JSON.stringify(options)} in the plan`, () => {
      const made = fake();
      new made.Command('x', [], options).runSync();
      expect([made.plan.stdin, made.plan.stdout, made.plan.stderr]).to.deep.equal([stdin, stdout, stderr]);
    });
  }

  it('the setters say the same', () => {
    const made = fake();
    new made.Command('x').setInputFile('/i').setOutputFile('/o', { append: true }).setErrorFile('/e').runSync();
    expect([made.plan.stdin, made.plan.stdout, made.plan.stderr]).to.deep.equal([
      file('/i', 'read'),
      file('/o', 'append'),
      file('/e', 'write'),
    ]);
  });

  it('a program that is only started has no pipe that nobody reads', async () => {
    const made = fake();
    const running = await new made.Command('x').runAsync();
    expect(made.plan.stderr).to.deep.equal({ type: 'null' });
    await running.wait();
  });

  it('what is fed comes again in the next run; bytes are taken from where they are', async () => {
    const made = fake((p) => (p.stdin?.writableFinished === true ? p.exit() : p.stdin?.once('finish', () => p.exit())));
    const bytes = Buffer.from('once');
    const command = new made.Command('x').setInputBuffer(bytes);
    await command.run();
    expect(made.programs[0]?.stdin?.text).to.equal('once');
    bytes.write('then');
    await command.run();
    expect(made.programs[1]?.stdin?.text).to.equal('then');
  });

  it('what is to be fed is not sent in part, or as nothing, where its memory is gone', async () => {
    const made = fake();
    const given = (leave: (buffer: ArrayBuffer) => void, bytes = new Uint8Array(new ArrayBuffer(8, resizable), 4)) => ({
      bytes,
      leave: () => {
        leave(bytes.buffer);
      },
    });
    const transfer = (buffer: ArrayBuffer): void => void structuredClone(buffer, { transfer: [buffer] });
    const shrink = (buffer: ArrayBuffer): void => {
      buffer.resize(6);
    };
    for (const { bytes, leave } of [
      given(transfer),
      given(shrink),
      given(shrink, new Uint8Array(new ArrayBuffer(8, resizable), 4, 4)),
    ]) {
      const commands = [
        new made.Command('x').setInputBuffer(bytes),
        new made.Command('x').setSendBuffer(3, bytes),
        new made.Command('x', [], { stdin: { input: bytes } }),
      ];
      leave();
      for (const command of commands) {
        expect((await rejection(command.run(), CommandUsageError)).reason).to.match(/^the memory of its data was/);
        expect(thrown(() => command.runSync(), CommandUsageError).call).to.match(/^set(Input|Send)Buffer\(\)$/);
      }
    }
    const bytes = new Uint8Array(new ArrayBuffer(8, resizable), 4, 4);
    shrink(bytes.buffer);
    const { reason } = await rejection(new made.Command('x').setInputBuffer(bytes).run(), CommandUsageError);
    expect(reason).to.match(/^data cannot be read: TypeError/);
    await new made.Command('x').setInputBuffer(new Uint8Array()).run();
    expect(made.programs).to.have.length(1);
  });

  it('what is to be fed is not sent as nothing where its memory goes while the program is being started', async () => {
    for (const [set, program] of [
      ['setInputBuffer', (made: ReturnType<typeof fake>) => made.program.stdin],
      ['setSendBuffer', (made: ReturnType<typeof fake>) => made.program.sendBuffers[0]],
    ] as const) {
      const made = fake(() => undefined);
      const bytes = new Uint8Array(8);
      const command = new made.Command('x');
      const run = (set === 'setInputBuffer' ? command[set](bytes) : command[set](3, bytes)).run();
      structuredClone(bytes, { transfer: [bytes.buffer] });
      const error = await rejection(run, CommandIoError);
      expect(error.stream).to.equal('stdin');
      expect(error.message).to.match(/^Command's stdin broke: the memory of its data was transferred/);
      expect(error.result.signal).to.equal('SIGTERM');
      expect(program(made)).to.include({ text: '', writableEnded: false, destroyed: true });
    }
  });
});

const resizable = { maxByteLength: 16 };

function fd(number: number): PlanStream {
  return { type: 'fd', fd: number };
}
function file(path: string, mode: 'read' | 'write' | 'append'): PlanStream {
  return { type: 'file', path, mode };
}
