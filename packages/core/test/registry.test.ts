import { expect } from 'chai';
import { abortAll, CommandAbortedError, CommandUsageError, overrideBackend, withBackend } from '@vircommand/core';
import { rejection, thrown } from './caught';
import { fake } from './fake-backend';

describe('overrides', () => {
  it('reach every command, beat even options.backend, and stack up', async () => {
    const [bound, given, first, second] = [fake(), fake(), fake(), fake()];
    const command = new bound.Command('x', [], { backend: given.backend });
    await command.run();
    const one = overrideBackend(first.backend);
    const two = overrideBackend(second.backend);
    await command.run();
    // Not in the order of their making, and twice.
    one[Symbol.dispose]();
    one[Symbol.dispose]();
    await command.run();
    two[Symbol.dispose]();
    await command.run();
    expect([bound, given, first, second].map(({ programs }) => programs.length)).to.deep.equal([0, 2, 0, 2]);
  });

  it('withBackend() reaches what the function calls, also later, and nobody else', async () => {
    const [bound, mine, wide] = [fake(), fake(), fake()];
    using override = overrideBackend(wide.backend);
    override;
    const inside = withBackend(mine.backend, async () => {
      await new Promise(setImmediate);
      return new bound.Command('x').run();
    });
    await Promise.all([inside, new bound.Command('y').run()]);
    expect([bound, mine, wide].map(({ programs }) => programs.length)).to.deep.equal([0, 1, 1]);
    expect(withBackend(mine.backend, () => 5)).to.equal(5);
  });

  it('what is no backend is said at once', () => {
    for (const nothing of [undefined, null, {}, { contract: 2 }]) {
      const error = thrown(() => overrideBackend(nothing as never), CommandUsageError);
      expect(error.code).to.equal('ERR_COMMAND_CONTRACT');
      thrown(() => withBackend(nothing as never, () => 1), CommandUsageError);
    }
  });
});

describe('abortAll()', () => {
  it('leaves daemons alone, and what is over', async () => {
    const made = fake((p) => p.exit());
    await new made.Command('d').daemonize().run();
    await abortAll();
    expect(made.program.signals).to.deep.equal([]);
  });

  it('comes to an end though somebody starts again what has ended; afterwards all is as before', async () => {
    const made = fake(() => undefined);
    const keepRunning = async (): Promise<CommandAbortedError> => {
      await new made.Command('x').run().catch(() => undefined);
      return rejection(new made.Command('x').run(), CommandAbortedError);
    };
    const kept = [keepRunning(), keepRunning()];
    // This one would keep the event loop from turning.
    const shutdown = { over: false };
    const stubborn = (async () => {
      while (!shutdown.over) await new made.Command('y').run().catch(() => undefined);
    })();
    await new Promise(setImmediate);
    made.program.traps.add('SIGTERM');
    const all = abortAll({ killDelay: 10 });
    for (const call of ['runSync', 'exec'] as const) {
      const error = thrown(() => new made.Command('x')[call](), CommandAbortedError);
      expect(error.result).to.include({ pid: undefined, exitCode: undefined, aborted: true, ended: 'none' });
    }
    await new Promise(setImmediate);
    shutdown.over = true;
    await made.clock.advance(10);
    await all;
    await stubborn;
    for (const error of await Promise.all(kept))
      expect([error.reason, error.result.pid]).to.deep.equal([undefined, undefined]);
    expect(made.programs).to.have.length(3);
    const running = await new made.Command('x').runAsync();
    await running.abort();
  });

  it('starts nothing new until it resolves, also where nothing runs', async () => {
    const made = fake();
    const all = abortAll();
    await rejection(new made.Command('x').run(), CommandAbortedError);
    thrown(() => new made.Command('x').runSync(), CommandAbortedError);
    await all;
    expect(made.programs).to.have.length(0);
    await new made.Command('x').run();
  });

  it('gives the grace that it is told', async () => {
    const made = fake();
    const waiting = fake((p) => p.traps.add('SIGTERM'));
    const running = await new waiting.Command('x').runAsync();
    await new Promise(setImmediate);
    const all = abortAll({ killDelay: 70 });
    await waiting.clock.advance(69);
    expect(waiting.program.over).to.equal(false);
    await waiting.clock.advance(1);
    await all;
    expect(waiting.program.over).to.equal(true);
    await running.wait().catch(() => undefined);
    expect(made.programs).to.have.length(0);
  });

  it('with wrong options does nothing but say so', async () => {
    const made = fake(() => undefined);
    const running = await new made.Command('x').runAsync();
    await rejection(abortAll({ killDelay: -1 }), CommandUsageError);
    await rejection(abortAll({ kilDelay: 1 } as never), CommandUsageError);
    expect(made.program.signals).to.deep.equal([]);
    await running.abort();
  });
});
