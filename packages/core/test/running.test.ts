import { expect } from 'chai';
import { CommandAbortedError, CommandStartError, CommandUsageError } from '@vircommand/core';
import { startError } from '@vircommand/core/backend';
import { rejection, thrown } from './caught';
import { fake } from './fake-backend';
import { turns } from './virtual-clock';

const idle = (): void => undefined;

describe('a running command', () => {
  it('gives all who wait one promise', async () => {
    const made = fake((p) => p.exit(4));
    const running = await new made.Command('x').runAsync({ check: false });
    const waiting = Array.from({ length: 20 }, () => running.wait());
    expect(new Set(waiting).size).to.equal(1);
    expect((await Promise.all(waiting)).every(({ exitCode }) => exitCode === 4)).to.equal(true);
    expect((await running.wait()).exitCode).to.equal(4);
  });

  it('has the streams that were asked for, and no others', async () => {
    const made = fake(idle);
    const piped = await new made.Command('x').setInputFd('pipe').setOutputFd('pipe').runAsync();
    expect([piped.stdin, piped.stdout, piped.stderr]).to.deep.equal([
      made.program.stdin,
      made.program.stdout,
      undefined,
    ]);
    piped.stdin.end('hello');
    await turns();
    expect(made.program.stdin?.text).to.equal('hello');
    made.program.exit();
    await piped.wait();
    const none = await new made.Command('x').setInputBuffer('').setOutputBuffer().doAsyncIo().runAsync();
    expect([none.stdin, none.stdout, none.stderr]).to.deep.equal([undefined, undefined, undefined]);
    await turns();
    made.program.write('stdout', 'kept').exit();
    expect((await none.wait()).stdout).to.equal('kept');
  });

  it('an error of a stream that the caller does not look at ends nothing', async () => {
    const made = fake(idle);
    const running = await new made.Command('x').setInputFd('pipe').setOutputFd('pipe').runAsync();
    running.stdin.destroy(new Error('a'));
    running.stdout.destroy(new Error('b'));
    await turns();
    made.program.exit();
    expect((await running.wait()).exitCode).to.equal(0);
  });

  it('kill() sends one signal to the program only, and says whether it did', async () => {
    const made = fake((p) => p.traps.add('SIGUSR1'));
    const running = await new made.Command('x').rawStatus().runAsync();
    await turns();
    expect([running.kill('SIGUSR1'), running.kill()]).to.deep.equal([true, true]);
    expect(made.program.signals).to.deep.equal(['SIGUSR1 process', 'SIGTERM process']);
    expect((await running.wait()).signal).to.equal('SIGTERM');
    expect(running.kill()).to.equal(false);
    expect(thrown(() => running.kill('SIGNONE' as never), CommandUsageError).stack).to.match(
      /\n {4}at [^\n]*running\.test\.ts/,
    );
  });

  it('kill() takes a number, and the backend gets the name', async () => {
    const made = fake((p) => p.traps.add('SIGHUP').add('SIG34'));
    const running = await new made.Command('x').rawStatus().runAsync();
    await turns();
    expect([running.kill(1), running.kill(34), running.kill(9)]).to.deep.equal([true, true, true]);
    expect(made.program.signals).to.deep.equal(['SIGHUP process', 'SIG34 process', 'SIGKILL process']);
    expect((await running.wait()).signal).to.equal('SIGKILL');
  });

  it('abort() rejects wait(), resolves itself, also afterwards', async () => {
    const made = fake(idle);
    const running = await new made.Command('x').runAsync();
    await running.abort();
    await running.abort();
    expect((await rejection(running.wait(), CommandAbortedError)).result).to.include({
      aborted: true,
      signal: 'SIGTERM',
    });
  });

  it('abort() after its end closes pipes that somebody else holds and nobody reads', async () => {
    for (const reads of ['nothing', 'lines', 'data'] as const) {
      const made = fake((p) => p.write('stdout', 'ready\n').exit(0, 'pipes held'));
      const running = await new made.Command('x').setOutputFd('pipe').runAsync({ drainDelay: 100 });
      const lines = reads === 'lines' ? running.lines() : undefined;
      if (reads === 'data') running.stdout.on('data', () => undefined);
      await lines?.next();
      await made.clock.advance(100);
      expect((await running.wait()).outputComplete).to.equal(reads !== 'lines');
      expect(running.stdout.destroyed).to.equal(reads === 'lines');
      await Promise.all([running.abort(), running.abort()]);
      await made.clock.advance(100);
      expect([running.stdout.destroyed, made.clock.pending]).to.deep.equal([true, 0]);
    }
  });

  it('does not wait for who begins to read later, or not at all', async () => {
    const made = fake((p) => p.write('stdout', 'abc').exit());
    const running = await new made.Command('x').setOutputFd('pipe').runAsync();
    expect((await running.wait()).outputComplete).to.equal(true);
    expect(String(running.stdout.read())).to.equal('abc');
  });

  it('kill() of what is no signal says so', async () => {
    const made = fake(idle);
    const running = await new made.Command('x').runAsync();
    for (const signal of ['SIGNONE', Symbol('SIGTERM'), '9', 0, -9, 9.5, 65, NaN, null]) {
      thrown(() => running.kill(signal as never), CommandUsageError);
    }
    expect(made.program.signals).to.deep.equal([]);
    await running.abort();
  });

  it('abort() with wrong options does nothing but say so', async () => {
    const made = fake(idle);
    const running = await new made.Command('x').runAsync();
    for (const options of [{ killDelay: -1 }, { killDelay: NaN }, { killdelay: 5 }, 5]) {
      await rejection(running.abort(options as never), CommandUsageError);
    }
    expect(made.program.signals).to.deep.equal([]);
    await running.abort();
  });

  it('`await using` ends it on every way out of the block', async () => {
    for (const leave of ['end', 'return', 'throw'] as const) {
      const made = fake((p) => p.traps.add('SIGTERM'));
      const block = (async () => {
        await using running = await new made.Command('x').setOutputFd('pipe').runAsync({ killDelay: 50 });
        await turns();
        expect(running.pid).to.equal(100);
        if (leave === 'throw') throw new RangeError('out');
        return leave;
      })();
      const out = block.catch((error: unknown) => error);
      await turns(20);
      await made.clock.advance(50);
      expect(await out).to.satisfy((value: unknown) =>
        leave === 'throw' ? value instanceof RangeError : value === leave,
      );
      expect(made.program.signals).to.deep.equal(['SIGTERM tree', 'SIGCONT tree', 'SIGKILL tree']);
      expect([made.program.stdout?.destroyed, made.clock.pending]).to.deep.equal([true, 0]);
    }
  });

  it('`using` kills at once and disposes before it returns', async () => {
    const made = fake((p) => p.traps.add('SIGTERM'));
    let wait: Promise<unknown>;
    {
      using running = await new made.Command('x').setOutputFd('pipe').runAsync();
      wait = running.wait();
    }
    expect([made.program.signals, made.program.disposed]).to.deep.equal([['SIGKILL tree'], 1]);
    expect(made.program.stdout?.destroyed).to.equal(true);
    await rejection(wait, CommandAbortedError);
    expect(made.clock.pending).to.equal(0);
  });

  it('disposal after its end kills nobody', async () => {
    const made = fake();
    const running = await new made.Command('x').runAsync();
    await running.wait();
    running[Symbol.dispose]();
    await running[Symbol.asyncDispose]();
    expect(made.program.signals).to.deep.equal([]);
    expect((await running.wait()).exitCode).to.equal(0);
  });

  describe('with a handshake', () => {
    it('a program is held until it is told to go on; several may wait, one may notify', async () => {
      const made = fake(idle);
      const steps: string[] = [];
      const held = new made.Command('x').requireHandshake();
      const running = await held.runAsync();
      Object.assign(made.program.handshake!, {
        wait: () => Promise.resolve(steps.push('wait')),
        notify: () => Promise.resolve(steps.push('notify')),
      });
      await Promise.all([running.handshakeWait(), running.handshakeWait()]);
      await running.handshakeNotify();
      await rejection(running.handshakeNotify(), CommandUsageError);
      expect([steps, made.plan.handshake]).to.deep.equal([['wait', 'notify'], true]);
      made.program.exit();
      await running.wait();
    });

    it('a step that fails is the failure of the start, for wait() too', async () => {
      const made = fake(idle);
      const running = await new made.Command('x').requireHandshake().runAsync();
      made.program.handshake!.notify = () => Promise.reject(startError('exec', 'no such program'));
      const error = await rejection(running.handshakeNotify(), CommandStartError);
      expect(error).to.include({ stage: 'exec', command: 'x' });
      expect(await rejection(running.wait(), CommandStartError)).to.equal(error);
      expect([made.program.disposed, made.clock.pending]).to.deep.equal([1, 0]);
    });

    it('an end that was asked for is the end of the handshake, and never the other way round', async () => {
      for (const loses of ['notify', 'exited'] as const) {
        const made = fake(idle);
        const running = await new made.Command('x').requireHandshake().runAsync();
        const epipe = startError('handshake', 'EPIPE');
        if (loses === 'notify') made.program.handshake!.notify = () => Promise.reject(epipe);
        made.program.traps.add('SIGTERM');
        const aborted = running.abort();
        if (loses === 'exited') made.program.lose(epipe);
        else {
          await rejection(running.handshakeNotify(), CommandStartError);
          made.program.exit(0);
        }
        await rejection(running.wait(), CommandAbortedError);
        await aborted;
        expect([made.program.disposed, made.clock.pending]).to.deep.equal([loses === 'exited' ? 1 : 0, 0]);
      }
    });

    it('a handshake is refused without requireHandshake(), and requireHandshake() is refused by run()', async () => {
      const made = fake(idle);
      const running = await new made.Command('x').runAsync();
      await rejection(running.handshakeWait(), CommandUsageError);
      await rejection(running.handshakeNotify(), CommandUsageError);
      await running.abort();
      await rejection(new made.Command('x').requireHandshake().run(), CommandUsageError);
      thrown(() => new made.Command('x').requireHandshake().runSync(), CommandUsageError);
    });
  });
});
