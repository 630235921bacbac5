import { inspect } from 'node:util';
import { expect } from 'chai';
import { CommandUsageError, secret } from '@vircommand/core';
import { rejection, thrown } from './caught';
import { fake } from './fake-backend';

describe('a secret', () => {
  const hidden = secret('hunter2');

  it('shows in no way that things are shown', () => {
    const ways = [
      String(hidden),
      JSON.stringify({ hidden, list: [hidden] }),
      inspect(hidden, { showHidden: true, depth: Infinity }),
      inspect(hidden, { showHidden: true, depth: Infinity, customInspect: false, getters: true }),
      inspect([hidden]),
      Object.keys(hidden).join(),
      [hidden].join(),
    ];
    for (const text of ways) expect(text).not.to.contain('hunter2');
    expect([String(hidden), JSON.stringify(hidden)]).to.deep.equal(['***', '"***"']);
    expect(Object.isFrozen(hidden)).to.equal(true);
  });

  it('is text or bytes', () => {
    for (const wrong of [123456, undefined, null, {}, [], hidden, Symbol('s')]) {
      const error = thrown(() => secret(wrong as never), CommandUsageError);
      expect(error.message).to.match(/^secret\(\): takes a string or a Uint8Array, not /);
      expect(error.message).not.to.contain('123456');
    }
  });

  it('reaches the program in every place, and is named in the plan', () => {
    const made = fake();
    const bytes = new Uint8Array([0x68, 0xff]);
    const kept = secret(bytes);
    bytes.fill(0);
    const command = new made.Command('x', [hidden, 'plain', kept])
      .setArgv0(hidden)
      .addArgPair('--token', hidden)
      .addArgPair(hidden as never, 'value')
      .addEnvPair('T', hidden)
      .setInputBuffer(hidden)
      .setSendBuffer(7, hidden)
      .setSendBuffer(8, 'plain');
    command.runSync();
    const raw = { base64: Buffer.from([0x68, 0xff]).toString('base64') };
    expect(made.plan.argv).to.deep.equal(['hunter2', 'hunter2', 'plain', raw, '--token=hunter2', 'hunter2=value']);
    expect(made.plan.secret).to.deep.equal({ argv: [0, 1, 3, 4, 5], env: ['T'], inputs: [0, 7] });
    expect(made.plan.text).to.equal("T='***' x '***' plain '***' '--token=***' '***=value'");
  });

  it('is told apart in what was put together, out of sight of what lists a plan', () => {
    const made = fake();
    new made.Command('x', [hidden])
      .addArgFormat('Bearer %s of %s%s', hidden, 'bob', secret('s'))
      .addArgPair('--token', hidden)
      .addEnvPair('T', hidden)
      .addEnvFormat('URL=postgres://%s@db', hidden)
      .runSync();
    const { secret: places } = made.plan;
    expect(places).to.deep.equal({ argv: [1, 2, 3], env: ['T', 'URL'] });
    expect(places.parts).to.deep.equal([[], ['hunter2', 's'], ['hunter2'], [], ['hunter2']]);
    for (const text of [inspect(places), JSON.stringify(places)]) expect(text).not.to.contain('hunter2');
    new made.Command('x', [hidden]).runSync();
    expect(made.plan.secret).not.to.have.property('parts');
  });

  it('is no program, and its misuse does not tell it', async () => {
    const made = fake();
    for (const command of [
      new made.Command(hidden as never),
      new made.Command('x', [secret('hunter2\0')]),
      new made.Command('x').addEnvString(hidden),
      new made.Command('x').addArgFormat('%d', hidden),
      new made.Command('x').setUid(hidden as never),
      new made.Command('x').setWorkingDirectory(hidden as never),
      new made.Command('x').setInputFd(hidden as never),
    ]) {
      const error = await rejection(command.run(), CommandUsageError);
      for (const text of [error.message, error.stack ?? '', inspect(error), JSON.stringify(error), String(command)]) {
        expect(text).not.to.contain('hunter');
      }
    }
  });
});
