import { expect } from 'chai';
import { createMock, type Answer } from '@vircommand/mock';
import { thrown } from './failures';

/** A mock that answers everything so. */
function mocked(answer: Answer) {
  const mock = createMock();
  mock.on('p').reply(answer).always();
  return mock;
}

describe('a synchronous run of a fake program', () => {
  it('captures, merges, and takes stdin and send buffers', () => {
    const mock = mocked({ chunks: [{ stdout: 'a' }, { stderr: 'b' }, { at: 5000, stdout: 'c' }], exitCode: 3 });
    const apart = new mock.Command('p', [], { stdout: 'text', stderr: 'bytes' }).runSync({ check: false });
    expect([apart.stdout, apart.stderr.toString(), apart.exitCode, apart.durationMs]).to.deep.equal([
      'ac',
      'b',
      3,
      5000,
    ]);
    const merged = new mock.Command('p', [], { stdout: 'text', stderr: 'stdout', stdin: { input: 'in' } });
    expect(merged.setSendBuffer(4, 'four').runSync({ check: false }).stdout).to.equal('abc');
    expect(mock.calls[1]?.stdin.toString()).to.equal('in');
    expect(mock.calls[1]?.sendBuffers[4]?.toString()).to.equal('four');
  });

  it('keeps the deadline and escalates', () => {
    const mock = mocked({ stdout: 'x', never: true, onSignal: { SIGTERM: 'ignore' } });
    const error = thrown(() => new mock.Command('p', [], { stdout: 'text' }).runSync({ timeout: 100, killDelay: 200 }));
    expect(error.name).to.equal('CommandTimeoutError');
    expect(error.result).to.include({ stdout: 'x', signal: 'SIGKILL', durationMs: 300, ended: 'tree' });
    expect(mock.onlyCall().signals).to.deep.equal(['SIGTERM', 'SIGCONT', 'SIGKILL']);
  });

  it('keeps output limits exactly, ending the program or cutting', () => {
    const mock = mocked({ chunks: [{ stdout: 'abc' }, { stderr: 'def' }], after: 10 });
    const command = new mock.Command('p', [], { stdout: 'text', stderr: 'text' });
    const error = thrown(() => command.runSync({ outputLimit: { stdout: 2 } }));
    expect(error).to.include({ name: 'OutputLimitError', stream: 'stdout', limit: 2 });
    expect(error.result).to.include({ stdout: 'ab', outputComplete: false });
    const total = thrown(() => command.runSync({ outputLimit: { total: 5 } }));
    expect(total).to.include({ stream: 'total', limit: 5 });
    expect(total.result).to.include({ stdout: 'abc', stderr: 'de' });
    const cut = command.runSync({ outputLimit: { stderr: 1, onExceed: 'truncate' } });
    expect(cut).to.include({ stdout: 'abc', stderr: 'd', outputComplete: false });
  });

  it('drains for a bounded time what something else holds open', () => {
    const mock = mocked({ stdout: 'x', heldOpen: ['stdout'] });
    const result = new mock.Command('p', [], { stdout: 'text' }).runSync({ drainDelay: 70 });
    expect(result).to.include({ stdout: 'x', outputComplete: false, durationMs: 70 });
  });

  it('the tail of stderr is in the error', () => {
    const mock = mocked({ stderr: 'why\n', exitCode: 1 });
    expect(thrown(() => new mock.Command('p').runSync()).message).to.equal('Command failed with exit code 1: p\nwhy');
  });

  it('of what never ends, what is a promise and what is JavaScript is an error that says so', () => {
    expect(thrown(() => new (mocked({ never: true }).Command)('p').runSync()).message).to.contain(
      'would block for ever',
    );
    const mock = createMock();
    mock.on('promise').reply(() => Promise.resolve({}));
    mock.on('body').program(() => Promise.resolve());
    expect(thrown(() => new mock.Command('promise').runSync()).message).to.contain('is a promise');
    expect(thrown(() => new mock.Command('body').runSync()).message).to.contain('is a program in JavaScript');
  });

  it('takes its time from the virtual clock', async () => {
    const mock = mocked({ after: 700 });
    new mock.Command('p').runSync();
    expect(mock.clock!.now()).to.equal(700);
    await new mock.Command('p').run();
    expect(mock.clock!.now()).to.equal(1400);
  });
});
