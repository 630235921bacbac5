import { expect } from 'chai';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { abortAll, type RunningCommand } from '@vircommand/core';
import { createMock, MOCK_FEATURES, type Answer } from '@vircommand/mock';
import { failure, thrown } from './failures';

/** A mock that answers everything so. */
function mocked(answer: Answer) {
  const mock = createMock();
  mock.on('p').reply(answer).always();
  return mock;
}

describe('a fake program', () => {
  it('writes its chunks over virtual time, in order, and ends when it should', async () => {
    const mock = mocked({
      chunks: [{ at: 1000, stdout: 'a' }, { stderr: 'b' }, { at: 2500, stdout: 'c' }],
      after: 60_000,
    });
    const running = await new mock.Command('p', [], { stdout: 'pipe', stderr: 'pipe' }).runAsync();
    const seen: [number, string][] = [];
    for (const name of ['stdout', 'stderr'] as const) {
      running[name].on('data', (chunk: Buffer) => seen.push([mock.clock!.now(), `${name} ${chunk.toString()}`]));
    }
    const { durationMs } = await running.wait();
    expect(seen).to.deep.equal([
      [1000, 'stdout a'],
      [1000, 'stderr b'],
      [2500, 'stdout c'],
    ]);
    expect(durationMs).to.equal(60_000);
  });

  it('of ten hours, with a timeout of five, is over at once and told as a timeout', async () => {
    const hour = 3_600_000;
    const mock = mocked({
      chunks: [
        { at: hour, stdout: 'one ' },
        { at: 9 * hour, stdout: 'two' },
      ],
      after: 10 * hour,
    });
    const error = await failure(new mock.Command('p', [], { stdout: 'text' }).run({ timeout: 5 * hour }));
    expect(error).to.include({ name: 'CommandTimeoutError', timeout: 5 * hour });
    expect(error.result).to.include({
      stdout: 'one ',
      timedOut: true,
      durationMs: 5 * hour,
      signal: 'SIGTERM',
      ended: 'tree',
    });
    expect(mock.onlyCall().signals).to.deep.equal(['SIGTERM', 'SIGCONT']);
  });

  it('that never ends is ended by a deadline; one that ignores SIGTERM by SIGKILL after the grace', async () => {
    const mock = mocked({ never: true, onSignal: { SIGTERM: 'ignore' } });
    const error = await failure(new mock.Command('p').run({ timeout: 1000, killDelay: 4000 }));
    expect(error.result).to.include({ signal: 'SIGKILL', durationMs: 5000 });
    expect(mock.onlyCall().signals).to.deep.equal(['SIGTERM', 'SIGCONT', 'SIGKILL']);
  });

  it('may trap a signal and end later, with a code of its own or by the signal', async () => {
    const mock = createMock();
    mock.on('code').reply({ never: true, onSignal: { SIGTERM: { after: 300, exitCode: 143 } } });
    mock.on('signal').reply({ never: true, onSignal: { SIGINT: { after: 200 } } });
    const code = await failure(new mock.Command('code').run({ timeout: 100 }));
    expect(code.result).to.include({ exitCode: 143, signal: undefined, durationMs: 400 });
    const running = await new mock.Command('signal').runAsync();
    expect(running.kill('SIGINT')).to.equal(true);
    expect((await failure(running.wait())).result).to.include({ signal: 'SIGINT', durationMs: 200 });
    expect(running.kill()).to.equal(false);
  });

  it('that ends by a trap does nothing of what it still would have done', async () => {
    const mock = mocked({
      chunks: [
        { at: 10, stdout: 'a' },
        { at: 900, stdout: 'b' },
      ],
      after: 1000,
      onSignal: { SIGTERM: { after: 50, exitCode: 0 } },
    });
    const error = await failure(new mock.Command('p', [], { stdout: 'text' }).run({ timeout: 100 }));
    expect(error.result).to.include({ stdout: 'a', durationMs: 150, outputComplete: true });
  });

  it('obeys the default actions: ignored, stopped, continued, ended', async () => {
    const mock = mocked({ chunks: [{ at: 10, stdout: 'x' }], after: 20 });
    const running = await new mock.Command('p', [], { stdout: 'text' })
      .doAsyncIo()
      .runAsync({ timeout: 500, killDelay: 50 });
    for (const name of ['SIGCHLD', 'SIGWINCH', 'SIGURG'] as const) expect(running.kill(name)).to.equal(true);
    running.kill('SIGSTOP');
    const error = await failure(running.wait());
    // Stopped until the deadline's SIGCONT, and then SIGTERM acts.
    expect(error.result).to.include({ signal: 'SIGTERM', durationMs: 500, stdout: '' });
    const again = await new mock.Command('p', [], { stdout: 'text' }).doAsyncIo().runAsync();
    again.kill('SIGSTOP');
    again.kill('SIGCONT');
    expect((await again.wait()).stdout).to.equal('x');
    const ended = await new mock.Command('p').runAsync();
    ended.kill('SIGUSR1');
    expect((await failure(ended.wait())).signal).to.equal('SIGUSR1');
  });

  it('abort(), an AbortSignal and disposal end it as a real one', async () => {
    const mock = mocked({ never: true });
    const aborted = await new mock.Command('p').runAsync();
    await aborted.abort();
    expect((await failure(aborted.wait())).name).to.equal('CommandAbortedError');
    const controller = new AbortController();
    const run = new mock.Command('p').run({ signal: controller.signal });
    controller.abort('why');
    expect(await failure(run)).to.include({ name: 'CommandAbortedError', reason: 'why' });
    const disposed = await new mock.Command('p').runAsync();
    disposed[Symbol.dispose]();
    expect((await failure(disposed.wait())).result).to.include({ signal: 'SIGKILL' });
    expect(mock.calls.map(({ signals }) => signals.at(-1))).to.deep.equal(['SIGCONT', 'SIGCONT', 'SIGKILL']);
  });

  it('waits while its pipe is full, so a reader that stops stops the program', async () => {
    const mock = mocked({ chunks: [{ stdout: Buffer.alloc(200_000, 'a') }, { stdout: 'b' }, { stderr: 'late' }] });
    const running = await new mock.Command('p', [], { stdout: 'pipe', stderr: 'pipe' }).runAsync();
    let late = false;
    running.stderr.on('data', () => (late = true));
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(late).to.equal(false);
    let size = 0;
    for await (const chunk of running.stdout) size += (chunk as Buffer).length;
    expect(size).to.equal(200_001);
    await running.wait();
    expect(late).to.equal(true);
  });

  for (const [output, answer] of Object.entries({
    'of which there is more than a pipe holds': { stdout: Buffer.alloc(200_000, 'a'), after: 10 },
    'that is all, as he does not know yet': { chunks: [{ stdout: 'a' }], after: 10 },
  })) {
    it(`has virtual time that does not go on over who reads output ${output}`, async () => {
      const running = await new (mocked(answer).Command)('p', [], { stdout: 'pipe' }).runAsync();
      const sizes: number[] = [];
      const reading = (async () => {
        for await (const chunk of running.stdout) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          sizes.push((chunk as Buffer).length);
        }
      })();
      expect(await running.wait()).to.include({ outputComplete: true, durationMs: 10 });
      await running[Symbol.asyncDispose]();
      await reading;
      expect(sizes.reduce((all, size) => all + size)).to.equal('chunks' in answer ? 1 : 200_000);
    });
  }

  it('gets SIGPIPE when nobody reads any more', async () => {
    const mock = mocked({ chunks: [{ stdout: 'a' }, { at: 100, stdout: 'b' }], after: 1000 });
    const running = await new mock.Command('p', [], { stdout: 'pipe' }).runAsync();
    await once(running.stdout, 'data');
    running.stdout.destroy();
    expect((await failure(running.wait())).result).to.include({ signal: 'SIGPIPE', durationMs: 100 });
  });

  it('a pipe that something left behind holds open is drained for a bounded time', async () => {
    const mock = mocked({ stdout: 'x', heldOpen: ['stdout'] });
    const result = await new mock.Command('p', [], { stdout: 'text' }).run({ drainDelay: 300 });
    expect(result).to.include({ stdout: 'x', outputComplete: false, durationMs: 300 });
  });

  it("merged streams are one pipe, in the program's order", async () => {
    const mock = mocked({ chunks: [{ stdout: 'a' }, { stderr: 'b' }, { stdout: 'c' }] });
    const result = await new mock.Command('p', [], { stdout: 'text', stderr: 'stdout' }).run();
    expect(result.stdout).to.equal('abc');
  });

  it('keeps an output limit exactly', async () => {
    const mock = mocked({ chunks: [{ stdout: 'abc' }, { stdout: 'def' }], after: 1000 });
    const error = await failure(new mock.Command('p', [], { stdout: 'text' }).run({ outputLimit: 4 }));
    expect(error).to.include({ name: 'OutputLimitError', limit: 4 });
    expect(error.result).to.include({ stdout: 'abcd', outputComplete: false });
  });

  it('lines() and runLines() read it, and leaving the loop ends it', async () => {
    const mock = mocked({ chunks: [{ stdout: 'a\nb' }, { at: 10, stdout: '\nc\n' }], never: true });
    const lines: string[] = [];
    for await (const line of new mock.Command('p').runLines()) {
      lines.push(line);
      if (line === 'c') break;
    }
    expect(lines).to.deep.equal(['a', 'b', 'c']);
    expect(mock.onlyCall().signals).to.deep.equal(['SIGTERM', 'SIGCONT']);
  });

  it('a program in JavaScript converses over stdin and stdout, sleeps, and traps signals', async () => {
    const mock = createMock();
    mock.on('bc').program(async (program) => {
      for await (const piece of program.stdin) {
        await program.sleep(1000);
        const sum = piece
          .toString()
          .split('+')
          .reduce((total, term) => total + Number(term), 0);
        await program.write('stdout', `${sum}\n`);
      }
      return 4;
    });
    const bc = await new mock.Command('bc', [], { stdin: 'pipe', stdout: 'pipe' })
      .rawStatus()
      .runAsync({ check: false });
    bc.stdin.write('1+2');
    expect(String((await once(bc.stdout, 'data'))[0])).to.equal('3\n');
    bc.stdin.end('20+22');
    expect(String((await once(bc.stdout, 'data'))[0])).to.equal('42\n');
    expect(await bc.wait()).to.include({ exitCode: 4, durationMs: 2000 });

    mock.on('daemon').program(async (program) => {
      const asked: string[] = [];
      program.onSignal('SIGTERM', () => asked.push('SIGTERM'));
      program.onSignal('SIGHUP', 'ignore');
      await program.write('stdout', 'ready');
      while (asked.length === 0) await program.sleep(100);
      return { exitCode: 10 };
    });
    const daemon = await new mock.Command('daemon', [], { stdout: 'pipe' }).runAsync({ check: false });
    await once(daemon.stdout, 'data');
    daemon.kill('SIGHUP');
    daemon.kill('SIGTERM');
    expect(await daemon.wait()).to.include({ exitCode: 10, durationMs: 100 });
  });

  it('a program in JavaScript has no other streams', async () => {
    const mock = createMock();
    mock.on('p').program(async (program) => {
      // @ts-expect-error: JavaScript may say anything.
      await program.write('stdfoo', 'x');
    });
    const error = await failure(new mock.Command('p').run());
    expect(error.code).to.equal('ERR_MOCK_USAGE');
    expect(error.message).to.contain("write(): the stream must be 'stdout' or 'stderr'");
  });

  it('a program in JavaScript that throws fails the run; one that is killed learns it from false', async () => {
    const mock = createMock();
    mock.on('bad').program(() => Promise.reject(new Error('its fault')));
    const error = await failure(new mock.Command('bad').run());
    expect((error.cause as Error).message).to.equal('its fault');
    const told = new Promise((resolve) => {
      mock.on('killed').program(async (program) => {
        resolve([await program.sleep(1e6), await program.write('stdout', 'x')]);
      });
    });
    await failure(new mock.Command('killed').run({ timeout: 10 }));
    expect(await told).to.deep.equal([false, false]);
  });

  for (const time of ['virtual', 'real'] as const) {
    it(`a program in JavaScript that a signal ended has not returned, in ${time} time`, async () => {
      const mock = createMock({ time });
      const back: boolean[] = [];
      const yes = mock.on('yes').program(async (program) => {
        while (await program.write('stdout', 'y\n')) await program.sleep(1);
        back.push(true);
        return 7;
      });
      yes.always();
      mock.on('throws').program(async (program) => {
        while (await program.write('stdout', 'y\n')) await program.sleep(1);
        throw new Error('in vain');
      });
      const ended = async (program: string, end: (running: { stdout: Readable; kill(): boolean }) => void) => {
        const running = await new mock.Command(program, [], { stdout: 'pipe' }).runAsync();
        await once(running.stdout, 'data');
        end(running);
        running.stdout.resume();
        return (await failure(running.wait())).result;
      };
      expect(await ended('yes', ({ stdout }) => stdout.destroy())).to.include({ signal: 'SIGPIPE' });
      expect(await ended('yes', (running) => running.kill())).to.include({ signal: 'SIGTERM' });
      expect(await ended('throws', (running) => running.kill())).to.include({ signal: 'SIGTERM' });
      expect(back).to.deep.equal([true, true]);
    });
  }

  it('stdin and send buffers are noted, whole', async () => {
    const mock = mocked({});
    const command = new mock.Command('p')
      .setInputBuffer('some input')
      .setSendBuffer(5, 'five')
      .setSendBuffer(7, Buffer.of(0, 255));
    await command.run();
    const call = mock.onlyCall();
    expect(call.stdin.toString()).to.equal('some input');
    expect(call.sendBuffers[5]?.toString()).to.equal('five');
    expect(call.sendBuffers[7]?.toString('hex')).to.equal('00ff');
  });

  it('a handshake holds it; failures of handshake and exec come at their time', async () => {
    const mock = createMock();
    mock.on('p').reply({ stdout: 'x' });
    mock.on('h').reply({ startError: { stage: 'handshake', code: 'EPERM' } });
    mock.on('e').reply({ startError: { stage: 'exec', code: 'ENOENT' } });
    const held = (program: string) => new mock.Command(program, [], { stdout: 'text' }).doAsyncIo().requireHandshake();
    const running = await held('p').runAsync();
    await running.handshakeWait();
    await running.handshakeNotify();
    expect((await running.wait()).stdout).to.equal('x');
    expect(await failure((await held('h').runAsync()).handshakeWait())).to.include({
      stage: 'handshake',
      code: 'EPERM',
    });
    const exec = await held('e').runAsync();
    await exec.handshakeWait();
    expect(await failure(exec.handshakeNotify())).to.include({ stage: 'exec', code: 'ENOENT' });
  });

  it('what was ended while a handshake held it cannot be told to go on', async () => {
    const mock = mocked({ after: 100 });
    for (const noticed of [false, true]) {
      const running = await new mock.Command('p').requireHandshake().runAsync();
      running.kill();
      if (noticed) await failure(running.wait());
      const error = await failure(running.handshakeNotify());
      expect(error).to.include({ stage: 'handshake', code: 'EPIPE', syscall: 'write' });
      expect(error.message).to.contain('the process was ended while it was held');
    }
  });

  it('a daemon is on its own when its start resolves', async () => {
    const mock = mocked({ never: true });
    expect(await new mock.Command('p').daemonize().run()).to.include({ exitCode: 0, durationMs: 0 });
    mock.on('sync').reply({});
    const unknown = { coreDumped: undefined, usage: undefined };
    expect(await new mock.Command('p').daemonize().run()).to.include(unknown);
    expect(new mock.Command('sync').daemonize().runSync()).to.include(unknown);
  });

  it('a daemon writes to its pipes and reads what it is sent, whatever is known of its end', async () => {
    using mock = createMock();
    mock
      .on('d')
      .reply({
        chunks: [
          { at: 100, stdout: 'a\n' },
          { at: 5000, stdout: 'b\n' },
        ],
        exitCode: 3,
      })
      .always();
    const command = new mock.Command('d').daemonize().setInputBuffer('in').setSendBuffer(5, 'sent').doAsyncIo();
    const running = await command.setOutputFd('pipe').runAsync();
    expect(await running.wait()).to.include({ exitCode: 0, pid: running.pid, durationMs: 0 });
    expect(running.kill()).to.equal(false);
    await abortAll();
    const lines: string[] = [];
    for await (const line of running.lines()) lines.push(line);
    expect(lines).to.deep.equal(['a', 'b']);
    const { signals, stdin, sendBuffers } = mock.onlyCall();
    expect([signals, String(stdin), String(sendBuffers[5])]).to.deep.equal([[], 'in', 'sent']);
  });

  it('a daemon that is disposed goes on, and one that is held is ended', async () => {
    using mock = createMock();
    const seen: string[] = [];
    mock.on('d').program(async (program) => {
      for await (const chunk of program.stdin) seen.push(chunk.toString());
      await program.sleep(100);
      seen.push('went on');
      return 0;
    });
    const running = await new mock.Command('d').daemonize().setInputFd('pipe').runAsync();
    await running.wait();
    running[Symbol.dispose]();
    mock.on('other').reply({ after: 1000 });
    await new mock.Command('other').run();
    expect(seen).to.deep.equal(['went on']);

    mock.on('held').reply({ stdout: 'ran' }).always();
    const held = (): Promise<RunningCommand> => new mock.Command('held').daemonize().requireHandshake().runAsync();
    const ended = await held();
    await ended.abort();
    expect(await failure(ended.wait())).to.have.property('name', 'CommandAbortedError');
    const told = await held();
    await told.handshakeWait();
    await told.handshakeNotify();
    expect(await told.wait()).to.include({ exitCode: 0 });
    mock.on('none').reply({ startError: { stage: 'exec', code: 'ENOENT' } });
    const none = await new mock.Command('none').daemonize().requireHandshake().runAsync();
    expect(await failure(none.handshakeNotify())).to.include({ stage: 'exec', code: 'ENOENT' });
  });

  it('hundreds at once keep their streams and their times apart', async () => {
    const mock = createMock();
    mock
      .on('p')
      .reply(({ args: [n] }) => ({
        chunks: [
          { at: Number(n), stdout: `${n}` },
          { at: 2 * Number(n), stdout: '!' },
        ],
      }))
      .always();
    const runs = Array.from({ length: 300 }, (_, n) => new mock.Command('p', [String(n)], { stdout: 'text' }).run());
    (await Promise.all(runs)).forEach(({ stdout, durationMs }, n) => {
      expect([stdout, durationMs]).to.deep.equal([`${n}!`, 2 * n]);
    });
  });

  it('what a mock does not declare is refused before anything happens', async () => {
    const mock = createMock();
    mock.on('p').reply({}).always();
    expect(await failure(new mock.Command('p').setOutputFd(1).run())).to.include({
      code: 'ERR_COMMAND_UNSUPPORTED',
      feature: 'fd-stdio',
    });
    expect(mock.calls).to.deep.equal([]);
    const small = createMock({ features: ['cwd'] });
    small.on('p').reply({});
    expect(thrown(() => new small.Command('p').runSync())).to.include({ feature: 'sync' });
    const result = await new small.Command('p').run();
    expect([result.coreDumped, result.usage, result.pid]).to.deep.equal([undefined, undefined, undefined]);
    expect(thrown(() => createMock({ features: ['fd-stdio'] })).message).to.contain("no mock can do 'fd-stdio'");
  });

  it("gives made-up pids, each its own, where 'local-pid' is asked for", async () => {
    const mock = createMock({ features: [...MOCK_FEATURES, 'local-pid'] });
    mock.on('p').reply({}).always();
    const pids = [];
    for (let i = 0; i < 3; i++) pids.push((await new mock.Command('p').run()).pid!);
    pids.push(new mock.Command('p').runSync().pid!);
    expect(new Set(pids).size).to.equal(4);
    expect(Math.min(...pids)).to.be.greaterThan(2 ** 22);
  });

  describe('keeps the event loop going', () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length;
    type Ended = Disposable & { abort(options: { killDelay: number }): Promise<void> };
    const ends: Readonly<Record<string, (running: Ended, mock: Disposable) => unknown>> = {
      abort: (running) => running.abort({ killDelay: 0 }),
      disposal: (running) => {
        running[Symbol.dispose]();
      },
      "the mock's disposal": (_running, mock) => {
        mock[Symbol.dispose]();
      },
    };
    // The runner sets its timer for a test when the test has returned its promise.
    const begun = (): Promise<unknown> => new Promise(setImmediate);

    for (const time of ['virtual', 'real'] as const) {
      for (const [name, end] of Object.entries(ends)) {
        it(`while it runs, and no longer: ${name}, in ${time} time`, async () => {
          await begun();
          using mock = createMock({ time });
          mock.on('p').reply({ never: true }).always();
          const before = timers();
          const all = await Promise.all([new mock.Command('p').runAsync(), new mock.Command('p').runAsync()]);
          expect(timers()).to.equal(before + 1);
          for (const running of all) {
            const over = failure(running.wait());
            await end(running, mock);
            await over;
          }
          expect(timers()).to.equal(before);
        });
      }
    }

    it('until it exits, and not where it does not start or fails', async () => {
      await begun();
      using mock = mocked({ after: 10 });
      mock.on('none').reply({ startError: { stage: 'exec', code: 'ENOENT' } });
      mock.on('cat', { stdin: 'x' }).reply({});
      const before = timers();
      const running = await new mock.Command('p').runAsync();
      expect(timers()).to.equal(before + 1);
      await running.wait();
      await failure(new mock.Command('none').run());
      await failure(new mock.Command('cat', [], { stdin: { input: 'y' } }).run());
      expect(timers()).to.equal(before);
    });
  });

  it('leaves no handle open and no command registered', async () => {
    const mock = mocked({ chunks: [{ at: 5, stdout: 'x' }] });
    const before = process.getActiveResourcesInfo().length;
    const running = await new mock.Command('p', [], { stdout: 'pipe' }).runAsync();
    running.stdout.resume();
    await running.wait();
    for (let turn = 0; turn < 12; turn++) await new Promise(setImmediate);
    expect(process.getActiveResourcesInfo().length).to.be.at.most(before + 1);
  });
});
