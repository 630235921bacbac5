import { expect } from 'chai';
import { createMock } from '@vircommand/mock';
import { failure, thrown } from './failures';

describe('an answer', () => {
  it('is checked where it is written: fields, values, contradictions', () => {
    const table: readonly (readonly [unknown, string])[] = [
      [undefined, 'takes an answer'],
      [{ stdot: '' }, "there is no 'stdot'"],
      [{ toString: '' }, "there is no 'toString'"],
      [{ stdout: 5 }, 'stdout must be a string or a Uint8Array'],
      [{ exitCode: 256 }, 'exitCode must be an integer from 0 to 255'],
      [{ exitCode: 1.5 }, 'exitCode must'],
      [{ signal: 'TERM' }, 'signal must be the name of a signal'],
      [{ after: -1 }, 'after must be a number of milliseconds'],
      [{ after: Infinity }, 'after must'],
      [{ never: 'yes' }, 'never must be a boolean'],
      [{ chunks: [{ at: 5 }, { at: 4 }] }, 'chunks must be an array'],
      [{ chunks: [{ data: 'x' }] }, 'chunks must'],
      [{ startError: { stage: 'nowhere', code: 'X' } }, 'startError must have a stage'],
      [{ startError: { stage: 'exec' } }, 'startError must'],
      [{ onSignal: { SIGKILL: 'ignore' } }, 'onSignal must map signals (not SIGKILL, SIGSTOP)'],
      [{ onSignal: { SIGTERM: { after: -1 } } }, 'onSignal must'],
      [{ heldOpen: ['stdin'] }, 'heldOpen must'],
      [{ exitCode: 1, signal: 'SIGTERM' }, 'exitCode and signal contradict'],
      [{ never: true, exitCode: 0 }, 'contradict'],
      [{ chunks: [{ at: 100, stdout: 'x' }], after: 50 }, 'ends after 50 ms, its last chunk comes at 100 ms'],
      [{ startError: { stage: 'exec', code: 'ENOENT' }, stdout: 'x' }, 'what does not start writes nothing'],
    ];
    for (const [answer, message] of table) {
      const error = thrown(() =>
        createMock()
          .on('p')
          .reply(answer as never),
      );
      expect(error.code, message).to.equal('ERR_MOCK_USAGE');
      expect(error.message).to.contain(message);
    }
  });

  it('fields that are undefined are left out', async () => {
    const mock = createMock();
    mock.on('p').reply({ stdout: 'x', signal: undefined, exitCode: undefined, chunks: undefined });
    expect((await new mock.Command('p', [], { stdout: 'text' }).run()).stdout).to.equal('x');
  });

  it('is a copy: later changes of the bytes do nothing', async () => {
    const mock = createMock();
    const bytes = Buffer.from('before');
    mock.on('p').reply({ stdout: bytes }).always();
    bytes.fill('x');
    const command = new mock.Command('p', [], { stdout: 'bytes' });
    const { stdout } = await command.run();
    expect(stdout.toString()).to.equal('before');
    stdout.fill('y');
    expect((await command.run()).stdout.toString()).to.equal('before');
  });

  it('output, exit code, signal, usage and core dump come out as said', async () => {
    const mock = createMock();
    mock.on('a').reply({ stdout: 'o', stderr: 'e', exitCode: 3 });
    mock.on('b').reply({ signal: 'SIGSEGV', coreDumped: true, usage: { userMs: 5, maxRssKiB: 7 } });
    const a = await new mock.Command('a', [], { stdout: 'text', stderr: 'text' }).run({ check: false });
    expect([a.stdout, a.stderr, a.exitCode, a.signal, a.coreDumped]).to.deep.equal(['o', 'e', 3, undefined, false]);
    expect(a.usage).to.include({ userMs: 0, systemMs: 0 });
    const error = await failure(new mock.Command('b').run());
    expect(error).to.include({ code: 'ERR_COMMAND_SIGNAL', signal: 'SIGSEGV' });
    expect((error.result as { usage: object }).usage).to.include({ userMs: 5, maxRssKiB: 7, systemMs: 0 });
    expect(error.message).to.contain('(core dumped)');
  });

  it("start errors have stage, code, errno and path as a real backend's", async () => {
    const mock = createMock();
    mock.on('nope').reply({ startError: { stage: 'resolve', code: 'ENOENT', path: 'nope' } });
    mock.on('gone').reply({ startError: { stage: 'cwd', code: 'EACCES', path: '/root' } });
    mock.on('odd').reply({ startError: { stage: 'backend', code: 'ERR_COMMAND_START' } });
    const [nope, gone, odd] = await Promise.all(
      ['nope', 'gone', 'odd'].map((name) => failure(new mock.Command(name).run())),
    );
    expect(nope).to.include({
      name: 'CommandStartError',
      stage: 'resolve',
      code: 'ENOENT',
      // The search through PATH has none.
      errno: undefined,
      path: 'nope',
      backend: 'mock',
    });
    expect(nope?.message).to.match(/no such file or directory.*'nope'.*nope$/);
    expect(gone).to.include({ stage: 'cwd', code: 'EACCES', errno: -13, path: '/root' });
    expect(odd).to.include({ stage: 'backend', code: 'ERR_COMMAND_START' });
    mock.on('nope').reply({ startError: { stage: 'exec', code: 'ENOEXEC' } });
    expect(thrown(() => new mock.Command('nope').runSync())).to.include({ stage: 'exec', code: 'ENOEXEC' });
  });

  it('a start that fails cannot depend on stdin', () => {
    const script = createMock().on('p', { stdin: 'x' });
    expect(thrown(() => script.reply({ startError: { stage: 'exec', code: 'E' } })).message).to.contain(
      'cannot depend on stdin',
    );
  });
});
