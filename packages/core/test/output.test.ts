import { expect } from 'chai';
import { CommandAbortedError, CommandExitError, CommandIoError, OutputLimitError } from '@vircommand/core';
import type { ChildHandle } from '@vircommand/core/backend';
import { rejection } from './caught';
import { fake, type FakeProgram } from './fake-backend';

type OnChunk = (chunk: Uint8Array) => void;

/** A backend that hands out its output in chunks that are valid during the call only, instead of streams. */
function capturing(
  play: (emit: (stream: string, text: string) => void, end: (stream: string, error?: Error) => void) => void,
) {
  const destroyed: string[] = [];
  const made = fake(undefined, {
    start(program: FakeProgram): Promise<ChildHandle> {
      const sinks = new Map<string, OnChunk>();
      const ends = new Map<string, (error?: Error) => void>();
      const lent = Buffer.alloc(64);
      const handle: ChildHandle = {
        ...{ pid: program.pid, stdin: undefined, exited: program.exited },
        // Core uses either this or the stream, never both.
        get stdout(): never {
          throw new Error('the stream was asked for');
        },
        get stderr(): never {
          throw new Error('the stream was asked for');
        },
        signal: (name, target) => program.signal(name, target),
        dispose: () => program.dispose(),
        capture(stream, onChunk, onEnd) {
          sinks.set(stream, onChunk);
          ends.set(stream, onEnd);
          return { destroy: () => void destroyed.push(stream) };
        },
      };
      setImmediate(() => {
        play(
          (stream, text) => {
            const length = lent.write(text);
            sinks.get(stream)?.(lent.subarray(0, length));
            lent.fill(0);
          },
          (stream, error) => ends.get(stream)?.(error),
        );
      });
      return Promise.resolve(handle);
    },
  });
  return Object.assign(made, { destroyed });
}

describe('output that a backend captures itself', () => {
  it('is whole, though its memory is lent', async () => {
    const { Command, destroyed } = capturing((emit, end) => {
      for (const part of ['a', 'é', 'b']) emit('stdout', part);
      emit('stderr', 'err');
      end('stdout');
      end('stderr');
    });
    const result = await new Command('x').setOutputBuffer().setErrorBuffer('buffer').run();
    expect(result).to.deep.include({ stdout: 'aéb', stderr: Buffer.from('err'), outputComplete: true });
    expect(destroyed).to.deep.equal(['stdout', 'stderr']);
  });

  it('has its end in the error', async () => {
    const { Command, programs } = capturing((emit, end) => {
      emit('stderr', 'why');
      end('stderr');
      programs[0]?.exit(1);
    });
    expect((await rejection(new Command('x').run(), CommandExitError)).stderrTail).to.equal('why');
  });

  it('is over when the caller disposes of it', async () => {
    const made = capturing(() => undefined);
    const running = await new made.Command('x').setOutputBuffer().doAsyncIo().runAsync();
    running[Symbol.dispose]();
    const error = await rejection(running.wait(), CommandAbortedError);
    expect(error.result).to.include({ stdout: '', outputComplete: false });
    expect(made.clock.pending).to.equal(0);
  });

  it('has limits, and errors', async () => {
    const much = capturing((emit, end) => {
      emit('stdout', 'abcdef');
      end('stdout');
    });
    const error = await rejection(new much.Command('x').setOutputBuffer().run({ outputLimit: 3 }), OutputLimitError);
    expect(error.result.stdout).to.equal('abc');
    const broken = capturing((emit, end) => {
      emit('stdout', 'part');
      end('stdout', new Error('broke'));
      end('stdout');
    });
    const io = await rejection(new broken.Command('x').setOutputBuffer().run(), CommandIoError);
    expect(io.result).to.include({ stdout: 'part', outputComplete: false });
  });
});
