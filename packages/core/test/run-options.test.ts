import events from 'node:events';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { CommandExitError, CommandUsageError, UnsupportedFeatureError, type Command } from '@vircommand/core';
import { FEATURES } from '@vircommand/core/backend';
import { rejection } from './caught';
import { fake } from './fake-backend';

const wrongStdout = (given: string): RegExp =>
  RegExp(
    "^option 'stdout': must be 'null', 'inherit', 'pipe', 'text', 'bytes', a descriptor or { file, append }, " +
      `not ${given}$`,
  );

describe('options of a run', () => {
  const { Command } = fake();
  const wrong: [options: unknown, says: RegExp][] = [
    [null, /must be an object, not null/],
    [5, /must be an object/],
    [[], /must be an object, not an array/],
    [AbortSignal.abort(), /must be an object, not an AbortSignal/],
    [new Map([['timeout', 50]]), /must be an object, not a Map/],
    [Promise.resolve({ timeout: 50 }), /must be an object, not a Promise/],
    [{ timout: 5 }, /no option 'timout'; did you mean 'timeout'/],
    [{ stdout: 'text' }, /no option 'stdout' here; it is one of new Command\(\)/],
    ...['uid', 'umask', 'argv0', 'daemon', 'session', 'env'].map((name): [unknown, RegExp] => [
      { [name]: 1 },
      RegExp(`no option '${name}' here; it is one of new Command\\(\\)$`),
    ]),
    [{ input: 'x' }, /no option 'input' here; use stdin: { input } of new Command\(\)/],
    [{ detached: true }, /no option 'detached' here; use session or daemon of new Command\(\)/],
    [{ timeout: 0 }, /'timeout' is 0; leave it out/],
    [{ timeout: -1 }, /'timeout' must be a finite number of milliseconds above 0/],
    [{ timeout: NaN }, /'timeout' must be/],
    [{ timeout: Infinity }, /'timeout' must be a finite number [^]*leave it out/],
    [{ timeout: '5' }, /'timeout' must be/],
    [{ killDelay: -1 }, /'killDelay' must be/],
    [{ drainDelay: Infinity }, /'drainDelay' must be a finite number/],
    [{ check: 1 }, /'check' must be a boolean/],
    [{ signal: {} }, /'signal' must be an AbortSignal/],
    [{ outputLimit: -1 }, /'outputLimit' must be/],
    [{ outputLimit: new Date(0) }, /'outputLimit' must be/],
    [{ signal: { aborted: false, addEventListener: () => undefined } }, /'signal' must be an AbortSignal/],
    [{ outputLimit: 1.5 }, /'outputLimit' must be/],
    [{ outputLimit: null }, /'outputLimit' must be/],
    [{ outputLimit: { stdout: 'kill' } }, /'outputLimit' has stdout: the string 'kill'/],
    [{ outputLimit: { onExceed: 5 } }, /'outputLimit' has onExceed: the number 5/],
    [{ signal: null }, /'signal' must be an AbortSignal/],
    [{ signal: new EventTarget() }, /'signal' must be an AbortSignal/],
    [
      { outputLimit: { stdut: 5 } },
      /'outputLimit' must be { .* }: there is no property 'stdut'; did you mean 'stdout'\?$/,
    ],
    [{ outputLimit: { onExceed: 'stop' } }, /'outputLimit' has onExceed/],
    [{ encoding: 'utf-8' }, /'encoding' must be 'utf8'/],
    [{ killOnParentExit: 'yes' }, /'killOnParentExit' must be a boolean or 'guaranteed'/],
    [
      { maxLength: 5 },
      /'maxLength' is not for run\(\); it is one of runLines\(\), runRegex\(\), runNul\(\), lines\(\)$/,
    ],
    [{ prefix: 'x' }, /'prefix' is not for run\(\); it is one of runRegex\(\)$/],
  ];
  for (const [options, says] of wrong) {
    it(`${JSON.stringify(options)} is a usage error, and the command may run again`, async () => {
      const command: Command = new Command('x');
      expect((await rejection(command.run(options as never), CommandUsageError)).message).to.match(says);
      expect((await command.run({ timeout: undefined })).exitCode).to.equal(0);
    });
  }

  it('a signal is let go of also where Symbol.dispose is that of another realm', async () => {
    const real = events.addAbortListener.bind(events);
    events.addAbortListener = (signal, listener) => {
      const added = real(signal, listener);
      // As in a test runner's context before Node 24.
      return { [Symbol('dispose')]: () => added[Symbol.dispose]() } as unknown as Disposable;
    };
    const { signal } = new AbortController();
    try {
      expect((await new Command('x').run({ signal })).exitCode).to.equal(0);
    } finally {
      events.addAbortListener = real;
    }
    expect(events.getEventListeners(signal, 'abort')).to.deep.equal([]);
  });

  it('a signal that throws ends the run alone, and the command may run again', async () => {
    const no = (): never => {
      throw new RangeError('no');
    };
    const command = new Command('x');
    const signal = { aborted: false, addEventListener: no, removeEventListener: no };
    await rejection(command.run({ signal: signal as never }), RangeError);
    expect((await command.run()).exitCode).to.equal(0);
  });

  it('of records: what is wrong is named', async () => {
    for (const [options, says] of [
      [{ from: 'both' }, /'from' must be 'stdout' or 'stderr'/],
      [{ prefix: 5 }, /'prefix' must be a string/],
    ] as const) {
      const rows = new Command('x').runRegex([/(.)/], options as never);
      expect((await rejection(rows.next(), CommandUsageError)).message).to.match(says);
    }
  });

  it('may say what is so anyhow', async () => {
    const { Command: Same } = fake((p) => p.write('stdout', 'a\n').exit());
    const lines = new Same('x').runLines({ from: 'stdout', maxLength: Infinity });
    expect((await lines.next()).value).to.equal('a');
    for (const outputLimit of [Infinity, { stdout: 5, onExceed: 'kill' }, { total: undefined }] as const) {
      expect((await new Same('x').setOutputBuffer().run({ outputLimit })).stdout).to.equal('a\n');
    }
  });

  it('bounds of a synchronous run are refused where nothing can keep them', () => {
    const lacking = fake(undefined, { features: FEATURES.filter((name) => name !== 'sync-deadline') });
    for (const options of [{ killDelay: 1 }, { drainDelay: 1 }, { outputLimit: 1 }, { outputLimit: { total: 1 } }]) {
      expect(() => new lacking.Command('x').runSync(options)).to.throw(UnsupportedFeatureError);
    }
  });

  it('zero is a grace period, a drain and a limit', async () => {
    expect(await new Command('x').setOutputBuffer().run({ killDelay: 0, drainDelay: 0, outputLimit: 0 })).to.include({
      exitCode: 0,
    });
  });

  it('text is decoded as it is told', async () => {
    const euro = fake((p) => p.write('stdout', Buffer.from([0xe9, 0x00])).exit());
    const command = new euro.Command('x').setOutputBuffer();
    const decoded = [];
    for (const encoding of ['utf8', 'latin1', 'utf16le'] as const)
      decoded.push((await command.run({ encoding })).stdout);
    expect(decoded).to.deep.equal(['\ufffd\0', 'é\0', 'é']);
    const failing = fake((p) => p.write('stderr', Buffer.from('caf\xe9', 'latin1')).exit(1));
    const error = await rejection(new failing.Command('x').run({ encoding: 'latin1' }), CommandExitError);
    expect(error.stderrTail).to.equal('café');
  });

  it('of the constructor: an unknown one is named, with what was meant', async () => {
    for (const [options, says] of [
      [{ stdot: 'text' }, /no option 'stdot'; did you mean 'stdout'/],
      [{ shell: true }, /no option 'shell' here; run 'sh' with '-c'/],
      [{ input: 'x' }, /no option 'input' here; use stdin: { input }/],
      [{ detached: true }, /no option 'detached' here; use session or daemon/],
      [{ timeout: 5 }, /no option 'timeout' here; it is one of run\(\)/],
      [{ from: 'stderr' }, /no option 'from' here; it is one of runLines\(\), runRegex\(\), runNul\(\), lines\(\)$/],
      [{ maxLength: 5 }, /no option 'maxLength' here; it is one of runLines\(\)/],
      [{ prefix: 'x' }, /no option 'prefix' here; it is one of runRegex\(\)$/],
      [{ encoding: 'utf8' }, /no option 'encoding' here; it is one of run\(\)/],
      [{ stdio: 'inherit' }, /no option 'stdio'; did you mean 'stdin'/],
      [{ toString: 'x' }, /no option 'toString'/],
      [{ stdout: 'txt' }, wrongStdout("the string 'txt'")],
      [{ stdout: 1.5 }, wrongStdout('the number 1.5')],
      [{ stdout: {} }, wrongStdout('an object')],
      [{ stdout: { file: undefined } }, wrongStdout('an object')],
      [{ stdout: { append: true } }, wrongStdout('an object')],
      [{ stdout: new Date(0) }, wrongStdout('a Date')],
      [{ stdout: new PassThrough() }, wrongStdout('an object')],
      [{ stdout: { input: 'x' } }, /no property 'input'/],
      [{ stdout: { file: '/f', fd: 5 } }, /no property 'fd'/],
      [
        { stdin: 'text' },
        /must be 'null', 'inherit', 'pipe', a descriptor, { file } or { input }, not the string 'text'/,
      ],
      [{ stdin: { inpt: 'x' } }, /option 'stdin': there is no property 'inpt'; did you mean 'input'/],
      [{ stdin: { file: '/f', input: 'x' } }, /option 'stdin': give file or input, not both/],
      [{ stderr: 'stdot' }, /'bytes', 'stdout', a descriptor or { file, append }, not the string 'stdot'/],
      [{ stdout: { file: '/f', apend: true } }, /no property 'apend'; did you mean 'append'/],
      [{ stdin: { fd: NaN } }, /must be .* a descriptor/],
      [{ stdout: { fd: 1.5 } }, /must be .* a descriptor/],
      [{ stderr: { fd: 2 ** 31 } }, /must be .* a descriptor/],
      [{ passFds: [{ fd: 5, At: 1 }] }, /no property 'At'/],
      [{ passFds: {} }, /must be an array/],
      [{ sendBuffers: [{ fd: 5, dta: 'x' }] }, /no property 'dta'; did you mean 'data'/],
      [{ env: new Map() }, /must be an object of names and values/],
      [{ env: { A: 5 } }, /value of A must be a string/],
      [{ daemon: 'yes' }, /must be a boolean/],
      [{ limits: { file: 5 } }, /there is no limit 'file'; did you mean 'files'\?$/],
      [{ capabilities: { clean: true } }, /no property 'clean'; did you mean 'clear'/],
      [{ coreScheduling: { amung: 5 } }, /no property 'amung'/],
      [{ coreScheduling: 'together' }, /must be 'alone' or/],
      [{ preExecHook: { module: '/h.js', data: { a: () => 1 } } }, /data holds a function/],
      [{ preExecHook: { module: '/h.js', data: new Date() } }, /object of a class/],
      [{ backend: {} }, /must be a backend/],
      [5, /options must be an object/],
      [[], /options must be an object, not an array/],
      [new Map([['stdout', 'text']]), /options must be an object, not a Map/],
      [new Set(['a']), /not a Set/],
      [Promise.resolve({}), /not a Promise/],
      [new Date(0), /not a Date/],
      [/a/, /not a RegExp/],
      [{ env: Promise.resolve({}) }, /must be an object of names and values, not a Promise/],
      [{ limits: [] }, /must be an object, not an array/],
    ] as const) {
      const command = new Command('x', [], options as never);
      expect((await rejection(command.run(), CommandUsageError)).message, JSON.stringify(options)).to.match(says);
    }
  });

  it('may be an instance of a class, or a module', async () => {
    class Options {
      check = false;
    }
    const failing = fake((p) => p.exit(1));
    const module = Object.defineProperty({ check: false }, Symbol.toStringTag, { value: 'Module' });
    for (const options of [new Options(), module, Object.assign(Object.create(null) as object, { check: false })]) {
      expect((await new failing.Command('x').run(options)).exitCode).to.equal(1);
    }
  });

  it('are own properties, read once', async () => {
    let reads = 0;
    const options = Object.create({ timeout: -1 }) as Record<string, unknown>;
    Object.defineProperty(options, 'check', { enumerable: true, get: () => (reads++, false) });
    const failing = fake((p) => p.exit(1));
    expect((await new failing.Command('x').run(options)).exitCode).to.equal(1);
    expect(reads).to.equal(1);
  });
});
