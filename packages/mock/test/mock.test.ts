import { expect } from 'chai';
import { inspect } from 'node:util';
import { Command as UnboundCommand, CommandUsageError, overrideBackend, withBackend } from '@vircommand/core';
import { Command as RealCommand } from '@vircommand/child-process';
import { createDryRun, createMock, createRecorder, MockError } from '@vircommand/mock';
import { failure, thrown } from './failures';

const text = async (Command: typeof RealCommand, program = 'p') =>
  (await new Command(program, [], { stdout: 'text' }).run()).stdout;

describe('what is given to createMock() and the like', () => {
  const wrong: readonly (readonly [unknown, string])[] = [
    [{ ordr: 'strict' }, "there is no option 'ordr'; did you mean 'order'?"],
    [{ order: 'stict' }, "option 'order' must be 'per-program' or 'strict', not the string 'stict'"],
    [{ time: 'vitual' }, "option 'time' must be 'virtual' or 'real', not the string 'vitual'"],
    [{ features: 'cwd' }, "option 'features' must be an array of features, not the string 'cwd'"],
    ['x', "options must be an object, not the string 'x'"],
    [null, 'options must be an object, not null'],
  ];
  for (const [options, message] of wrong) {
    it(`is refused: ${inspect(options)}`, () => {
      const error = thrown(() => createMock(options as never));
      expect(error).to.be.instanceOf(MockError).with.property('code', 'ERR_MOCK_USAGE');
      expect(error.message).to.equal(`createMock(): ${message}`);
    });
  }

  it('is a function that gives the answer of a dry run', () => {
    const error = thrown(() => createDryRun({ exitCode: 3 } as never));
    expect(error).to.be.instanceOf(MockError).with.property('code', 'ERR_MOCK_USAGE');
    expect(error.message).to.match(/^createDryRun\(\): the answer must be a function .*, not an object$/);
  });

  it('is a backend and a function for the recorder', () => {
    const none = thrown(() => createRecorder({} as never, () => undefined));
    expect(none).to.be.instanceOf(CommandUsageError).with.property('code', 'ERR_COMMAND_CONTRACT');
    expect(none.message).to.contain('createRecorder(): the backend speaks contract undefined');
    const deaf = thrown(() => createRecorder(createMock(), { sink: console.log } as never));
    expect(deaf).to.be.instanceOf(MockError).with.property('code', 'ERR_MOCK_USAGE');
    expect(deaf.message).to.match(/^createRecorder\(\): the sink must be a function .*, not an object$/);
  });
});

