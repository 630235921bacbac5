import { inspect } from 'node:util';
import { expect } from 'chai';
import * as core from '@vircommand/core';
import { bindCommand, startError, STAGES } from '@vircommand/core/backend';
import { rejection } from './caught';
import { fake } from './fake-backend';
import { secondCopy } from './subject';
import { turns } from './virtual-clock';

/** Every error that a user can meet, from what makes it. */
async function everyError(): Promise<Error[]> {
  const idle = (): void => undefined;
  const late = fake(idle);
  const timeout = rejection(new late.Command('x', [core.secret('hunter2')]).run({ timeout: 1 }), Error);
  await late.clock.advance(1);
  return [
    await rejection(new (fake().Command)('x').setUid(-1).run(), Error),
    await rejection(new (fake(idle, { features: [] }).Command)('x').setUid(1).run(), Error),
    await rejection(new (fake(idle, { start: () => Promise.reject(new Error('no')) }).Command)('x').run(), Error),
    await rejection(new (fake((p) => p.exit(1)).Command)('x').run(), Error),
    await timeout,
    await rejection(new (fake().Command)('x').run({ signal: AbortSignal.abort() }), Error),
    await rejection(
      new (fake((p) => p.write('stdout', 'ab')).Command)('x').setOutputBuffer().run({ outputLimit: 1 }),
      Error,
    ),
    await rejection(new (fake((p) => p.stdout?.destroy(new Error('io'))).Command)('x').setOutputBuffer().run(), Error),
  ];
}

const classes = [
  'CommandUsageError',
  'UnsupportedFeatureError',
  'CommandStartError',
  'CommandExitError',
  'CommandTimeoutError',
  'CommandAbortedError',
  'OutputLimitError',
  'CommandIoError',
] as const;
const codes = 'USAGE UNSUPPORTED START EXIT TIMEOUT ABORTED OUTPUT_LIMIT IO'
  .split(' ')
  .map((name) => `ERR_COMMAND_${name}`);

