import { expect } from 'chai';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command as RealCommand } from '@vircommand/child-process';
import {
  CommandAbortedError,
  CommandExitError,
  CommandTimeoutError,
  CommandUsageError,
  secret,
} from '@vircommand/core';
import { withoutPrototype } from '@vircommand/core/backend';
import { createMock, type Answer, type MockBackend } from '@vircommand/mock';
import { createScript, MigrationError, type Script, type ScriptOptions } from '@vircommand/script';

function mocked(answer: Answer): { readonly mock: MockBackend; readonly script: Script } {
  const mock = createMock();
  mock.on('p').reply(answer).always();
  return { mock, script: createScript(mock.Command) };
}

async function rejected(promise: Promise<unknown>): Promise<Error> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Error) return error;
  throw new Error('it did not reject');
}

function thrown(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
}

describe('createScript()', () => {
  it('takes a constructor of commands, and says which', () => {
    const error = thrown(() => createScript(undefined as never));
    expect(error).to.be.instanceOf(CommandUsageError);
    expect(error.message).to.match(/^createScript\(\): takes the Command of a package, .*, not undefined$/);
  });
});

describe('a call', () => {
  it('gives the output without its last newline, and what is known of the end', async () => {
    const { script } = mocked({ stdout: 'a\n\n', stderr: 'b\r\n', after: 20 });
    const result = await script.run('p', ['x y']);
    expect({ ...result }).to.deep.equal({
      stdout: 'a\n',
      stderr: 'b',
      all: undefined,
      exitCode: 0,
      signal: undefined,
      failed: false,
      error: undefined,
      timedOut: false,
      isCanceled: false,
      isMaxBuffer: false,
      isTerminated: false,
      command: "p 'x y'",
      durationMs: 20,
    });
  });

  const shapes: readonly (readonly [ScriptOptions, object])[] = [
    [{ stripFinalNewline: false }, { stdout: 'a\r\nb\n', stderr: 'c' }],
    [{ lines: true }, { stdout: ['a', 'b'], stderr: ['c'] }],
    [
      { lines: true, stripFinalNewline: false },
      { stdout: ['a\r\n', 'b\n'], stderr: ['c'] },
    ],
    [{ encoding: 'buffer' }, { stdout: Buffer.from('a\r\nb'), stderr: Buffer.from('c') }],
    [{ all: true }, { stdout: undefined, stderr: undefined, all: 'a\r\nb\nc' }],
    [{ all: true, lines: true }, { all: ['a', 'b', 'c'] }],
    [{ stdout: 'ignore' }, { stdout: undefined, stderr: 'c' }],
    [{ stdio: 'ignore' }, { stdout: undefined, stderr: undefined }],
    [{ stdio: ['ignore', 'pipe', 'ignore'] }, { stdout: 'a\r\nb', stderr: undefined }],
    [{ stdio: [null, null, 'ignore'] }, { stdout: 'a\r\nb', stderr: undefined }],
  ];
  for (const [options, expected] of shapes) {
    it(`shapes the output by ${JSON.stringify(options)}, in each form`, async () => {
      const { script } = mocked({ chunks: [{ stdout: 'a\r\nb\n' }, { stderr: 'c' }] });
      expect(await script.run('p', options)).to.deep.include(expected);
      expect(script.runSync('p', options)).to.deep.include(expected);
      expect(await script.$(options)`p`).to.deep.include(expected);
    });
  }

  it('takes what it knows for input, and any limit', async () => {
    const { mock, script } = mocked({});
    for (const input of ['in', new Uint8Array([105, 110]), secret('in')]) {
      await script.run('p', { input, maxBuffer: Infinity, forceKillAfterDelay: 0, timeout: 0 });
    }
    expect(mock.calls.map(({ stdin }) => stdin.toString())).to.deep.equal(['in', 'in', 'in']);
  });

  it('says to core what the options say', async () => {
    const { mock, script } = mocked({});
    const cwd = path.resolve('/');
    await script.run('p', { cwd: pathToFileURL(cwd), env: { A: '1', B: undefined }, extendEnv: false, argv0: 'q' });
    expect(mock.calls[0]?.plan).to.deep.include({ cwd, env: [['A', '1']], argv: ['q'] });
    await script.run('p', { input: 'in', uid: 1, gid: 2 });
    expect(mock.calls[1]?.stdin.toString()).to.equal('in');
    expect(mock.calls[1]?.plan).to.deep.include({ env: 'inherit', killOnParentExit: 'best-effort' });
    expect(mock.calls[1]?.plan.privileged).to.deep.include({ uid: 1, gid: 2 });
    await script.run('p', { env: { A: '1' }, cleanup: false });
    const variables = new Map(mock.calls[2]?.plan.env as [string, string][]);
    expect(variables.get('A')).to.equal('1');
    expect(variables.size).to.be.within(Object.keys(process.env).length, Object.keys(process.env).length + 1);
    expect(mock.calls[2]?.plan.killOnParentExit).to.equal(false);
    await script.run('p', { env: process.env, extendEnv: false });
    expect(new Map(mock.calls.at(-1)?.plan.env as [string, string][]).get('PATH')).to.equal(process.env.PATH);
  });

  it('adds options to options, and knows which program by a URL', async () => {
    const { mock, script } = mocked({ stdout: '1\n' });
    const inRoot = script.$({ cwd: '/', lines: true });
    const { stdout } = await inRoot({ lines: false, extendEnv: false })`p`;
    expect(stdout).to.equal('1');
    expect((await inRoot`p`).stdout).to.deep.equal(['1']);
    expect(mock.calls[0]?.plan).to.deep.include({ cwd: '/', env: [] });
    const program = path.resolve('/bin/p');
    mock.on(program).reply({});
    await script.run(pathToFileURL(program));
    expect(mock.calls[2]?.program).to.equal(program);
  });

  it('adds variables to variables, and takes them away', async () => {
    const { mock, script } = mocked({});
    const one = script.$({ env: { A: '1', B: '1' }, extendEnv: false });
    const two = one({ env: { B: '2', C: '2' } });
    await two`p`;
    await two({ cwd: '/' })({ env: { A: undefined } })`p`;
    await one`p`;
    expect(mock.calls.map(({ plan }) => plan.env)).to.deep.equal([
      [
        ['A', '1'],
        ['B', '2'],
        ['C', '2'],
      ],
      [
        ['B', '2'],
        ['C', '2'],
      ],
      [
        ['A', '1'],
        ['B', '1'],
      ],
    ]);
    for (const env of [null, 'A=1', new Map()]) {
      expect(thrown(() => one({ env } as never))).to.be.instanceOf(CommandUsageError);
    }
  });

  it('throws the errors of core, or gives them with reject: false', async () => {
    const { script } = mocked({ stdout: 'out\n', stderr: 'err\n', exitCode: 3 });
    expect(await rejected(script.$`p`)).to.be.instanceOf(CommandExitError);
    expect(thrown(() => script.$.sync`p`)).to.be.instanceOf(CommandExitError);
    const expected = { failed: true, exitCode: 3, stdout: 'out', stderr: 'err', isTerminated: false };
    const result = await script.$({ reject: false })`p`;
    expect(result).to.include(expected);
    expect(result.error).to.be.instanceOf(CommandExitError);
    expect(script.$({ reject: false }).sync`p`).to.include(expected);
  });

  it('tells a death by a signal, a deadline, too much output and a failed start apart', async () => {
    const { mock, script } = mocked({ signal: 'SIGKILL' });
    const options = { reject: false } as const;
    expect(await script.run('p', options)).to.include({ failed: true, isTerminated: true, signal: 'SIGKILL' });
    mock
      .on('slow')
      .reply({ never: true, onSignal: { SIGTERM: 'ignore' } })
      .always();
    const slow = await script.run('slow', { ...options, timeout: 100, forceKillAfterDelay: 50 });
    expect(slow).to.include({ timedOut: true, isTerminated: true, signal: 'SIGKILL', durationMs: 150 });
    for (const killSignal of ['SIGKILL', 9] as const) {
      const atOnce = await script.run('slow', { ...options, timeout: 100, killSignal });
      expect(atOnce).to.include({ timedOut: true, signal: 'SIGKILL', durationMs: 100 });
    }
    expect(await script.run('slow', { ...options, timeout: 100, killSignal: 15 })).to.include({ durationMs: 5100 });
    expect(await rejected(script.run('slow', { timeout: 1 }))).to.be.instanceOf(CommandTimeoutError);
    mock.on('loud').reply({ stdout: 'abc' });
    expect(await script.run('loud', { ...options, maxBuffer: 2 })).to.include({ isMaxBuffer: true, stdout: 'ab' });
    mock
      .on('absent')
      .reply({ startError: { stage: 'resolve', code: 'ENOENT' } })
      .always();
    const absent = await script.run('absent', { ...options, lines: true });
    expect(absent).to.deep.include({ failed: true, exitCode: undefined, stdout: [], stderr: [] });
    expect(absent.error?.code).to.equal('ENOENT');
    expect(script.runSync('absent', { ...options, encoding: 'buffer' }).stdout).to.deep.equal(Buffer.alloc(0));
  });

  it('is ended by kill(), at any time, by its disposal and by cancelSignal', async () => {
    const { mock, script } = mocked({ never: true, onSignal: { SIGHUP: 'ignore' } });
    const early = script.$`p`;
    expect(early.pid).to.equal(undefined);
    expect(early.kill()).to.equal(true);
    expect(await rejected(early)).to.be.instanceOf(CommandAbortedError);
    expect(early.kill()).to.equal(false);

    const late = script.$({ reject: false })`p`;
    expect(late.kill('SIGHUP')).to.equal(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(late.kill('SIGUSR1')).to.equal(true);
    expect(await late).to.include({ isCanceled: false, signal: 'SIGUSR1' });
    expect(mock.calls[1]?.signals).to.deep.equal(['SIGHUP', 'SIGUSR1']);
    expect(thrown(() => late.kill('SIGNO' as 'SIGINT'))).to.be.instanceOf(CommandUsageError);
    expect(thrown(() => late.kill(0)).message).to.contain('there is no signal 0 here');

    const numbered = script.$({ reject: false })`p`;
    expect(numbered.kill(1)).to.equal(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(numbered.kill(9)).to.equal(true);
    expect((await numbered).signal).to.equal('SIGKILL');
    // What a mock sees, and a recording keeps, is the name.
    expect(mock.calls[2]?.signals).to.deep.equal(['SIGHUP', 'SIGKILL']);

    const disposed = script.$({ reject: false })`p`;
    await disposed[Symbol.asyncDispose]();
    expect(await disposed).to.include({ isCanceled: true, isTerminated: true });
    const cancelled = await script.run('p', { reject: false, cancelSignal: AbortSignal.abort() });
    expect(cancelled).to.include({ isCanceled: true, exitCode: undefined });
  });

  it('gives lines as they come', async () => {
    const { mock, script } = mocked({ chunks: [{ stdout: 'a\n' }, { at: 5, stdout: 'b\n' }], exitCode: 1 });
    const lines: string[] = [];
    const read = async (from: AsyncIterable<string>): Promise<void> => {
      for await (const line of from) lines.push(line);
    };
    expect(await rejected(read(script.$.lines`p`))).to.be.instanceOf(CommandExitError);
    await read(script.runLines('p', ['x'], { reject: false, all: true, cwd: '/' }));
    await read(script.$({ reject: false, stderr: 'ignore' }).lines`p`);
    expect(lines.join('')).to.equal('ababab');
    expect(mock.calls[1]?.plan).to.include({ cwd: '/' });
    expect(thrown(() => script.$({ lines: true }).lines`p`)).to.be.instanceOf(CommandUsageError);
    expect(thrown(() => script.$({ encoding: 'buffer' }).lines`p`)).to.be.instanceOf(CommandUsageError);
  });

  const refused: readonly (readonly [object, RegExp])[] = [
    [{ shell: true }, /'shell' has no counterpart of that name; instead: run\('sh'/],
    [{ nothrow: true }, /instead: reject: false/],
    [{ detached: true }, /setSession\(\)/],
    [{ stdout: process.stdout }, /'stdout' cannot be a stream.*; instead: runAsync\(\)/],
    [{ stdout: ['inherit', 'pipe'] }, /'stdout' cannot be a stream, a function or several/],
    [{ stdin: process.stdin }, /instead: { input }/],
    [{ stdin: pathToFileURL(__filename) }, /'stdin' cannot be a file; instead: { inputFile }/],
    [{ stdin: { file: 'x' } }, /'stdin' cannot be a file; instead: { inputFile }/],
    [{ stdio: [process.stdin] }, /'stdin' cannot be a stream/],
    [{ input: process.stdin }, /'input' cannot be a stream/],
    [{ stdio: ['pipe', 'pipe', 'pipe', 'ipc'] }, /passFd\(\)/],
    [{ killSignal: 'SIGINT' }, /killSignal: 'SIGINT' ends nothing for certain/],
    [{ killSignal: 2 }, /killSignal: 2 ends nothing for certain/],
    [{ killSignal: '9' }, /killSignal: '9' ends nothing for certain/],
    [{ forceKillAfterDelay: false }, /for ever/],
    [{ encoding: 'hex' }, /toString\('hex'\)/],
  ];
  for (const [options, message] of refused) {
    it(`refuses ${Object.entries(options)
      .map(([name, value]) => `${name}: ${typeof value}`)
      .join()}, and says what to use`, () => {
      const { mock, script } = mocked({});
      for (const call of [
        () => script.run('p', options),
        () => script.$(options),
        () => script.runSync('p', options),
      ]) {
        expect(thrown(call)).to.be.instanceOf(MigrationError);
        expect(thrown(call).message).to.match(message);
      }
      expect(mock.calls).to.deep.equal([]);
    });
  }

  /** What a caller of `run()` has never heard of. */
  const coresWords = /runAsync\(\): option|'signal'|killDelay|outputLimit|killOnParentExit|'bytes'/;
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ nosuch: 1 }, /there is no option 'nosuch'/],
    [{ timout: 1 }, /there is no option 'timout'; did you mean 'timeout'\?$/],
    [{ reject: 'no' }, /'reject' must be a boolean/],
    [{ input: '', inputFile: 'f' }, /'input' and 'inputFile' both/],
    [{ input: '', stdin: 'inherit' }, /'input' and 'stdin' both/],
    [{ stdio: 'pipe', stdout: 'ignore' }, /'stdout' and 'stdio' both/],
    [{ all: true, stdout: 'ignore' }, /'all' needs/],
    [{ lines: true, encoding: 'buffer' }, /'encoding' must be/],
    [{ stdio: 3 }, /'stdio' must be 'pipe'/],
    [{ env: ['A=1'] }, /'env' must be an object/],
    [{ env: 'A=1' }, /'env' must be an object/],
    [{ env: new Map([['A', '1']]) }, /'env' must be an object/],
    [{ env: Object.create(withoutPrototype({ A: '1' })) as object }, /'env' must be an object/],
    [{ cwd: new URL('http://x/') }, /'cwd' is not the URL of a file/],
    [{ stdout: new URL('http://x/') }, /'stdout' is not the URL of a file/],
    [{ stdio: 'foo' }, /'stdio': 'foo' is none of 'pipe', 'ignore', 'inherit'/],
    [{ stdio: ['pipe', 'text'] }, /'stdio': 'text' is none of/],
    [{ stdin: 'null' }, /'stdin': 'null' is none of 'pipe', 'ignore', 'inherit'/],
    [{ stderr: 'stdout' }, /'stderr': 'stdout' is none of/],
    [{ timeout: -1 }, /'timeout' must be a number of milliseconds \(0: none\)/],
    [{ timeout: '5s' }, /'timeout' must be/],
    [{ cancelSignal: true }, /'cancelSignal' must be an AbortSignal/],
    [{ cancelSignal: new AbortController() }, /'cancelSignal' must be an AbortSignal: that of an AbortController/],
    [{ cancelSignal: { aborted: true } }, /'cancelSignal' must be an AbortSignal/],
    [{ forceKillAfterDelay: -1 }, /'forceKillAfterDelay' must be a number of milliseconds/],
    [{ forceKillAfterDelay: true }, /'forceKillAfterDelay' must be/],
    [{ maxBuffer: -1 }, /'maxBuffer' must be a number of bytes/],
    [{ maxBuffer: { stdout: 1 } }, /'maxBuffer' must be a number of bytes/],
    [{ cleanup: 'guaranteed' }, /'cleanup' must be a boolean/],
    [{ encoding: 'utf-8' }, /'encoding' must be 'utf8', 'latin1', 'utf16le' or 'buffer'/],
    [{ encoding: ['buffer'] }, /'encoding' must be/],
    [{ encoding: ['hex'] }, /'encoding' must be/],
    [{ input: 5 }, /'input' must be a string, a Uint8Array or a secret/],
    [{ inputFile: 5 }, /'inputFile' must be a path/],
    [{ inputFile: '' }, /'inputFile' must be a path/],
    ...['input', 'stdout', 'stdio', 'env', 'cwd', 'encoding'].map(
      (name) => [{ [name]: null }, new RegExp(`'${name}' must not be null`)] as const,
    ),
  ];
  for (const [options, message] of wrong) {
    it(`refuses ${JSON.stringify(options)}`, () => {
      expect(thrown(() => mocked({}).script.run('p', options))).to.be.instanceOf(CommandUsageError);
      const { message: said } = thrown(() => mocked({}).script.run('p', options));
      expect(said).to.match(message).and.not.match(coresWords);
      expect(thrown(() => mocked({}).script.$(options)).message).to.equal(said);
    });
  }

  it('refuses what cannot fire where it blocks', () => {
    const { script } = mocked({});
    const error = thrown(() => script.runSync('p', { cancelSignal: AbortSignal.abort() }));
    expect(error.message).to.contain("'cancelSignal' cannot fire while the thread is blocked; use timeout");
  });

  it('refuses a program that is the URL of no file, and a call where a tag is meant', () => {
    const { script } = mocked({});
    expect(thrown(() => script.run(new URL('http://x/')))).to.be.instanceOf(CommandUsageError);
    for (const wrong of ['echo a', ['echo a'], null, new Map([['cwd', '/']])]) {
      const error = thrown(() => Reflect.apply(script.$, undefined, [wrong]));
      expect(error).to.be.instanceOf(CommandUsageError);
      expect(error.message).to.contain('is a tag');
    }
  });

  const noArguments: readonly (readonly [readonly unknown[], RegExp])[] = [
    [[new Set(['a'])], /array of arguments, or options, behind the program, not a Set/],
    [[new Map([['cwd', '/']])], /not a Map/],
    [[Promise.resolve(['a'])], /not a Promise/],
    [['a'], /not the string 'a'/],
    [[Buffer.from('a'), {}], /not a Uint8Array/],
    [[{ cwd: '/' }, { timeout: 1 }], /options are the last argument/],
    [[[], new Map()], /options must be an object, not a Map/],
    [[[], Promise.resolve({})], /options must be an object, not a Promise/],
    [[[], ['a']], /options must be an object, not an array/],
    [[undefined, 'a'], /options must be an object, not the string 'a'/],
  ];
  for (const [given, message] of noArguments) {
    it(`takes no arguments away: ${String(message)}`, () => {
      const { mock, script } = mocked({});
      for (const call of [script.run, script.runSync, script.runLines]) {
        const error = thrown(() => Reflect.apply(call, undefined, ['p', ...given]));
        expect(error).to.be.instanceOf(CommandUsageError);
        expect(error.message).to.match(message);
      }
      expect(mock.calls).to.deep.equal([]);
    });
  }

  it('may have its arguments, or its options, or neither', async () => {
    const { mock, script } = mocked({});
    await script.run('p', undefined, { cwd: '/' });
    await script.run('p', ['a'], undefined);
    await script.run('p');
    const calls = mock.calls.map(({ args, cwd }) => [args, cwd]);
    expect(calls).to.deep.equal([
      [[], '/'],
      [['a'], undefined],
      [[], undefined],
    ]);
  });

  it('leaves wrong values to core, whatever reject says', async () => {
    const { script } = mocked({});
    const options = { reject: false, uid: -1 };
    expect(await rejected(script.run('p', options))).to.be.instanceOf(CommandUsageError);
    expect(thrown(() => script.runSync('p', options))).to.be.instanceOf(CommandUsageError);
  });

  it('is a promise, and says what to use for what else others have', async () => {
    const running = mocked({ stdout: 'x' }).script.$`p`;
    expect(running).to.be.instanceOf(Promise);
    for (const name of ['pipe', 'stdout', 'text', Symbol.asyncIterator]) {
      expect(thrown(() => Reflect.get(running, name))).to.be.instanceOf(MigrationError);
    }
    expect(await running.then(({ stdout }) => stdout).finally(() => undefined)).to.equal('x');
  });

  it('runs real programs: input, order of both outputs, files, the end of a tree', async () => {
    const { $, run } = createScript(RealCommand);
    const node = process.execPath;
    const echo = await run(node, ['-e', 'process.stdin.pipe(process.stdout)'], { input: 'ü\n' });
    expect(echo.stdout).to.equal('ü');
    const both = 'const { writeSync: w } = require("fs"); w(1, "1\\n"); w(2, "2\\n"); w(1, "3\\n")';
    expect((await $({ all: true, lines: true })`${node} -e ${both}`).all).to.deep.equal(['1', '2', '3']);
    const { stdout } = await $({
      inputFile: pathToFileURL(__filename),
    })`${node} -e ${'process.stdin.pipe(process.stdout)'}`;
    expect(stdout).to.contain('the end of a tree');
    await using waiting = $({ reject: false })`${node} -e ${'setInterval(() => {}, 1000)'}`;
    waiting.kill();
    expect((await waiting).isCanceled).to.equal(true);
  });
});
