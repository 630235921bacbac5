import { expect } from 'chai';
import { secret } from '@vircommand/core';
import { Command } from '@vircommand/child-process';
import { createDryRun } from '@vircommand/mock';
import { failure } from './failures';

describe('a dry run', () => {
  it('notes the text of each command with a newline, in order, and starts nothing', async () => {
    const dry = createDryRun();
    const installed = dry.install();
    try {
      const result = await new Command('/no/such/iptables', ['-A', 'IN PUT']).run();
      expect(result.exitCode).to.equal(0);
      new Command('second').addEnvPair('A', 'b c').addArgPair('--key', secret('hunter2')).runSync();
      await (await new Command('third').runAsync()).wait();
    } finally {
      installed[Symbol.dispose]();
    }
    expect(dry.text).to.equal("/no/such/iptables -A 'IN PUT'\nA='b c' second '--key=***'\nthird\n");
    expect(dry.calls.map(({ program }) => program)).to.deep.equal(['/no/such/iptables', 'second', 'third']);
  });

  it('the text is what toStringFull() says, for every run', async () => {
    const dry = createDryRun();
    const command = new dry.Command('a', ['$x', '']).addEnvPair('N', "it's");
    await command.run();
    await command.run();
    expect(dry.text).to.equal(`${command.toStringFull()}\n`.repeat(2));
  });

  it('checks come first: a command that is wrong is refused and not noted', async () => {
    const dry = createDryRun();
    expect(await failure(new dry.Command('a').addArg('\0').run())).to.have.property('code', 'ERR_COMMAND_USAGE');
    expect(dry.text).to.equal('');
  });

  it('a callback sees the command with its stdin and may answer', async () => {
    const seen: string[] = [];
    const dry = createDryRun((call) => {
      seen.push(`${call.program} ${call.args.join(' ')} < ${call.stdin.toString()}`);
      return call.program === 'b' ? { stdout: 'out', stderr: 'err', exitCode: 127 } : undefined;
    });
    await new dry.Command('a', ['1'], { stdin: { input: 'in' } }).run();
    const b = await new dry.Command('b', [], { stdout: 'text', stderr: 'text' }).run({ check: false });
    expect(b).to.include({ stdout: 'out', stderr: 'err', exitCode: 127 });
    new dry.Command('c', ['2'], { stdin: { input: 'sync' } }).runSync();
    expect(seen).to.deep.equal(['a 1 < in', 'b  < ', 'c 2 < sync']);
  });
});
