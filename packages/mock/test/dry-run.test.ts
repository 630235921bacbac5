import { expect } from 'chai';
import { closeSync, fstatSync, openSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import { secret, type CommandConstructor, type CommandOptions } from '@vircommand/core';
import { FEATURES, FEATURE_INFO, type Feature } from '@vircommand/core/backend';
import { Command } from '@vircommand/child-process';
import { createDryRun, MOCK_FEATURES } from '@vircommand/mock';
import { failure, thrown } from './failures';
import { Scratch } from './scratch';

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

  describe('notes whatever a command asks for, and does nothing of it', () => {
    let scratch: Scratch;
    let within: (name: string) => string;
    beforeEach(() => {
      scratch = new Scratch();
      within = (name) => path.join(scratch.directory, name);
    });
    afterEach(() => {
      scratch.remove();
    });

    const asked = (): Partial<Record<Feature, CommandOptions>> => ({
      argv0: { argv0: 'b' },
      cwd: { cwd: '/no/such/directory' },
      'raw-bytes': { env: { A: Uint8Array.of(0xff) } },
      'fd-stdio': { stdin: 0, stdout: 'inherit', stderr: 4242 },
      'file-stdio': { stdin: { file: within('in') }, stdout: { file: within('out') }, stderr: { file: within('err') } },
      'pass-fd': { passFds: [{ fd: 4242, as: 5 }] },
      'nonblocking-fds': { nonblockingFds: true },
      'send-buffer': { sendBuffers: [{ fd: 7, data: 'x' }] },
      session: { session: true },
      'process-group': { processGroup: true },
      'uid-gid': { uid: 4242, gid: 4242 },
      groups: { groups: [4242] },
      umask: { umask: 0o777 },
      capabilities: { capabilities: { clear: true } },
      'no-new-privs': { noNewPrivs: true },
      limits: { limits: { files: 0 } },
      nice: { nice: -20 },
      affinity: { affinity: [1000] },
      'core-scheduling': { coreScheduling: 'alone' },
      selinux: { selinuxLabel: 'no:such:label:s0' },
      apparmor: { appArmorProfile: 'no-such-profile' },
      hook: { preExecHook: { module: within('hook.mjs') } },
      'pid-file': { daemon: true, pidFile: within('pid') },
      daemon: { daemon: true, stdout: { file: within('log') } },
    });
    const otherwise: Partial<Record<Feature, (command: CommandConstructor) => unknown>> = {
      sync: (Command) => new Command('a', [], { stdin: 0, stdout: { file: within('out') } }).runSync(),
      'sync-deadline': (Command) => new Command('a', [], { stdout: 'inherit' }).runSync({ timeout: 1000 }),
      'merged-output': (Command) => new Command('a', [], { stdout: 'text', stderr: 'stdout' }).run(),
      'kill-on-parent-exit': (Command) => new Command('a').run({ killOnParentExit: true }),
      'parent-death-signal': (Command) => new Command('a').run({ killOnParentExit: 'guaranteed' }),
      handshake: async (Command) => {
        const running = await new Command('a', [], { handshake: true, stdout: { file: within('out') } }).runAsync();
        await running.handshakeWait();
        await running.handshakeNotify();
        return running.wait();
      },
      exec: (Command) =>
        expect(thrown(() => new Command('a', [], { stdin: { file: within('in') } }).exec())).to.include({
          name: 'MockError',
          code: 'ERR_MOCK_EXECUTED',
        }),
    };

    for (const feature of FEATURES.filter((name) => FEATURE_INFO[name].kind === 'asked')) {
      it(feature, async () => {
        for (const dry of [createDryRun(), createDryRun(() => ({ stdout: 'out', stderr: 'err' }))]) {
          const options = asked()[feature];
          const run = otherwise[feature] ?? ((Command) => new Command('a', [], options ?? {}).run());
          expect(options === undefined).to.equal(feature in otherwise);
          const result = await run(dry.Command);
          if (feature !== 'exec') expect(result).to.include({ exitCode: 0 });
          expect(dry.onlyCall().plan.requires).to.include(feature);
          expect(readdirSync(scratch.directory)).to.deep.equal([]);
        }
      });
    }

    it('a daemon with a handshake, pipes and what it is sent', async () => {
      for (const dry of [createDryRun(), createDryRun(() => ({ stderr: 'why\n', exitCode: 1 }))]) {
        const command = new dry.Command('a')
          .daemonize()
          .setPidFile(within('pid'))
          .requireHandshake()
          .setErrorFd('pipe');
        const running = await command.setSendBuffer(7, 'x').runAsync();
        await running.handshakeWait();
        await running.handshakeNotify();
        expect(await running.wait()).to.include({ exitCode: 0 });
        for await (const line of running.lines({ from: 'stderr' })) expect(line).to.equal('why');
        expect(dry.onlyCall().plan).to.include({ daemon: true, handshake: true });
        expect(readdirSync(scratch.directory)).to.deep.equal([]);
      }
    });

    it('what shows in results only is declared as far as it does', () => {
      const observed = (features: readonly Feature[]): readonly Feature[] =>
        features.filter((name) => FEATURE_INFO[name].kind === 'observed');
      expect(observed(createDryRun().features)).to.deep.equal(observed(MOCK_FEATURES));
    });

    it('the plan of the call says what was asked for', async () => {
      const dry = createDryRun();
      const file = within('out');
      await new dry.Command('a', [], { stdin: 0, stdout: { file }, passFds: [{ fd: 4242, as: 5 }] }).run();
      const { stdin, stdout, passFds } = dry.onlyCall().plan;
      expect([stdin, stdout, passFds]).to.deep.equal([
        { type: 'fd', fd: 0 },
        { type: 'file', path: file, mode: 'write' },
        [{ fd: 4242, as: 5 }],
      ]);
    });

    it('a descriptor stays open, unless it was given away', async () => {
      const dry = createDryRun();
      const [kept, given] = [openSync('/dev/null', 'r'), openSync('/dev/null', 'r')];
      try {
        await new dry.Command('a', [], { stdin: kept }).passFd(given, { as: 5, closeInParent: true }).run();
        expect(fstatSync(kept).isCharacterDevice()).to.equal(true);
        expect(thrown(() => fstatSync(given))).to.include({ code: 'EBADF' });
      } finally {
        closeSync(kept);
      }
    });
  });
});
