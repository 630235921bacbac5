import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect } from 'chai';
import {
  abortAll,
  CommandAbortedError,
  CommandIoError,
  CommandStartError,
  CommandTimeoutError,
  OutputLimitError,
  type Command,
  type RunningCommand,
} from '@vircommand/core';
import { startError } from '@vircommand/core/backend';
import { rejection } from './caught';
import { fake, type Fake, type FakeProgram } from './fake-backend';
import { turns } from './virtual-clock';

/** A daemon whose backend says that it has begun, as soon as it is told to. */
const begun = (program: FakeProgram): unknown => program.exit(0, 'pipes held');
const daemon = (made: Fake): Command => new made.Command('d').daemonize();

const notThere = { sent: false, reached: 'process' } as const;

/** Pending promises are not settled after so many turns. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = (): void => void (settled = true);
  promise.then(note, note);
  await turns();
  return settled;
}

describe('a daemon that runAsync() starts', () => {
  it('is over for its caller when it has begun, and nobody ends it', async () => {
    const made = fake(begun);
    const running = await daemon(made).setOutputFd('pipe').setInputFd('pipe').runAsync();
    expect(running.pid).to.equal(100);
    expect(await running.wait()).to.include({ exitCode: 0, pid: 100, ended: 'none', outputComplete: true });
    running.stdin.end('later');
    expect(made.program.stdin?.text).to.equal('later');
    expect(running.kill()).to.equal(false);
    await abortAll();
    await running.abort();
    expect(running.stdout.destroyed).to.equal(false);
    await running[Symbol.asyncDispose]();
    expect(made.program.signals).to.deep.equal([]);
    expect(running.stdout.destroyed).to.equal(true);
  });

  it('keeps its pipes for as long as it writes, whatever the drain’s delay is', async () => {
    const made = fake(begun);
    const running = await daemon(made).setOutputFd('pipe').setErrorFd('pipe').runAsync({ drainDelay: 10 });
    const lines = running.lines();
    made.program.write('stdout', 'one\n');
    expect(await lines.next()).to.include({ value: 'one' });
    await running.wait();
    await made.clock.advance(10_000);
    made.program.write('stdout', 'two\n');
    expect(await lines.next()).to.include({ value: 'two' });
    await lines.return?.();
    expect([running.stdout.destroyed, running.stderr.destroyed]).to.deep.equal([true, false]);
    made.program.write('stderr', 'end').close('stderr');
    const rest = running.lines({ from: 'stderr' });
    expect(await rest.next()).to.deep.equal({ value: 'end', done: false });
    expect((await rest.next()).done).to.equal(true);
  });

  it('has no line that is too long: that is an error of the loop', async () => {
    const made = fake(begun);
    const running = await daemon(made).setOutputFd('pipe').runAsync();
    await running.wait();
    const lines = running.lines({ maxLength: 3 });
    made.program.write('stdout', 'abc\nabcd\n');
    expect(await lines.next()).to.include({ value: 'abc' });
    expect(await rejection(lines.next(), OutputLimitError)).to.include({ stream: 'stdout', limit: 3 });
    expect((await running.wait()).exitCode).to.equal(0);
    expect(running.stdout.destroyed).to.equal(true);
  });
});

describe('what is sent to a daemon', () => {
  /** Nobody reads it yet. */
  const full = (): Fake =>
    fake(begun, {
      start: (program) => {
        for (const sink of [program.stdin, ...program.sendBuffers]) if (sink !== undefined) sink.stalled = true;
        return Promise.resolve(program);
      },
    });
  const sending = (made: Fake): Command => daemon(made).setInputBuffer('in').setSendBuffer(5, 'sent').doAsyncIo();

  for (const way of ['run()', 'wait()']) {
    it(`is waited for by ${way}, longer than the drain’s delay`, async () => {
      const made = full();
      const options = { drainDelay: 10 };
      const command = sending(made);
      const over = way === 'run()' ? command.run(options) : (await command.runAsync(options)).wait();
      await made.clock.advance(60_000);
      made.program.stdin?.flow();
      expect(await isSettled(over)).to.equal(false);
      made.program.sendBuffers[0]?.flow();
      expect(await over).to.include({ exitCode: 0, timedOut: false });
      expect([made.program.stdin?.text, made.program.sendBuffers[0]?.text]).to.deep.equal(['in', 'sent']);
      expect(made.clock.pending).to.equal(0);
    });
  }

  it('is given up at a deadline, or when it is aborted; the daemon is nobody’s to end', async () => {
    const made = full();
    const late = sending(made).run({ timeout: 500 });
    await made.clock.advance(500);
    expect((await rejection(late, CommandTimeoutError)).result).to.include({ exitCode: 0, pid: 100, ended: 'none' });
    expect(made.program.stdin?.destroyed).to.equal(true);
    const running = await sending(made).setOutputFd('pipe').runAsync();
    await turns();
    await running.abort();
    await made.clock.advance(10_000);
    expect(running.stdout.destroyed).to.equal(false);
    expect((await rejection(running.wait(), CommandAbortedError)).result).to.include({ pid: 101, ended: 'none' });
    expect(made.program.sendBuffers[0]?.destroyed).to.equal(true);
    expect(made.clock.pending).to.equal(0);
  });

  it('is given up at once when it was aborted before it had begun', async () => {
    const made = full();
    const controller = new AbortController();
    const abort = (): void => {
      controller.abort();
    };
    subscribe('vircommand:start', abort);
    try {
      // Nobody is there to be ended by then.
      const start = made.backend.start.bind(made.backend);
      made.backend.start = async (plan) => Object.assign(await start(plan), { signal: () => notThere });
      const over = sending(made).run({ signal: controller.signal });
      const { result } = await rejection(over, CommandAbortedError);
      expect(result).to.include({ exitCode: 0, pid: 100, ended: 'none' });
      expect([made.program.sendBuffers[0]?.destroyed, made.clock.pending]).to.deep.equal([true, 0]);
    } finally {
      unsubscribe('vircommand:start', abort);
    }
  });

  it('is given up where it writes a line that is too long', async () => {
    const made = full();
    const running = await sending(made).setOutputFd('pipe').runAsync();
    await turns();
    const next = running.lines({ maxLength: 3 }).next();
    made.program.write('stdout', 'abcd\n');
    const error = await rejection(next, OutputLimitError);
    expect(await rejection(running.wait(), OutputLimitError)).to.equal(error);
    expect([running.stdout.destroyed, made.program.signals]).to.deep.equal([true, []]);
  });

  it('is an error of the run where it cannot be written', async () => {
    const made = full();
    const over = sending(made).run();
    await turns();
    made.program.stdin?.destroy(Object.assign(new Error('broken'), { code: 'EIO' }));
    expect(await rejection(over, CommandIoError)).to.include({ stream: 'stdin' });
  });
});

