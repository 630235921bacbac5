import { expect } from 'chai';
import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { backend } from '@vircommand/child-process';
import { Command } from '@vircommand/core';
import { realTime, type Backend, type ExitStatus } from '@vircommand/core/backend';
import { runConformance } from '@vircommand/conformance';
import { createMock, createRecorder, type RecordedEvent } from '@vircommand/mock';
import { Recorder } from '../src/record';
import { failure } from './failures';

/** Names of events, in order, neighbours once. */
const names = (events: readonly RecordedEvent[]): string[] =>
  events.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1]);

/** A program that does what the test does with its parts. */
function program(): {
  readonly backend: Backend;
  readonly stdin: PassThrough;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exit: () => void;
} {
  const [stdout, stderr] = [0, 1].map(() => new Readable({ read: () => undefined })) as [Readable, Readable];
  const stdin = new PassThrough();
  let exit = (): void => undefined;
  const exited = new Promise<ExitStatus>((resolve) => {
    exit = () => {
      resolve({ exitCode: 0, signal: undefined, coreDumped: undefined, usage: undefined });
    };
  });
  const handle = {
    pid: undefined,
    stdin,
    stdout,
    stderr,
    exited,
    signal: () => ({ sent: false, reached: 'process' as const }),
    dispose: () => undefined,
  };
  const backend: Backend = { contract: 1, name: 'parts', features: [], start: () => Promise.resolve(handle) };
  return { backend, stdin, stdout, stderr, exit };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The event loop is held up, longer than timers of the recorder, and then tells of them first. */
function busy(): void {
  const until = performance.now() + 100;
  while (performance.now() < until);
}

describe('a recorder', () => {
  it('tells what happens, as it happens, call by call', async () => {
    const events: RecordedEvent[] = [];
    const spy = createRecorder(backend, (event) => events.push(event));
    const cat = await new Command('cat', [], { backend: spy, stdin: 'pipe', stdout: 'pipe' }).runAsync();
    cat.stdin.write('hello');
    await once(cat.stdout, 'data');
    cat.kill('SIGTERM');
    await failure(cat.wait());
    await failure(new Command('/no/such', [], { backend: spy }).run());
    new Command('true', [], { backend: spy }).runSync();
    expect(names(events.filter(({ call, type }) => call === 0 && type !== 'end'))).to.deep.equal([
      'start',
      'stdin',
      'stdout',
      'signal',
      'exit',
    ]);
    expect(names(events.filter(({ call }) => call === 1))).to.deep.equal(['start', 'start-error']);
    expect(events.at(-1)).to.deep.include({ call: 2, type: 'sync' });
  });

  it('is the backend that it wraps: name, features, clock, what it declares and nothing more', async () => {
    const spy = createRecorder(backend, () => undefined);
    expect(spy).to.deep.include({ contract: 1, name: backend.name, features: backend.features });
    expect(spy.clock).to.equal(undefined);
    const mock = createMock({ features: [] });
    mock.on('p').reply({ after: 10_000 });
    const wrapped = createRecorder(mock, () => undefined);
    expect(wrapped.clock).to.equal(mock.clock);
    expect((await new Command('p', [], { backend: wrapped }).run()).durationMs).to.equal(10_000);
  });

  describe('of a stream that core does not wait for', () => {
    let events: RecordedEvent[];
    const told = (): string[] =>
      events.flatMap((event) => ('stream' in event && event.stream === 'stderr' ? [event.type] : []));
    const started = () => {
      events = [];
      const parts = program();
      const recorder = new Recorder(parts.backend, (event) => events.push(event));
      const run = new Command('p', [], { backend: recorder, stdin: { input: 'x' }, stdout: 'text' }).run();
      return { ...parts, recorder, run };
    };

    it('hears that it has ended, also after a busy time', async () => {
      const { stdout, stderr, exit, recorder, run } = started();
      stdout.push(null);
      exit();
      await run;
      await turn();
      busy();
      await turn();
      stderr.push(null);
      await recorder.quiet();
      expect(told()).to.deep.equal(['end']);
    });

    it('hears that it has ended, also if the run has waited for the other for long', async () => {
      const { after } = realTime;
      const waited = new Promise<void>((resolve) => {
        realTime.after = (_ms, callback, options) =>
          after(
            0,
            () => {
              callback();
              resolve();
            },
            options,
          );
      });
      const { stdout, stderr, exit, recorder, run } = started();
      exit();
      await waited;
      realTime.after = after;
      for (let turns = 0; turns < 3; turns++) await turn();
      stdout.push(null);
      await run;
      stderr.push(null);
      await recorder.quiet();
      expect(told()).to.deep.equal(['end']);
    });

    it('hears that it has ended, also if what the run waited for was told of after a busy time', async () => {
      const { stdin, stdout, stderr, exit, recorder, run } = started();
      let written = (): void => undefined;
      stdin._write = (_chunk, _encoding, done) => {
        written = done;
      };
      await turn();
      stdout.push(null);
      await turn();
      exit();
      await turn();
      busy();
      await turn();
      written();
      await run;
      stderr.push(null);
      await recorder.quiet();
      expect(told()).to.deep.equal(['end']);
    });

    it('hears that it does not end', async () => {
      const { stdout, exit, recorder, run } = started();
      stdout.push(null);
      exit();
      await run;
      await recorder.quiet();
      expect(told()).to.deep.equal(['held']);
    });
  });

  it('changes nothing: the conformance suite passes through it', async () => {
    const only = /^(streams?|input|output|merged|pipes?|kill|abort|timeout|drain|limits?|state|lines|status)\./;
    const subject = { name: 'spy', create: () => createRecorder(backend, () => undefined) };
    const { cases, ok } = await runConformance(subject, { only });
    expect(
      cases.filter(({ status }) => status === 'failed').map(({ id, detail }) => `${id} ${detail ?? ''}`),
    ).to.deep.equal([]);
    expect(ok).to.equal(true);
    expect(cases.length).to.be.greaterThan(50);
  }).timeout(120_000);
});
