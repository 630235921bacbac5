import { expect } from 'chai';
import { secret } from '@vircommand/core';
import { createMock, match, MockError } from '@vircommand/mock';
import { failure, thrown } from './failures';

describe('scripted answers', () => {
  it('come in the order of reply() for the same expectation, then are used up', async () => {
    const mock = createMock();
    mock.on('git', ['pull']).reply({ exitCode: 1 }).reply({ stdout: 'done\n' });
    const pull = new mock.Command('git', ['pull'], { stdout: 'text' });
    expect((await pull.run({ check: false })).exitCode).to.equal(1);
    expect((await pull.run()).stdout).to.equal('done\n');
    const error = await failure(pull.run());
    expect(error.code).to.equal('ERR_MOCK_UNEXPECTED_CALL');
    expect(error.stage).to.equal('backend');
    expect(error.cause).to.be.instanceOf(MockError).with.property('code', 'ERR_MOCK_UNEXPECTED_CALL');
    expect(error.message).to.contain('used 2 of 2 times; add .times(n) or .always()');
  });

  it('times(n) is for n calls, always() for any number', async () => {
    const mock = createMock();
    mock.on('a').reply({ exitCode: 0 }).times(2).reply({ exitCode: 7 }).always();
    const codes = [];
    for (let i = 0; i < 5; i++) codes.push((await new mock.Command('a').run({ check: false })).exitCode);
    expect(codes).to.deep.equal([0, 0, 7, 7, 7]);
    mock.expectDone();
    expect(thrown(() => mock.on('a').times(2)).message).to.contain('comes after reply()');
    for (const wrong of [0, -1, 1.5, NaN])
      expect(thrown(() => mock.on('a').reply({}).times(wrong)).code).to.equal('ERR_MOCK_USAGE');
  });

  it('per-program order: programs do not wait for each other, the first expectation that fits and is not used up answers', async () => {
    const mock = createMock();
    mock.on('a').reply({ stdout: '1' });
    mock.on('a').reply({ stdout: '2' });
    mock.on('b').reply({ stdout: '3' });
    const run = async (program: string) => (await new mock.Command(program, [], { stdout: 'text' }).run()).stdout;
    expect([await run('b'), await run('a'), await run('a')]).to.deep.equal(['3', '1', '2']);
  });

  for (const order of ['per-program', 'strict'] as const) {
    it(`${order} order: what was used up and passed over answers again after reply(), times() and always()`, async () => {
      const mock = createMock({ order });
      const first = mock.on('a').reply({ stdout: '1' });
      mock.on('a').reply({ stdout: '2' }).times(9);
      const run = async () => (await new mock.Command('a', [], { stdout: 'text' }).run()).stdout;
      const seen = [await run(), await run()];
      first.reply({ stdout: '3' });
      seen.push(await run(), await run());
      first.times(2);
      seen.push(await run(), await run());
      first.always();
      seen.push(await run(), await run());
      expect(seen.join('')).to.equal('12323233');
    });
  }

  it('strict order: a call out of turn fails and says whose turn it is', async () => {
    const mock = createMock({ order: 'strict' });
    mock.on('a').reply({});
    mock.on('b').reply({}).always();
    mock.on('c').reply({});
    const error = await failure(new mock.Command('c').run());
    expect(error.message).to.match(/1\. c <rest>.*\n {5}not its turn: first comes a <rest>/);
    await new mock.Command('a').run();
    await new mock.Command('b').run();
    await new mock.Command('b').run();
    await new mock.Command('c').run();
    const { message } = await failure(new mock.Command('b').run());
    expect(message)
      .to.contain('Unexpected call: b')
      .and.match(/ times; add .*\n.*\nCommand: b$/s);
  });

  it('environment, cwd and stdin are matched, too', async () => {
    const mock = createMock();
    const expectation = { args: [], env: { LANG: 'C', HOME: match.any() }, cwd: match.prefix('/srv'), stdin: 'in' };
    mock.on('p', expectation).reply({ stdout: 'ok' }).always();
    const run = (env: Record<string, string>, cwd: string, input: string) =>
      new mock.Command('p', [], { env, cwd, stdin: { input }, stdout: 'text' }).run();
    expect((await run({ LANG: 'C', HOME: '/x' }, '/srv/a', 'in')).stdout).to.equal('ok');
    expect((await failure(run({ LANG: 'D', HOME: '/x' }, '/srv/a', 'in'))).message).to.contain(
      "env LANG: expected 'C', got 'D'",
    );
    expect((await failure(run({ LANG: 'C' }, '/srv/a', 'in'))).message).to.contain(
      'env HOME: expected <any>, got (none)',
    );
    expect((await failure(run({ LANG: 'C', HOME: '/x' }, '/tmp', 'in'))).message).to.contain(
      "cwd: expected <prefix /srv>, got '/tmp'",
    );
    expect((await failure(run({ LANG: 'C', HOME: '/x' }, '/srv/a', 'out'))).message).to.contain(
      "stdin: expected 'in', got 'out'",
    );
  });

  it('an inherited environment is that of this process', async () => {
    const mock = createMock();
    process.env.VIRCOMMAND_MOCK_TEST = 'here';
    try {
      mock.on('p', { env: { VIRCOMMAND_MOCK_TEST: 'here' } }).reply({});
      await new mock.Command('p').run();
    } finally {
      delete process.env.VIRCOMMAND_MOCK_TEST;
    }
  });

  it('a function answers, sees all of stdin, and may be asynchronous', async () => {
    const mock = createMock();
    mock.on('tr').reply((call) => ({ stdout: call.stdin.toString().toUpperCase() }));
    mock.on('slow').reply(async (call) => {
      await Promise.resolve();
      return { stdout: call.args.join('+') };
    });
    const upper = new mock.Command('tr', [], { stdin: { input: 'abc' }, stdout: 'text' });
    expect((await upper.run()).stdout).to.equal('ABC');
    expect((await new mock.Command('slow', ['1', '2'], { stdout: 'text' }).run()).stdout).to.equal('1+2');
  });

  it('a function that throws, or answers nonsense, is an error that says so', async () => {
    const mock = createMock();
    const boom = new Error('boom');
    mock.on('a').reply(() => {
      throw boom;
    });
    mock.on('b').reply(() => ({ exitcode: 1 }) as never);
    mock.on('c').reply(() => Promise.reject(boom));
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => failure(new mock.Command(name).run())));
    expect(a?.cause).to.include({ code: 'ERR_MOCK_ANSWER', cause: boom });
    expect(b?.message).to.contain("there is no 'exitcode' in an answer");
    expect(c?.cause).to.include({ code: 'ERR_MOCK_ANSWER', cause: boom });
  });

  it('an unexpected call names the nearest expectations and each field that differs', async () => {
    const mock = createMock();
    mock.on('git', ['clone', match.glob('https://*'), 'dir']).reply({});
    mock.on('git', ['status']).reply({});
    mock.on('rsync').reply({});
    const error = await failure(new mock.Command('git', ['clone', 'http://x', 'dir', 'more']).run());
    expect(error.message).to.contain(
      'Unexpected call: git clone http://x dir more\nNearest expectations:\n  1. git clone <glob https://*> dir',
    );
    expect(error.message).to.contain(
      "     argument 2: expected <glob https://*>, got 'http://x'\n     argument 4: expected (none), got 'more'\n",
    );
    expect(error.message.indexOf('2. git status')).to.be.greaterThan(0);
    expect(error.message.indexOf('3. rsync')).to.be.greaterThan(error.message.indexOf('2. git status'));
    expect(error.message).to.match(/script\.test\.ts:\d+\)/);
  });

  it('with nothing expected, says that there is no expectation', async () => {
    const mock = createMock();
    expect((await failure(new mock.Command('x').run())).message).to.contain('There is no expectation at all.');
  });

  it('an expectation without a reply says that it has no answer', async () => {
    const mock = createMock();
    mock.on('x');
    expect((await failure(new mock.Command('x').run())).message).to.contain('it has no answer; add .reply()');
    expect(thrown(() => mock.expectDone()).message).to.contain('has no answer: x');
  });

  it('expectDone() names what is unused and what was unexpected', async () => {
    const mock = createMock();
    mock.on('a').reply({}).times(3);
    await new mock.Command('a').run();
    await failure(new mock.Command('zzz', ['1']).run());
    const error = thrown(() => mock.expectDone());
    expect(error).to.be.instanceOf(MockError).with.property('code', 'ERR_MOCK_NOT_DONE');
    expect(error.message).to.contain('used 1 of 3 times: a <rest>').and.to.contain('unexpected call: zzz 1');
  });

  it('secrets are masked in every message, and matched all the same', async () => {
    const mock = createMock();
    mock.on('login', { args: ['--token', 'hunter2'], env: { PW: 'hunter3' } }).reply({});
    const command = (token: string, password: string) =>
      new mock.Command('login').addArgs(['--token']).addArg(secret(token)).addEnvPair('PW', secret(password));
    await command('hunter2', 'hunter3').run();
    const error = await failure(command('hunter4', 'hunter5').run());
    expect(error.message)
      .to.contain('argument 2: expected ***, got ***')
      .and.to.contain('env PW: expected ***, got ***');
    expect(error.message).to.not.contain('hunter');
    expect(mock.transcript()).to.equal("PW='***' login --token '***'\n".repeat(2));
    expect(mock.calls[0]?.args).to.deep.equal(['--token', 'hunter2']);
    mock.on('login', ['--token', match.secret('hunter6')]).reply({});
    expect(thrown(() => mock.expectDone()).message)
      .to.contain('login --token ***')
      .and.to.not.match(/hunter[456]/);
  });

  it('a secret stdin is in no message, and a secret argument is not either where stdin repeats it', async () => {
    const mock = createMock();
    mock.on('login', { stdin: 'hunter2' }).reply({});
    const whole = await failure(new mock.Command('login', [], { stdin: { input: secret('hunter3') } }).run());
    expect(whole.message).to.contain('stdin: expected ***, got ***').and.not.contain('hunter');
    const command = new mock.Command('login', [secret('hunter2')], { stdin: { input: 'user hunter2' } });
    const repeated = await failure(command.run());
    expect(repeated.message).to.contain("stdin: expected '***', got 'user ***'").and.not.contain('hunter');
    await new mock.Command('login', [], { stdin: { input: secret('hunter2') } }).run();
  });
});