describe('a daemon that is held', () => {
  const held = (): Fake => fake(() => undefined);
  const start = (made: Fake): Promise<RunningCommand> => daemon(made).requireHandshake().setErrorFd('pipe').runAsync();

  it('is ended by an abort, by abortAll() and by disposal, at once', async () => {
    const ends: Readonly<Record<string, (running: RunningCommand) => unknown>> = {
      abort: (running) => running.abort(),
      abortAll: () => abortAll(),
      asyncDispose: (running) => running[Symbol.asyncDispose](),
      dispose: (running) => {
        running[Symbol.dispose]();
      },
    };
    for (const [name, end] of Object.entries(ends)) {
      const made = held();
      const running = await start(made);
      await end(running);
      const { result } = await rejection(running.wait(), CommandAbortedError);
      expect([result.ended, made.program.signals, made.clock.pending], name).to.deep.equal([
        'group',
        ['SIGKILL tree'],
        0,
      ]);
      expect(made.program.disposed, name).to.be.above(0);
    }
  });

  it('is waited for when it is killed, and let go of when the backend has nothing left of it', async () => {
    const made = fake((program) => program.traps.add('SIGKILL'));
    const both = [await start(made), await start(made)];
    await turns();
    const over = abortAll();
    expect(made.programs.map(({ signals, disposed }) => [signals, disposed])).to.deep.equal([
      [['SIGKILL tree'], 0],
      [['SIGKILL tree'], 0],
    ]);
    expect(await isSettled(over)).to.equal(false);
    for (const program of made.programs) program.lose(startError('handshake', 'it was ended'));
    await over;
    for (const running of both) await rejection(running.wait(), CommandAbortedError);
    expect([made.programs.every(({ disposed }) => disposed > 0), made.clock.pending]).to.deep.equal([true, 0]);
  });

  it('and could not be killed, since it was executed before, has begun: its result says so', async () => {
    const made = fake((program) => {
      program.signal = () => ({ sent: false, reached: 'process' });
    });
    const running = await start(made);
    await turns();
    const over = running.abort();
    begun(made.program);
    await over;
    const { result } = await rejection(running.wait(), CommandAbortedError);
    expect(result).to.include({ exitCode: 0, pid: 100, ended: 'none' });
    expect(made.program.disposed).to.equal(0);
  });

  it('that does not end is given up after the drain’s delay', async () => {
    const made = fake((program) => program.traps.add('SIGKILL'));
    const running = await daemon(made).requireHandshake().runAsync({ drainDelay: 400 });
    await turns();
    const over = running.abort();
    await made.clock.advance(399);
    expect(await isSettled(over)).to.equal(false);
    await made.clock.advance(1);
    await over;
    expect((await rejection(running.wait(), CommandAbortedError)).result).to.include({ exitCode: undefined });
    expect([made.program.disposed, made.clock.pending]).to.deep.equal([1, 0]);
  });

  it('is ended by a deadline', async () => {
    const made = held();
    const running = await daemon(made).requireHandshake().runAsync({ timeout: 100 });
    await made.clock.advance(100);
    await rejection(running.wait(), CommandTimeoutError);
    expect(made.program.signals).to.deep.equal(['SIGKILL tree']);
  });

  it('has begun when its backend says so, and not before', async () => {
    const made = held();
    const running = await start(made);
    await turns();
    expect(await isSettled(running.wait())).to.equal(false);
    await running.handshakeNotify();
    begun(made.program);
    expect((await running.wait()).exitCode).to.equal(0);
  });

  it('that never begins is a failed start', async () => {
    const made = held();
    const running = await start(made);
    made.program.lose(startError('exec', 'no'));
    expect(await rejection(running.wait(), CommandStartError)).to.include({ stage: 'exec' });
  });
});
