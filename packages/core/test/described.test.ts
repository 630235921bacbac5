import { inspect } from 'node:util';
import { expect } from 'chai';
import {
  abortAll,
  CommandAbortedError,
  CommandExitError,
  CommandStartError,
  CommandUsageError,
  secret,
  UnsupportedFeatureError,
  type Command,
} from '@vircommand/core';
import { startError } from '@vircommand/core/backend';
import { rejection, thrown } from './caught';
import { fake } from './fake-backend';

/** The place that a stack begins with. */
const firstFrame = (error: Error): string => /\n {4}at (.*)/.exec(error.stack ?? '')?.[1] ?? '';
/** Where this is called. */
const here = (): number => Number(/:(\d+):\d+\)?$/.exec(new Error().stack?.split('\n')[2] ?? '')?.[1]);
const lineOf = (error: Error): number => Number(/described\.test\.ts:(\d+):\d+/.exec(firstFrame(error))?.[1]);

describe('misuse of a command', () => {
  const { Command } = fake();

  it('is thrown by no setter, and starts nothing', async () => {
    const { Command, programs } = fake();
    const command = new Command('x').addArg('a\0b');
    await rejection(command.run(), CommandUsageError);
    await rejection(command.runAsync(), CommandUsageError);
    await rejection(command.runLines().next(), CommandUsageError);
    await rejection(command.runRegex([/x/]).next(), CommandUsageError);
    await rejection(command.runNul(1).next(), CommandUsageError);
    thrown(() => command.runSync(), CommandUsageError);
    thrown(() => command.getArgList(), CommandUsageError);
    expect(programs).to.deep.equal([]);
  });

  it('the first one sticks, whatever comes later', async () => {
    const command = new Command('x').setUid(-1).setGid(-1).addArg('\0').setUid(5);
    const first = await rejection(command.run(), CommandUsageError);
    expect(first.call).to.equal('setUid()');
    expect(first.code).to.equal('ERR_COMMAND_USAGE');
    expect(await rejection(command.run(), CommandUsageError)).to.equal(first);
  });

  it('has a stack that begins at the wrong call', async () => {
    const command = new Command('x');
    const line = here() + 1;
    command.setWorkingDirectory('');
    expect(lineOf(await rejection(command.run(), CommandUsageError))).to.equal(line);
  });

  it('has a stack that begins at the constructor for its arguments and options', async () => {
    const line = here() + 1;
    const commands = [new Command('x', ['\0']), new Command('x', [], { uid: -1 }), new Command('')];
    for (const command of commands) expect(lineOf(await rejection(command.run(), CommandUsageError))).to.equal(line);
  });

  it('has a stack that begins at the run for what is wrong with the run, also where that begins later', async () => {
    const command = new Command('x').setPidFile('/p');
    const [run, atRun] = [rejection(command.run(), CommandUsageError), here()];
    expect(lineOf(await run)).to.equal(atRun);
    const [start, atStart] = [rejection(command.runAsync(), CommandUsageError), here()];
    expect(lineOf(await start)).to.equal(atStart);
    const [lines, atLines] = [command.runLines(), here()];
    expect(lineOf(await rejection(lines.next(), CommandUsageError))).to.equal(atLines);
    const [nul, atNul] = [command.runNul(0), here()];
    expect(lineOf(await rejection(nul.next(), CommandUsageError))).to.equal(atNul);
    const [sync, atSync] = [thrown(() => command.runSync(), CommandUsageError), here()];
    expect(lineOf(sync)).to.equal(atSync);
  });

  it('and so has every error of a run, though it is made out of the event loop', async () => {
    const failing = fake((program) => program.exit(1));
    const [run, atRun] = [rejection(new failing.Command('x').run(), CommandExitError), here()];
    expect(lineOf(await run)).to.equal(atRun);
    const [running, atStart] = [await new failing.Command('x').runAsync(), here()];
    expect(lineOf(await rejection(running.wait(), CommandExitError))).to.equal(atStart);
    const [lines, atLines] = [new failing.Command('x').runLines(), here()];
    expect(lineOf(await rejection(lines.next(), CommandExitError))).to.equal(atLines);
    const broken = fake(undefined, { start: () => Promise.reject(new Error('no')) });
    const [start, atFailure] = [rejection(new broken.Command('x').run(), CommandStartError), here()];
    expect(lineOf(await start)).to.equal(atFailure);
    expect((await start).stack).to.contain((await start).message);
  });

  it('and so has every error that is thrown', async () => {
    const stopped = (): never => {
      throw startError('exec', 'no');
    };
    const failing = fake(undefined, { sync: () => ({ exitCode: 1 }) });
    const broken = fake(undefined, { sync: stopped, exec: stopped });
    const lacking = fake(undefined, { features: ['sync'] });
    for (const [error, line] of [
      [thrown(() => new failing.Command('x').runSync(), CommandExitError), here()],
      [thrown(() => new broken.Command('x').runSync(), CommandStartError), here()],
      [thrown(() => new broken.Command('x').exec(), CommandStartError), here()],
      [thrown(() => new lacking.Command('x').setUid(1).runSync(), UnsupportedFeatureError), here()],
      [await rejection(abortAll({ killDelay: -1 }), CommandUsageError), here()],
    ] as const)
      expect([lineOf(error), error.name]).to.deep.equal([line, error.name]);
    const made = fake(() => undefined);
    const running = rejection(new made.Command('x').run(), CommandAbortedError);
    const aborting = abortAll();
    const [refused, line] = [thrown(() => new failing.Command('x').runSync(), CommandAbortedError), here()];
    expect(lineOf(refused)).to.equal(line);
    await Promise.all([aborting, running]);
  });

  for (const [what, format] of [
    ['are made to something else', () => ({})],
    [
      'take an error',
      (error: Error, frames) => [error.message.trim(), ...frames.map((frame) => frame.getFileName())].join('\n'),
    ],
    ['cannot be made', () => { throw new TypeError('no stack'); }], // prettier-ignore
  ] satisfies [string, NonNullable<typeof Error.prepareStackTrace>][]) {
    it(`is an error all the same where stacks ${what}`, async () => {
      const failing = fake((program) => program.exit(1));
      const lacking = fake(undefined, { start: () => Promise.reject(startError('exec', 'no')) });
      const before: unknown = Reflect.get(Error, 'prepareStackTrace');
      Error.prepareStackTrace = format;
      try {
        const command = new failing.Command('x');
        const late = await rejection(command.run(), CommandExitError);
        expect(late.stack).to.match(/^CommandExitError: Command failed with exit code 1: x/);
        await rejection(command.run(), CommandExitError);
        expect((await rejection(new lacking.Command('x').run(), CommandStartError)).stage).to.equal('exec');
        expect((await rejection(new Command('').run(), CommandUsageError)).reason).to.equal('program is empty');
      } finally {
        Reflect.set(Error, 'prepareStackTrace', before);
      }
    });
  }

  it('values that cannot be read are misuse, and throw nothing', async () => {
    const given = new Uint8Array(8);
    structuredClone(given, { transfer: [given.buffer] });
    const { proxy: revoked, revoke } = Proxy.revocable({}, {});
    revoke();
    for (const value of [given, revoked] as never[]) {
      for (const command of [
        new Command('x').addArg(value),
        new Command('x').setInputBuffer(value),
        new Command('x').addEnvPair('A', value),
        new Command(value),
      ]) {
        expect((await rejection(command.run(), CommandUsageError)).reason).to.match(/cannot be read: TypeError/);
      }
    }
  });

  it('says which call was wrong, why, and to which command', async () => {
    const error = await rejection(new Command('git', ['log']).addEnvString('NAME').run(), CommandUsageError);
    expect(error.message).to.equal("addEnvString(): entry has no '='");
    expect(error).to.include({ call: 'addEnvString()', reason: "entry has no '='", command: 'git log' });
  });

  it('names the option where the options form was used', async () => {
    const error = await rejection(new Command('x', [], { umask: 0o1000 }).run(), CommandUsageError);
    expect(error.call).to.equal("option 'umask'");
  });

  it('shows in the text', () => {
    expect(String(new Command('x').setUid(-1))).to.match(/^<invalid command: setUid\(\): takes a whole number/);
    expect(new Command('x').setUid(-1).toStringFull()).to.match(/^<invalid command: setUid\(\)/);
  });

  const wrong: Record<string, (command: Command) => unknown> = {
    program: () => undefined,
    addArg: (command) => command.addArg(5 as never),
    'addArg with a lone surrogate': (command) => command.addArg('\ud800'),
    'addArg with undefined': (command) => command.addArg(undefined as never),
    addArgs: (command) => command.addArgs('abc' as never),
    'addArgs with a wrong one': (command) => command.addArgs(['a', null as never]),
    addArgList: (command) => command.addArgList('a', {} as never),
    addArgPair: (command) => command.addArgPair('a', undefined as never),
    addArgFormat: (command) => command.addArgFormat('%q', 1),
    setArgv0: (command) => command.setArgv0('a').setArgv0('b'),
    addEnvPair: (command) => command.addEnvPair('A=B', 'c'),
    'addEnvPair with an empty name': (command) => command.addEnvPair('', 'c'),
    'addEnvPair with a NUL byte': (command) => command.addEnvPair('A', 'c\0'),
    addEnvFormat: (command) => command.addEnvFormat('%s', 'A'),
    addEnvString: (command) => command.addEnvString('A'),
    addEnvPass: (command) => command.addEnvPass('A='),
    addEnvXdg: (command) => command.addEnvXdg(''),
    setInputBuffer: (command) => command.setInputBuffer(5 as never),
    'setInputBuffer twice': (command) => command.setInputBuffer('').setInputBuffer(''),
    'setInputBuffer after setInputFd': (command) => command.setInputFd(0).setInputBuffer(''),
    setOutputBuffer: (command) => command.setOutputBuffer('utf8' as never),
    'setOutputBuffer twice': (command) => command.setOutputBuffer().setOutputBuffer(),
    'setErrorBuffer twice': (command) => command.setErrorFd(2).setErrorBuffer(),
    setInputFd: (command) => command.setInputFd(-1),
    setOutputFd: (command) => command.setOutputFd('stdout' as never),
    setErrorFd: (command) => command.setErrorFd({} as never),
    setInputFile: (command) => command.setInputFile(''),
    setOutputFile: (command) => command.setOutputFile('a', { apend: true } as never),
    setErrorFile: (command) => command.setErrorFile('a', { append: 1 as never }),
    passFd: (command) => command.passFd('3' as never),
    'passFd to stdout': (command) => command.passFd(5, { as: 1 }),
    'passFd with a typo': (command) => command.passFd(5, { at: 1 } as never),
    setSendBuffer: (command) => command.setSendBuffer(2, ''),
    'setSendBuffer with an object': (command) => command.setSendBuffer({ fd: 5 } as never, ''),
    setWorkingDirectory: (command) => command.setWorkingDirectory('/').setWorkingDirectory('/'),
    setPidFile: (command) => command.setPidFile('a\0b'),
    setProcessGroup: (command) => command.setProcessGroup(1 as never),
    setUid: (command) => command.setUid(1.5),
    setGid: (command) => command.setGid(0xffffffff),
    setGroups: (command) => command.setGroups([-1]),
    setUmask: (command) => command.setUmask(0o1000),
    setNice: (command) => command.setNice(20),
    setAffinity: (command) => command.setAffinity([]),
    allowCap: (command) => command.allowCap('net_raw' as never),
    'allowCap with a number that no set has': (command) => command.allowCap(64),
    'allowCap with such a number in a name': (command) => command.allowCap('CAP_64'),
    setLimit: (command) => command.setLimit('rss' as never, 1),
    'setLimit with soft above hard': (command) => command.setLimit('cpu', { soft: 2, hard: 1 }),
    'setLimit with soft unlimited and a hard one': (command) => command.setLimit('cpu', { soft: 'unlimited', hard: 1 }),
    'setLimit with half of it': (command) => command.setLimit('cpu', { soft: 1 } as never),
    'setPreExecHook with a relative module': (command) => command.setPreExecHook({ module: 'hooks/h.js' }),
    'setPreExecHook without a name': (command) => command.setPreExecHook({ module: '/h.js', export: '' }),
    'setPreExecHook with data without an end': (command) => {
      const data: Record<string, unknown> = {};
      data.data = data;
      command.setPreExecHook({ module: '/h.js', data: data as never });
    },
    'setInputBuffer with half a character': (command) => command.setInputBuffer('\ud800'),
    'passFd of a standard stream': (command) => command.passFd({ fd: 1 }),
    'passFd closed in a way': (command) => command.passFd(7, { closeInParent: 1 } as never),
    'setLimit with a typo': (command) => command.setLimit('cpu', { soft: 1, hart: 2 } as never),
    setMaxFiles: (command) => command.setMaxFiles(-1),
    setMaxProcesses: (command) => command.setMaxProcesses(NaN),
    setMaxMemLock: (command) => command.setMaxMemLock('1' as never),
    setMaxCoreSize: (command) => command.setMaxCoreSize(0.5),
    setSelinuxLabel: (command) => command.setSelinuxLabel(''),
    setAppArmorProfile: (command) => command.setAppArmorProfile(7 as never),
    setPreExecHook: (command) => command.setPreExecHook({ module: 'relative.js' }),
    'setPreExecHook with a function': (command) =>
      command.setPreExecHook({ module: '/h.js', data: (() => 1) as never }),
    'setPreExecHook with a typo': (command) => command.setPreExecHook({ module: '/h.js', exprot: 'a' } as never),
    requireHandshake: (command) => command.requireHandshake().requireHandshake(),
    setRunAmong: (command) => command.setRunAmong(0),
    writeArgLog: (command) => {
      command.writeArgLog('log' as never);
    },
  };
  for (const [name, call] of Object.entries(wrong)) {
    it(`${name}: a usage error that names the call`, async () => {
      const command = name === 'program' ? new Command(7 as never) : new Command('x');
      call(command);
      const error = await rejection(command.run(), CommandUsageError);
      expect(error.call).to.equal(name === 'program' ? 'new Command()' : `${name.split(' ')[0]!}()`);
    });
  }

  it('hides what is secret from inspection and JSON', () => {
    const command = new Command('x', [secret('hunter2')]).addEnvPair('T', secret('hunter3')).setInputBuffer('hunter4');
    const options = { showHidden: true, depth: Infinity, getters: true };
    for (const text of [inspect(command, options), inspect(command, { ...options, customInspect: false })]) {
      expect(text).not.to.contain('hunter');
    }
    expect(inspect(command)).to.equal("Command { T='***' x '***' }");
    expect(JSON.stringify(command)).not.to.contain('hunter');
  });
});
