import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { expect } from 'chai';
import {
  Command as Unbound,
  CommandAbortedError,
  CommandStartError,
  CommandUsageError,
  secret,
  UnsupportedFeatureError,
  type Command,
} from '@vircommand/core';
import { bindCommand } from '@vircommand/core/backend';
import { rejection, thrown } from './caught';
import { fake } from './fake-backend';
import { turns } from './virtual-clock';

const isOpen = (fd: number): boolean => {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
};
const opened = (): number => openSync(__filename, 'r');

describe('a command', () => {
  it('is reusable, and every run has a snapshot: setters meanwhile are for the next one', async () => {
    const made = fake(() => undefined);
    const command = new made.Command('x', ['a']);
    const first = command.run();
    command.addArg('b').addEnvPair('A', '1').setUid(5);
    await turns();
    expect([made.plan.argv, made.plan.env, made.plan.privileged.uid]).to.deep.equal([['x', 'a'], 'inherit', undefined]);
    made.program.exit();
    await first;
    const second = command.run();
    await turns();
    expect([made.plan.argv, made.plan.privileged.uid]).to.deep.equal([['x', 'a', 'b'], 5]);
    made.program.exit();
    await second;
  });

  it('runs once at a time, however it runs', async () => {
    const made = fake(() => undefined);
    const command = new made.Command('x');
    const running = await command.runAsync();
    for (const other of [command.run(), command.runAsync(), command.runLines().next()]) {
      const error = await rejection(other, CommandUsageError);
      expect(error.message).to.contain('running already').and.contain('clone()');
    }
    thrown(() => command.runSync(), CommandUsageError);
    expect(made.programs).to.have.length(1);
    made.program.exit();
    await running.wait();
    expect(command.runSync().exitCode).to.equal(0);
  });

  it('may run again after every kind of failure', async () => {
    let failure = true;
    const made = fake(undefined, {
      start: (program) => (failure ? Promise.reject(new Error('no')) : Promise.resolve(program)),
    });
    const command = new made.Command('x');
    await rejection(command.run({ timeout: 0 }), CommandUsageError);
    await rejection(command.run({ signal: AbortSignal.abort() }), CommandAbortedError);
    await rejection(command.run(), CommandStartError);
    failure = false;
    expect((await command.run()).exitCode).to.equal(0);
  });

  it('clone() is independent, misuse and all', async () => {
    const made = fake();
    const command = new made.Command('x', ['a'], { env: { A: '1' } });
    const copy = command.clone().addArg('c').addEnvPair('B', '2').setMaxFiles(1);
    command.addArg('b');
    expect([String(command), String(copy)]).to.deep.equal(['A=1 x a b', 'A=1 B=2 x a c']);
    await Promise.all([command.run(), copy.run()]);
    const wrong = new made.Command('x').setUid(-1);
    expect(await rejection(wrong.clone().run(), CommandUsageError)).to.have.property('call', 'setUid()');
    expect(copy).to.be.instanceOf(made.Command);
  });

  it('getArgList() gives the arguments, secrets masked', () => {
    const { Command } = fake();
    const bytes = new Uint8Array([0xff]);
    expect(new Command('x', ['a', secret('b'), bytes]).addArgPair('c', secret('d')).getArgList()).to.deep.equal([
      'a',
      '***',
      bytes,
      'c=***',
    ]);
  });

  it('writeArgLog() writes unquoted, secrets masked, and ignores what the log does', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'arg-log-'));
    const file = path.join(directory, 'log');
    try {
      const fd = openSync(file, 'w');
      const { Command } = fake();
      const command = new Command('/bin/x', ["it's", 'a b']).addEnvPair('A', '1 2').addEnvPair('S', secret('hush'));
      command.writeArgLog(fd);
      command.writeArgLog({ fd });
      closeSync(fd);
      expect(readFileSync(file, 'utf8')).to.equal("A=1 2 S=*** /bin/x it's a b\n".repeat(2));
      command.writeArgLog(fd);
      expect((await command.run()).exitCode).to.equal(0);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('toStringFull() says what is wrong with its options', () => {
    const { Command } = fake();
    expect(new Command('/bin/x', ['-a']).toStringFull({ lineBreaks: true, stripPath: true })).to.equal(
      'x \\\n -a'.replace('\n ', '\n'),
    );
    expect(new Command('x').toStringFull({ linebreaks: true } as never)).to.equal(
      "<invalid command: toStringFull(): there is no option 'linebreaks'; did you mean 'lineBreaks'?>",
    );
  });

  describe('with descriptors to close in the parent', () => {
    const paths: Record<string, (command: Command) => unknown> = {
      'a start': (c) => c.run(),
      'a failed start': (c) => c.setWorkingDirectory('/fail').run(),
      'a usage error noted before': (c) => c.setUid(-1).run(),
      'a usage error of the run': (c) => c.run({ timeout: -1 }),
      'a usage error of the pattern': (c) => c.runRegex([]).next(),
      'a rule that is broken': (c) => c.setPidFile('/p').run(),
      'a feature that is missing': (c) => c.setNice(1).run(),
      'a synchronous run': (c) => c.runSync(),
      'a synchronous usage error': (c) => c.setUid(-1).runSync(),
      'an abort before the start': (c) => c.run({ signal: AbortSignal.abort() }),
      lines: (c) => c.runLines().next(),
    };
    const features = ['pass-fd', 'cwd', 'sync', 'pid-file', 'daemon'] as const;
    for (const [name, run] of Object.entries(paths)) {
      it(`${name}: closed once, and it runs no second time`, async () => {
        const made = fake(undefined, {
          features,
          start: (program) =>
            program.plan.cwd === undefined ? Promise.resolve(program) : Promise.reject(new Error('no')),
        });
        const [fd, kept] = [opened(), opened()];
        try {
          const command = new made.Command('x').passFd(fd, { closeInParent: true, as: 8 }).passFd(kept);
          await Promise.resolve()
            .then(() => run(command))
            .catch(() => undefined);
          await turns();
          expect([isOpen(fd), isOpen(kept)]).to.deep.equal([false, true]);
          const again = opened();
          expect(again).to.equal(fd);
          const error = await rejection(command.run(), CommandUsageError);
          if (error.call === 'run()') expect(error.message).to.contain('closed by the run before');
          expect(isOpen(again)).to.equal(true);
          closeSync(again);
        } finally {
          closeSync(kept);
        }
      });
    }

    it('those of a setter that was wrong otherwise are closed too', async () => {
      const fd = opened();
      await rejection(new (fake().Command)('x').passFd(fd, { as: 1, closeInParent: true }).run(), CommandUsageError);
      expect(isOpen(fd)).to.equal(false);
      const other = opened();
      const wrong = { as: 'x', closeInParent: true } as never;
      await rejection(new (fake().Command)('x').passFd(other, wrong).run(), CommandUsageError);
      expect(isOpen(other)).to.equal(false);
    });

    it('a descriptor that is given while the program starts is not that run’s', async () => {
      let go = (): void => undefined;
      const made = fake(undefined, {
        start: (program) => new Promise((resolve) => (go = () => resolve(program))),
      });
      const [first, second] = [opened(), opened()];
      const command = new made.Command('x').passFd(first, { closeInParent: true });
      const run = command.run();
      command.passFd(second, { closeInParent: true });
      go();
      await run;
      expect([isOpen(first), isOpen(second)]).to.deep.equal([false, true]);
      await rejection(command.run(), CommandUsageError);
      expect(isOpen(second)).to.equal(false);
    });

    it('a FileHandle closes itself', async () => {
      const handle = await open(__filename);
      await new (fake().Command)('x').passFd(handle, { closeInParent: true }).run();
      await turns();
      expect(handle.fd).to.equal(-1);
      const error = await rejection(new (fake().Command)('x').passFd(handle, { as: 7 }).run(), CommandUsageError);
      expect(error.message).to.equal('passFd(): the descriptor is closed');
    });

    it('cannot be cloned', () => {
      const error = thrown(
        () => new (fake().Command)('x').passFd(9, { closeInParent: true }).clone(),
        CommandUsageError,
      );
      expect(error.call).to.equal('clone()');
    });

    it('stay open where they stay the caller’s', async () => {
      const fd = opened();
      await new (fake().Command)('x').passFd(fd).setInputFd(fd).run();
      expect(isOpen(fd)).to.equal(true);
      closeSync(fd);
    });
  });

  describe('and its backend', () => {
    it('needs one', async () => {
      const error = await rejection(new Unbound('x').run(), CommandUsageError);
      expect(error.message).to.contain('has no backend');
      const { backend } = fake();
      expect((await new Unbound('x', [], { backend }).run()).exitCode).to.equal(0);
      expect([Unbound.backend, bindCommand(backend).backend]).to.deep.equal([undefined, backend]);
    });

    it('a function is called at the first run, once', async () => {
      let calls = 0;
      const { backend } = fake();
      const Command = bindCommand(() => (calls++, backend));
      const command = new Command('x');
      expect(calls).to.equal(0);
      await command.run();
      await new Command('y').run();
      expect([calls, Command.backend]).to.deep.equal([1, backend]);
    });

    it('a function that throws is a failed start of stage backend, or its own error', async () => {
      const Broken = bindCommand(() => {
        throw new Error('no library');
      });
      const error = await rejection(new Broken('x').run(), CommandStartError);
      expect(error).to.include({ stage: 'backend', command: 'x' });
      const Choosy = bindCommand(() => {
        throw new CommandUsageError('VIRCOMMAND_BACKEND', 'unknown', { command: '' });
      });
      await rejection(new Choosy('x').run(), CommandUsageError);
    });

    const { backend } = fake();
    const broken: Record<string, unknown> = {
      'another contract': { ...backend, contract: 2 },
      'no contract': { ...backend, contract: undefined },
      'no name': { ...backend, name: '' },
      'no features': { ...backend, features: new Set() },
      'unknown features': { ...backend, features: ['teleport'] },
      'no start()': { ...backend, start: undefined },
      'a whyNot that cannot be asked': { ...backend, whyNot: 'no' },
      nothing: null,
    };
    for (const [what, value] of Object.entries(broken)) {
      it(`${what} is ERR_COMMAND_CONTRACT at the binding, and nothing runs`, async () => {
        const error = thrown(() => bindCommand(value as never), CommandUsageError);
        expect(error.code).to.equal('ERR_COMMAND_CONTRACT');
        const late = await rejection(new (bindCommand(() => value as never))('x').run(), CommandUsageError);
        expect(late.code).to.equal('ERR_COMMAND_CONTRACT');
      });
    }

    it('the order of refusals: usage before unsupported', async () => {
      const { Command } = fake(undefined, { features: [] });
      await rejection(new Command('x').setNice(1).setUid(-1).run(), CommandUsageError);
      await rejection(new Command('x').setNice(1).run(), UnsupportedFeatureError);
    });

    it('who chooses says why it chose no better one', async () => {
      const { backend } = fake(undefined, { features: [] });
      const Command = bindCommand(
        () => backend,
        (chosen) => `not in place of ${chosen.name}`,
      );
      const { message } = await rejection(new Command('x').setUmask(0).clone().run(), UnsupportedFeatureError);
      expect(message).to.contain(`; use the backend posix, which was not taken: not in place of ${backend.name}: x`);
    });

    it('reasons that cannot be had do not take the place of the error', async () => {
      const { backend } = fake(undefined, { features: [] });
      const throws = (): never => {
        throw new RangeError('no');
      };
      for (const why of [throws, () => Promise.resolve('later'), () => 5, () => null]) {
        const Command = bindCommand(() => ({ ...backend, whyNot: why as never }), why as never);
        const { message } = await rejection(new Command('x').setUmask(0).run(), UnsupportedFeatureError);
        expect(message).to.match(/^The backend fake cannot do 'umask' \(.*\); use the backend posix: x$/);
      }
    });
  });
});