describe('a mock', () => {
  it('install() reaches code that imports Command from anywhere, until it is disposed', async () => {
    const mock = createMock();
    mock.on('echo').reply({ stdout: 'fake' }).always();
    const installed = mock.install();
    try {
      expect(await text(RealCommand, 'echo')).to.equal('fake');
      expect(await text(UnboundCommand, 'echo')).to.equal('fake');
    } finally {
      installed[Symbol.dispose]();
      installed[Symbol.dispose]();
    }
    expect(await text(RealCommand, 'echo')).to.equal('\n');
    expect(await failure(new UnboundCommand('echo').run())).to.have.property('code', 'ERR_COMMAND_USAGE');
  });

  it('writes out control characters of what it refuses, in every error and its causes', async () => {
    const mock = createMock();
    const path = 'git\x1b[K';
    mock
      .on('none')
      .reply({ startError: { stage: 'exec', code: 'ENOENT', path } })
      .always();
    const said = () => new mock.Command('none');
    const unexpected = () => new mock.Command(path);
    const errors = [await failure(said().run()), thrown(() => said().runSync()), await failure(unexpected().run())];
    errors.push(
      thrown(() => unexpected().runSync()),
      thrown(() => {
        mock.expectDone();
      }),
    );
    for (const error of errors) {
      expect(error.message).to.contain(String.raw`git\x1b[K'`);
      expect(inspect(error)).not.to.match(/[^\P{Cc}\t\n]/u);
    }
    expect(errors[0]).to.have.property('path', path);
  });

  it('disposing the mock takes its overrides back, ends what runs, and refuses what comes', async () => {
    const mock = createMock();
    mock.on('p').reply({ never: true }).always();
    mock.install();
    mock.install();
    const running = await new RealCommand('p').runAsync();
    mock[Symbol.dispose]();
    expect((await failure(running.wait())).signal).to.equal('SIGKILL');
    expect(await text(RealCommand, 'echo')).to.equal('\n');
    expect((await failure(new mock.Command('p').run())).message).to.contain('the mock is disposed');
    expect(thrown(() => new mock.Command('p').runSync()).message).to.contain('the mock is disposed');
  });

  it('works with overrideBackend() and, for tests at the same time, withBackend()', async () => {
    const mocks = ['a', 'b'].map((stdout) => {
      const mock = createMock();
      mock.on('p').reply({ stdout, after: 100 }).always();
      return mock;
    });
    expect(await Promise.all(mocks.map((mock) => withBackend(mock, () => text(RealCommand))))).to.deep.equal([
      'a',
      'b',
    ]);
    const override = overrideBackend(mocks[0]!);
    expect(await text(UnboundCommand)).to.equal('a');
    override[Symbol.dispose]();
  });

  it('says of what it cannot do who takes it: no backend that starts programs', async () => {
    const { Command } = createMock({ features: ['sync'] });
    expect((await failure(new Command('p').setOutputFd(1).run())).message).to.equal(
      "No mock can do 'fd-stdio' (stdio from and to descriptors); createDryRun() notes such a command, and can answer it: p",
    );
    expect((await failure(new Command('p').setUmask(0).run())).message).to.equal(
      "This mock was made without 'umask' (file mode creation mask); name it in the features of createMock(): p",
    );
  });

  it('tells its calls: program, arguments, environment, cwd, stdin, signals, redacted text', async () => {
    const mock = createMock();
    mock.on('p').reply({}).always();
    await new mock.Command('p', ['a b', Buffer.of(0xff)], { env: { A: '1' }, cwd: '/x', stdin: { input: 'in' } }).run();
    const call = mock.onlyCall();
    expect(call).to.deep.include({ program: 'p', args: ['a b', '\ufffd'], env: { A: '1' }, cwd: '/x', signals: [] });
    expect(call.stdin.toString()).to.equal('in');
    expect(call.plan.argv[2]).to.deep.equal({ base64: '/w==' });
    expect(call.text).to.equal(`A=1 p 'a b' "$(printf '\\377')"`);
    await new mock.Command('p').run();
    expect(mock.calls[1]?.env).to.equal('inherit');
    expect(mock.transcript()).to.equal(`${call.text}\np\n`);
  });

  it('onlyCall() throws unless there was exactly one', async () => {
    const mock = createMock();
    mock.on('p').reply({}).always();
    expect(thrown(() => mock.onlyCall())).to.include({ code: 'ERR_MOCK_CALL_COUNT' });
    await new mock.Command('p', ['1']).run();
    expect(mock.onlyCall().args).to.deep.equal(['1']);
    await new mock.Command('p', ['2']).run();
    expect(thrown(() => mock.onlyCall()).message).to.equal('Expected one call, there was 2 calls:\np 1\np 2\n');
  });

  it('real time on request', async () => {
    const mock = createMock({ time: 'real' });
    mock.on('p').reply({ after: 30 }).always();
    const begun = performance.now();
    await new mock.Command('p').run();
    new mock.Command('p').runSync();
    expect(performance.now() - begun).to.be.at.least(58);
    expect(mock.calls.length).to.equal(2);
  });
});

describe('exec() of a mock', () => {
  it('notes the call, and leaves the code under test with an error of its own', () => {
    const mock = createMock();
    mock.on('nginx', ['-g', 'daemon off;']).reply({});
    const error = thrown(() => new mock.Command('nginx', ['-g', 'daemon off;'], { uid: 33, stderr: 'stdout' }).exec());
    expect(error).to.include({ name: 'MockError', code: 'ERR_MOCK_EXECUTED' });
    expect(error.message).to.contain("nginx -g 'daemon off;'");
    expect(mock.onlyCall().plan.privileged.uid).to.equal(33);
    mock.expectDone();
  });

  it('fails as a start does where the script says so, and where nobody expects it', () => {
    const mock = createMock();
    mock.on('none').reply({ startError: { stage: 'exec', code: 'ENOEXEC' } });
    expect(thrown(() => new mock.Command('none').exec())).to.include({ stage: 'exec', code: 'ENOEXEC' });
    expect(thrown(() => new mock.Command('other').exec()).message).to.contain('other');
    expect(mock.calls).to.have.length(2);
    expect(() => {
      mock.expectDone();
    }).to.throw('other');
    mock[Symbol.dispose]();
    expect(thrown(() => new mock.Command('none').exec()).message).to.contain('the mock is disposed');
  });

  it('is noted by a dry run too, and is nothing that a recording could have', () => {
    const dry = createDryRun();
    expect(thrown(() => new dry.Command('sh', ['-l']).exec())).to.include({ code: 'ERR_MOCK_EXECUTED' });
    expect(dry.text).to.equal('sh -l\n');
    const spy = createRecorder(createMock(), () => undefined);
    const refused = thrown(() => new UnboundCommand('p', [], { backend: spy }).exec());
    expect(refused).to.include({ feature: 'exec', message: 'After exec() no recorder is left to be told: p' });
  });
});
