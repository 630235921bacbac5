import { expect } from 'chai';
import { CommandAbortedError } from '@vircommand/core';
import { withoutPrototype, type LaunchPlan } from '@vircommand/core/backend';
import { createDryRun, createMock } from '@vircommand/mock';
import { createScript, type Script, type ScriptOptions } from '@vircommand/script';

/** What a polluted prototype may hold for each option: something that would show. */
const options: { readonly [K in keyof Required<ScriptOptions>]: unknown } = {
  reject: false,
  timeout: 1,
  cancelSignal: AbortSignal.abort(),
  killSignal: 'SIGKILL',
  forceKillAfterDelay: 0,
  cleanup: false,
  cwd: '/evil',
  env: { EVIL: '1' },
  extendEnv: false,
  input: 'evil',
  inputFile: '/evil',
  stdin: 'inherit',
  stdout: { file: '/evil' },
  stderr: { file: '/evil' },
  stdio: 'inherit',
  all: true,
  encoding: 'buffer',
  lines: true,
  stripFinalNewline: false,
  maxBuffer: 1,
  argv0: 'evil',
  uid: 1,
  gid: 1,
};
/** What else is read of objects on the way from the options to the result. */
const others = {
  ...{ command: { cwd: '/evil' }, run: { check: false }, killOnParentExit: 'guaranteed', killDelay: 0, outputLimit: 1 },
  ...{ timedOut: true, aborted: true, source: { name: 'input', option: { input: 'evil' } }, get: 1, set: 1 },
};
const polluted: Readonly<Record<string, unknown>> = { ...options, ...others };

/** Runs a call while a prototype is polluted; what it comes to is looked at afterwards. */
async function under<T>(names: readonly string[], body: () => Promise<T>): Promise<T> {
  // An assignment is what pollutes in practice: writable, enumerable, configurable.
  for (const name of names) Reflect.set(Object.prototype, name, polluted[name]);
  try {
    return await body();
  } finally {
    for (const name of names) Reflect.deleteProperty(Object.prototype, name);
  }
}

interface Seen {
  readonly results: readonly object[];
  readonly plans: readonly LaunchPlan[];
  readonly stdin: readonly string[];
}

/** What the calls of each form come to. */
async function seen(names: readonly string[], streams: boolean): Promise<Seen> {
  const written = withoutPrototype({ stdout: 'out\n', stderr: 'err\n' });
  const startError = withoutPrototype({ stage: 'resolve', code: 'ENOENT' } as const);
  // A mock would compare with what expectations inherit.
  const mock = createDryRun(({ program }) => (program === 'p' ? written : withoutPrototype({ startError })));
  const { $, run, runSync, runLines } = createScript(mock.Command);
  const calls: readonly (() => object | Promise<object>)[] = [
    () => run('p', ['a']),
    () => run('p', { cwd: '/' }),
    () => runSync('p', ['a']),
    () => $`p a`,
    () => $({ cwd: '/' })`p a`,
    () => $({ cwd: '/' })({ cleanup: false }).sync`p`,
    () => run('absent', { reject: false }).then((result) => ({ ...result, error: undefined })),
  ];
  const linesOf = async (lines: ReturnType<Script['runLines']>): Promise<object> => {
    const read: string[] = [];
    for await (const line of lines) read.push(line);
    return read;
  };
  // Node's own streams take an encoding from there.
  const lineCalls = streams ? [() => linesOf(runLines('p', ['a'])), () => linesOf($({ cwd: '/' }).lines`p`)] : [];
  const results = await under(names, async () => {
    const made: object[] = [];
    for (const call of [...calls, ...lineCalls]) made.push(await call());
    return made;
  });
  const bare = results.map((result) => (Array.isArray(result) ? result : { ...result, durationMs: 0 }));
  return { results: bare, plans: mock.calls.map(({ plan }) => plan), stdin: mock.calls.map((c) => c.stdin.toString()) };
}

describe('a polluted Object.prototype', () => {
  for (const name of Object.keys(polluted)) {
    it(`changes no call by '${name}'`, async () => {
      const streams = name !== 'encoding';
      const clean = await seen([], streams);
      expect(clean.results).to.have.length(streams ? 9 : 7);
      expect(await seen([name], streams)).to.deep.equal(clean);
    });
  }

  it('changes nothing by all names at once', async () => {
    expect(await seen(Object.keys(polluted), false)).to.deep.equal(await seen([], false));
  });

  it('keeps nobody from ending what runs', async () => {
    const mock = createMock();
    mock.on('p').reply({ never: true });
    const running = createScript(mock.Command).$`p`;
    const ended = under(Object.keys(polluted), async () => {
      running.kill();
      return running.then(
        () => undefined,
        (error: unknown) => error,
      );
    });
    expect(await ended).to.be.instanceOf(CommandAbortedError);
  });
});