describe('errors', () => {
  it('each has its class, its code and no other class', async () => {
    const errors = await everyError();
    expect(errors.map((error) => error.name)).to.deep.equal(classes);
    expect(errors.map((error) => Reflect.get(error, 'code') as unknown)).to.deep.equal(codes);
    for (const [index, error] of errors.entries()) {
      const own = classes.filter((name) => error instanceof core[name]);
      expect(own).to.deep.equal([classes[index]]);
      expect([error instanceof core.CommandError, error instanceof Error]).to.deep.equal([true, true]);
      expect(error instanceof core.CommandFailedError).to.equal(index >= 3);
    }
  });

  it('`instanceof` holds across copies of core, both ways', async () => {
    const other = secondCopy();
    expect(other.CommandUsageError).to.not.equal(core.CommandUsageError);
    for (const [index, error] of (await everyError()).entries()) {
      const name = classes[index]!;
      expect([error instanceof other[name], error instanceof other.CommandError]).to.deep.equal([true, true]);
    }
    const theirs = await rejection(
      new other.Command('x', [], { backend: fake((p) => p.exit(9)).backend }).run(),
      core.CommandExitError,
    );
    expect([theirs instanceof other.CommandExitError, theirs.exitCode]).to.deep.equal([true, 9]);
    expect([{}, null, 5, new Error('x')].some((value: unknown) => value instanceof core.CommandError)).to.equal(false);
  });

  it('a subclass of a user is its own', () => {
    class Mine extends core.CommandUsageError {}
    const mine = new Mine('call()', 'reason', { command: '' });
    const plain = new core.CommandUsageError('call()', 'reason', { command: '' });
    expect([mine instanceof Mine, mine instanceof core.CommandUsageError, plain instanceof Mine]).to.deep.equal([
      true,
      true,
      false,
    ]);
  });

  it('show no output beyond the tail, no secret, and abbreviate a long command', async () => {
    const { Command } = fake((p) => p.write('stdout', 'much output').write('stderr', 'tail').exit(1));
    const command = new Command('x', [core.secret('hunter2'), 'y'.repeat(100_000)]).addEnvPair(
      'T',
      core.secret('hunter3'),
    );
    const error = await rejection(command.setOutputBuffer().run(), core.CommandExitError);
    for (const text of [inspect(error), JSON.stringify(error), error.message, error.stack ?? '', error.command]) {
      expect(text).not.to.match(/hunter|much output/);
      expect(text.length).to.be.lessThan(12_000);
    }
    expect(error.command).to.contain('(100');
    expect(error.result.stdout).to.equal('much output');
  });

  it('make no terminal act on what a program wrote, and keep it as data', async () => {
    const colours = '\x1b[31mred\x1b[0m!\x07\r\n10%\r20%\t\x9b31mø';
    const link = '\x1b]8;;https://example.org\x07a link\x1b]8;;\x07';
    const written = `${colours}\r\n\x1b]0;title\x07\x1b[2Jcleared ${link}\n\x1b[0m`;
    const { Command } = fake((p) => p.write('stderr', written).exit(1));
    const error = await rejection(new Command('x').run(), core.CommandExitError);
    expect(error.message).to.equal('Command failed with exit code 1: x\nred!\\x07\n10%\\r20%\tø\ncleared a link');
    expect(error.stack).not.to.match(/[^\P{Cc}\t\n]/u);
    expect(error.stderrTail).to.equal(written);
  });

  it('show every control character of what a caller gave, and leave out none', async () => {
    const { Command } = fake((p) => p.exit(1));
    const command = new Command('/bin/ls\x1b[K', ['a\x1b]0;title\x07b\nc', 'price \x1b[5 apples', '\x9b0m\r\n']);
    const error = await rejection(command.run(), core.CommandExitError);
    expect(error.message).to.equal(
      String.raw`Command failed with exit code 1: '/bin/ls\x1b[K' 'a\x1b]0;title\x07b` +
        '\n' +
        String.raw`c' 'price \x1b[5 apples' '\x9b0m\r` +
        "\n'",
    );
    expect(error.stack).not.to.match(/[^\P{Cc}\t\n]/u);
    expect(error.command).to.equal(command.toString()).and.to.contain('/bin/ls\x1b[K');

    const usage = await rejection(new Command('x').run({ ['x\x1b[2Jy']: 1 } as never), core.CommandUsageError);
    expect(usage.reason).to.equal(String.raw`there is no option 'x\x1b[2Jy'`);
    expect(usage.message).to.equal(`run(): ${usage.reason}`);

    const start = startError('exec', Object.assign(new Error('no such file: /bin/sh\r'), { code: 'ENOENT' }));
    expect(start.message).to.match(/no such file: \/bin\/sh\\r$/);
    expect(startError('cwd', "'\x1b[K' is none").reason).to.equal(String.raw`'\x1b[K' is none`);
  });

  it('of an exit of which nothing is known say so', async () => {
    const lost = { exitCode: undefined, signal: undefined, coreDumped: undefined };
    const { result } = await rejection(
      new core.Command('x', [], { backend: fake((p) => p.exit(1)).backend }).run(),
      core.CommandExitError,
    );
    const details = { command: 'x', result: { ...result, ...lost }, stderrTail: '' };
    expect(new core.CommandExitError(details).message).to.equal('Command ended, but its exit status is unknown: x');
  });

  it('of a missing feature name another backend that has it, and never the one that has not', () => {
    const message = (backend: string, ...availableIn: string[]): string =>
      new core.UnsupportedFeatureError('umask', { summary: 'mask', availableIn }, { command: 'x', backend }).message;
    expect(message('child-process', 'posix', 'mock')).to.equal(
      "The backend child-process cannot do 'umask' (mask); use the backend posix: x",
    );
    expect(message('posix', 'posix', 'mock')).to.equal(
      "The backend posix cannot do 'umask' (mask); it can in other processes: " +
        'a single executable application has no launcher, for instance: x',
    );
    expect(message('posix', 'mock')).to.equal(
      "The backend posix cannot do 'umask' (mask); no backend that starts programs has it yet: x",
    );
  });

  it('of a missing feature say what the backend says, where it knows better', async () => {
    const { backend } = fake(undefined, { features: [] });
    const whyNot = (feature: string) => (feature === 'cwd' ? 'This one stays at home' : undefined);
    const Command = bindCommand({ ...backend, whyNot });
    const home = await rejection(new Command('x').setWorkingDirectory('/').run(), core.UnsupportedFeatureError);
    expect(home).to.include({ message: 'This one stays at home: x', feature: 'cwd', backend: 'fake' });
    const mask = await rejection(new Command('x').setUmask(0).run(), core.UnsupportedFeatureError);
    expect(mask.message).to.contain("The backend fake cannot do 'umask'");
  });

  it('no stage lacks its words', () => {
    for (const [stage, words] of Object.entries(STAGES)) {
      expect(startError(stage as core.Stage, 'reason').message)
        .to.contain(words)
        .and.contain(`(stage ${stage})`);
    }
  });

  it('of a start with a reason of several lines have the command on a line of its own', () => {
    const details = { command: 'git a', cause: undefined };
    expect(new core.CommandStartError('backend', 'one', details).message).to.match(/: one: git a$/);
    expect(new core.CommandStartError('backend', 'one\n  two', details).message).to.match(
      /: one\n {2}two\nCommand: git a$/,
    );
  });

  it('startError() names the path that is wrong', () => {
    const cause = Object.assign(new Error('EACCES: denied'), { code: 'EACCES', errno: -13, syscall: 'open' });
    const error = startError('stdio', cause, '/f');
    expect(error).to.include({ stage: 'stdio', code: 'EACCES', errno: -13, syscall: 'open', path: '/f', cause });
    expect(error.reason).to.equal("EACCES: denied, '/f'");
  });

  it('startError() writes out control characters in the text of its causes, and in nothing else of them', () => {
    const path = '/bin/ls\x1b[K';
    const system = Object.assign(new Error(`spawn ${path} ENOENT`), { code: 'ENOENT', path, syscall: `spawn ${path}` });
    const sentence = Object.assign(new Error(`there is no '${path}'`, { cause: system }), { code: 'ENOENT' });
    const error = startError('exec', sentence, path);
    expect(error.reason).to.equal(String.raw`there is no '/bin/ls\x1b[K'`);
    expect(error.path).to.equal(path);
    expect(inspect(error)).not.to.match(/[^\P{Cc}\t\n]/u);
    expect(error.cause).to.equal(sentence);
    expect(system).to.include({ message: String.raw`spawn /bin/ls\x1b[K ENOENT`, path, syscall: `spawn ${path}` });
    const frozen = Object.freeze(new Error('\x1b[K'));
    expect(startError('exec', frozen).reason).to.equal(String.raw`\x1b[K`);
  });

  it('what a backend throws that is no start error stays as it is, as the cause', async () => {
    const foreign = new Error('of \x1b[K');
    const { Command } = fake(undefined, { start: () => Promise.reject(foreign) });
    const error = await rejection(new Command('x').run(), core.CommandStartError);
    expect(error.reason).to.equal(String.raw`of \x1b[K`);
    expect(error.cause).to.equal(foreign).with.property('message', 'of \x1b[K');
  });
});

describe('two copies of core in one process', () => {
  const other = secondCopy();

  it('know each other’s commands and secrets', async () => {
    const made = fake();
    const theirs = new other.Command('x', [core.secret('hush')], { backend: made.backend });
    expect([theirs instanceof core.Command, new made.Command('y') instanceof other.Command]).to.deep.equal([
      true,
      true,
    ]);
    expect(String(theirs)).to.equal("x '***'");
    await theirs.run();
    expect(made.plan.argv).to.deep.equal(['x', 'hush']);
    expect(String(new made.Command('x', [other.secret('hush')]))).to.equal("x '***'");
  });

  it('share overrides and abortAll()', async () => {
    const [ours, theirs] = [fake(() => undefined), fake()];
    {
      using override = other.overrideBackend(ours.backend);
      override;
      const running = await new theirs.Command('x').runAsync();
      await turns();
      await other.abortAll({ killDelay: 0 });
      await rejection(running.wait(), core.CommandAbortedError);
      expect([ours.programs.length, theirs.programs.length]).to.deep.equal([1, 0]);
    }
    await new theirs.Command('x').run();
    expect(theirs.programs).to.have.length(1);
  });
});
