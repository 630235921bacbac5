import { expect } from 'chai';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { secret, type CommandConstructor } from '@vircommand/core';
import { defaultDelays, realTime } from '@vircommand/core/backend';
import { createMock, openRecording, RecordingError } from '@vircommand/mock';
import { failure } from './failures';
import { Scratch } from './scratch';

const cat = (Command: CommandConstructor, input: string) =>
  new Command('cat', ['-u'], { stdin: { input }, stdout: 'text' }).run();
const lineOf = (text: string, part: string): number => text.slice(0, text.indexOf(part)).split('\n').length;

describe('a replay that does not fit', () => {
  let scratch: Scratch;
  beforeEach(() => {
    scratch = new Scratch();
  });
  afterEach(() => {
    scratch.remove();
  });

  const uptime = process.uptime.bind(process);
  const { after } = realTime;
  let passed = 0;
  /** Real time passes when somebody waits for it, and at once. */
  const hurry = (): void => {
    const begin = uptime();
    passed = 0;
    process.uptime = () => begin + passed / 1000;
    realTime.after = (ms, callback, options) => {
      const come = (): void => {
        passed += ms;
        callback();
      };
      return after(ms / 100, come, options);
    };
  };
  afterEach(() => {
    process.uptime = uptime;
    realTime.after = after;
  });
  /** A while without any real wait. */
  const turns = async (count: number): Promise<void> => {
    for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
  };
  /** Until so many milliseconds have passed, or nobody waits any more. */
  const passing = async (ms: number): Promise<void> => {
    let last = passed;
    for (let [end, still] = [passed + ms, 0]; passed < end && still < 10_000; still++) {
      await turns(1);
      if (passed !== last) [last, still] = [passed, 0];
    }
  };
  /** Milliseconds: longer than a replay waits for who has no timer. */
  const tooLong = 10_000;
  let timers: NodeJS.Timeout[] = [];
  const longTimer = (): NodeJS.Timeout => {
    const timer = setTimeout(() => undefined, 1e9);
    timers.push(timer);
    return timer;
  };
  afterEach(() => {
    for (const timer of timers) clearTimeout(timer);
    timers = [];
  });
  /** What each recorded program did. */
  const events = (...all: readonly object[]): void => {
    const tape = JSON.parse(scratch.text) as { calls: { events: readonly object[] }[] };
    for (const call of tape.calls) call.events = all;
    scratch.text = JSON.stringify(tape);
  };

  it('an unknown call: the file, the nearest calls with their lines, what differs, and how to record it', async () => {
    await scratch.record(async (Command) => {
      await new Command('git', ['--version'], { cwd: '/' }).run();
      await new Command('true', ['a', 'b']).run();
    });
    const error = await failure(scratch.replay((Command) => new Command('git', ['--help'], { cwd: tmpdir() }).run()));
    expect(error).to.include({ name: 'CommandStartError', stage: 'backend', code: 'ERR_RECORDING_UNKNOWN_CALL' });
    expect(error.cause).to.be.instanceOf(RecordingError).with.property('file', scratch.file);
    expect(error.message).to.contain(`${scratch.file}: git --help is not in the recording.`);
    expect(error.message).to.contain(`1. git --version   (${scratch.file}:${lineOf(scratch.text, '"call"') - 1})`);
    expect(error.message).to.contain("argument 1: expected '--version', got '--help'");
    expect(error.message).to.contain("cwd: expected '/', got '<tmp>'");
    expect(error.message).to.contain('run the test with VIRCOMMAND_RECORD=new');
  });

  it('one call more than was recorded', async () => {
    const run = (Command: CommandConstructor) => new Command('true').run();
    await scratch.record(run);
    const twice = async (Command: CommandConstructor): Promise<void> => {
      await run(Command);
      await run(Command);
    };
    const error = await failure(scratch.replay(twice));
    expect(error.code).to.equal('ERR_RECORDING_USED_UP');
    expect(error.message)
      .to.contain('true was recorded once, and now runs once more')
      .and.contain('it was replayed already');
  });

  it('a call that was not made', async () => {
    await scratch.record(async (Command) => {
      await new Command('true').run();
      await new Command('true', ['never', 'again']).run();
    });
    const error = await failure(scratch.replay((Command) => new Command('true').run()));
    expect(error).to.be.instanceOf(RecordingError).with.property('code', 'ERR_RECORDING_UNUSED');
    expect(error.message).to.contain('a recorded call was not made:').and.contain(': true never again\n');
    expect(error.message).to.contain('VIRCOMMAND_RECORD=update');
    expect(scratch.text.split('\n')[Number(error.line)]).to.contain('"call"');
  });

  it('an unknown call that the code under test swallows is told at the end', async () => {
    await scratch.record((Command) => new Command('true').run());
    const swallowing = async (Command: CommandConstructor): Promise<void> => {
      await new Command('true').run();
      await new Command('false').run().catch(() => undefined);
    };
    expect(await failure(scratch.replay(swallowing))).to.include({ code: 'ERR_RECORDING_UNKNOWN_CALL' });
  });

  it('other stdin: the first difference, at once and not when the test times out', async () => {
    await scratch.record((Command) => cat(Command, 'the right input\n'));
    const error = await failure(scratch.replay((Command) => cat(Command, 'the wrong input\n')));
    expect(error.code).to.equal('ERR_RECORDING_DIVERGED');
    expect(error.message).to.contain(String.raw`stdin: expected 'the right input\n', got 'the wrong input\n'`);
    for (const other of ['the right', 'the right input\nand more']) {
      expect((await failure(scratch.replay((Command) => cat(Command, other)))).code).to.equal('ERR_RECORDING_DIVERGED');
    }
  });

  it('other stdin of a synchronous run', async () => {
    const run = (input: string) => (Command: CommandConstructor) =>
      new Command('cat', [], { stdin: { input }, stdout: 'text' }).runSync().stdout;
    await scratch.record(run('a'));
    expect(await scratch.replay(run('a'))).to.equal('a');
    expect((await failure(scratch.replay(run('b')))).message).to.contain("stdin: expected 'a', got 'b'");
  });

  it('other stdin: what the file does not hold is not in the message either', async () => {
    const value = 'hunter2-and-more';
    const options = { redact: ['internal.example.com'] };
    const run = (last: string, sync: boolean) => async (Command: CommandConstructor) => {
      const input = `${value} internal.example.com ${last}`;
      const command = new Command('sh', ['-c', 'cat', 'sh', secret(value)], { stdin: { input }, stdout: 'text' });
      return sync ? command.runSync() : command.run();
    };
    for (const sync of [false, true]) {
      await scratch.record(run('a', sync), options);
      const { message } = await failure(scratch.replay(run('b', sync), options));
      expect(message)
        .to.contain("<redacted:1> a', got '")
        .and.not.match(/hunter|internal/);
    }
  });

  it('other stdin that breaks off within a secret: the beginning of that is not told', async () => {
    const value = 'hunter2-and-more';
    const run = (input: string) => (Command: CommandConstructor) =>
      new Command('sh', ['-c', 'cat', 'sh', secret(value)], { stdin: { input }, stdout: 'text' }).run();
    await scratch.record(run(`user ${value}`));
    const { message } = await failure(scratch.replay(run(`admin ${value.slice(0, 8)}`)));
    expect(message).to.contain("expected 'user <secret:argv.4>', got 'admin …'").and.not.contain('hunter');
  });

  it('other stdin that is a secret now and was none before', async () => {
    await scratch.record((Command) => cat(Command, 'the right input\n'));
    const run = (Command: CommandConstructor) =>
      new Command('cat', ['-u'], { stdout: 'text' }).setInputBuffer(secret('hunter2')).run();
    const error = await failure(scratch.replay(run));
    expect(error.message).to.contain('its stdin differs').and.not.contain('hunter2');
  });

  describe('what is written to a program that had stopped reading', () => {
    const head = async (Command: CommandConstructor, source: Readable) => {
      const running = await new Command('head', ['-c', '100'], { stdin: 'pipe', stdout: 'text' })
        .doAsyncIo()
        .runAsync();
      const fed = pipeline(source, running.stdin).catch((error: unknown) => error);
      const { stdout } = await running.wait();
      return [stdout.length, await fed];
    };
    const pieces = (count: number, of = 'x') =>
      Readable.from(Array.from({ length: count }, () => Buffer.alloc(65536, of)));
    /** As `head` is recorded: when its caller learns that it has stopped is chance. */
    const recorded = async (...events: readonly (readonly object[])[]): Promise<void> => {
      await scratch.record((Command) => head(Command, Readable.from([])));
      const tape = JSON.parse(scratch.text) as { calls: { call: object; events: readonly object[] }[] };
      const [{ call } = { call: {} }] = tape.calls;
      tape.calls = events.map((given) => ({ call, events: [...given, { stdout: ['x'.repeat(100)] }, { exit: 0 }] }));
      scratch.text = JSON.stringify(tape);
    };
    const stdin = (of: string) => ({ stdin: [of.repeat(131_072)] });
    const broken = { broken: 'stdin' };
    const end = { end: 'stdin' };

    it('may be more or less', async () => {
      await recorded([stdin('x'), broken, end]);
      for (const count of [2, 3, 100]) {
        const [size, error] = await scratch.replay((Command) => head(Command, pieces(count)));
        expect([size, Reflect.get(Object(error), 'code')]).to.deep.equal([100, 'EPIPE']);
      }
      expect(await scratch.replay((Command) => head(Command, pieces(1)))).to.deep.equal([100, undefined]);
    });

    it('is the same where it was written to its end before', async () => {
      await recorded([stdin('x'), end, broken]);
      expect(await scratch.replay((Command) => head(Command, pieces(2)))).to.deep.equal([100, undefined]);
      for (const count of [1, 3]) {
        const error = await failure(scratch.replay((Command) => head(Command, pieces(count))));
        expect(error.code).to.equal('ERR_RECORDING_DIVERGED');
      }
    });

    it('must not begin in another way', async () => {
      await recorded([stdin('x'), broken, end]);
      const error = await failure(scratch.replay((Command) => head(Command, pieces(1, 'y'))));
      expect(error.code).to.equal('ERR_RECORDING_DIVERGED');
    });

    it('tells calls apart by how it begins', async () => {
      await recorded([stdin('x'), broken, end], [stdin('y'), broken, end]);
      await scratch.replay(async (Command) => {
        for (const [count, of] of [
          [3, 'y'],
          [1, 'x'],
        ] as const)
          expect((await head(Command, pieces(count, of)))[0]).to.equal(100);
      });
    });

    it('waits no longer when the program is killed', async () => {
      await recorded([stdin('x'), { signal: 'SIGTERM' }, broken, end]);
      await scratch.replay(async (Command) => {
        const running = await new Command('head', ['-c', '100'], { stdin: 'pipe', stdout: 'text' })
          .doAsyncIo()
          .runAsync();
        const fed = failure(pipeline(pieces(3), running.stdin));
        running.kill('SIGKILL');
        expect(await fed).to.include({ code: 'EPIPE' });
        expect((await failure(running.wait())).result).to.include({ signal: 'SIGKILL' });
      });
    });
  });

  it('a signal that was not recorded', async () => {
    const run = (signal: NodeJS.Signals) => async (Command: CommandConstructor) => {
      const running = await new Command('sh', ['-c', 'echo ready; exec sleep 60'], { stdout: 'pipe' }).runAsync();
      await once(running.stdout, 'data');
      running.kill(signal);
      running.stdout.resume();
      return (await failure(running.wait())) as Error;
    };
    expect(await scratch.record(run('SIGINT'))).to.include({ signal: 'SIGINT' });
    expect(await scratch.replay(run('SIGINT'))).to.include({ signal: 'SIGINT' });
    const error = await failure(scratch.replay(run('SIGHUP')));
    expect(error.message).to.contain('it was sent SIGHUP, which was not recorded');
  });

  describe('a signal that was recorded', () => {
    type Running = Awaited<ReturnType<typeof start>>;
    const start = (Command: CommandConstructor) =>
      new Command('sh', ['-c', 'echo ready; exec sleep 60'], { stdout: 'text' }).doAsyncIo().runAsync();
    const killed = (how: (running: Running) => Promise<unknown>) => async (Command: CommandConstructor) => {
      const running = await start(Command);
      const over = failure(running.wait());
      await how(running);
      return over;
    };
    const kill = (running: Running): Promise<void> => {
      running.kill('SIGTERM');
      return Promise.resolve();
    };
    beforeEach(async () => {
      await scratch.record(killed(kill));
      events({ stdout: ['ready', ''] }, { signal: 'SIGTERM' }, { exit: 'SIGTERM' });
    });

    it('and does not come: which one, when, and what to do', async () => {
      hurry();
      const recording = await openRecording({ file: scratch.file, mode: 'replay' });
      const error = await failure((await start(recording.Command)).wait());
      expect(error).to.include({ stage: 'backend', code: 'ERR_RECORDING_DIVERGED' });
      expect(error.message).to.contain(
        `it was sent SIGTERM (after {"stdout":["ready",""]}, event 2 of 3), and nobody does that now. End it as then`,
      );
      expect(error.message).to.contain('VIRCOMMAND_RECORD=update');
      expect(await failure(recording.finish())).to.equal(error.cause);
      recording.discard();
    });

    it('may come late: after awaits, and after a timer however long it is', async () => {
      const later = async (running: Running): Promise<void> => {
        await turns(100);
        await kill(running);
      };
      expect(await scratch.replay(killed(later))).to.include({ signal: 'SIGTERM' });
      const byTimer = async (running: Running): Promise<void> => {
        const timer = longTimer();
        await passing(tooLong);
        clearTimeout(timer);
        await kill(running);
      };
      hurry();
      expect(await scratch.replay(killed(byTimer))).to.include({ signal: 'SIGTERM' });
    });

    it('may come after a timer also where one from before has ended meanwhile', async () => {
      const before = longTimer();
      const byTimer = async (running: Running): Promise<void> => {
        const timer = longTimer();
        clearTimeout(before);
        await passing(tooLong);
        clearTimeout(timer);
        await kill(running);
      };
      hurry();
      expect(await scratch.replay(killed(byTimer))).to.include({ signal: 'SIGTERM' });
    });

    it('is waited for no longer than there is a timer, and the timers of before count in no case', async () => {
      hurry();
      const before = longTimer();
      let end = 0;
      const never = async (): Promise<void> => {
        longTimer().unref();
        const timer = longTimer();
        await passing(tooLong);
        clearTimeout(timer);
        end = passed + tooLong;
        await passing(2 * tooLong);
        clearTimeout(before);
      };
      expect((await failure(scratch.replay(killed(never)))).message).to.contain('nobody does that now');
      expect(passed).to.be.below(end);
    });

    it('may come after the process was held for long, by a debugger for instance', async () => {
      const late = async (running: Running): Promise<void> => {
        await passing(500);
        passed += 60_000;
        await passing(500);
        await kill(running);
      };
      hurry();
      expect(await scratch.replay(killed(late))).to.include({ signal: 'SIGTERM' });
    });

    it('may come from AbortSignal.timeout()', async () => {
      const run = async (Command: CommandConstructor): Promise<Error> =>
        failure(new Command('sleep', ['60']).run({ signal: AbortSignal.timeout(100) }));
      await scratch.record(run);
      expect(await scratch.replay(run)).to.include({ code: 'ERR_COMMAND_ABORTED' });
    });

    it('and had not come when the recording was finished', async () => {
      const recording = await openRecording({ file: scratch.file, mode: 'replay' });
      const run = failure((await start(recording.Command)).wait());
      await turns(20);
      expect(await failure(recording.finish())).to.include({ code: 'ERR_RECORDING_DIVERGED' });
      expect(await run).to.include({ code: 'ERR_RECORDING_DIVERGED' });
    });
  });

  describe('output that its reader closed when it was recorded', () => {
    type Running = Awaited<ReturnType<typeof start>>;
    const start = (Command: CommandConstructor) =>
      new Command('sh', ['-c', 'while :; do echo line; done'], { stdout: 'pipe' }).runAsync();
    const read = (how: (running: Running) => unknown) => async (Command: CommandConstructor) => {
      const running = await start(Command);
      const over = failure(running.wait());
      await once(running.stdout, 'data');
      await how(running);
      return over;
    };
    const close = ({ stdout }: Running): void => {
      stdout.destroy();
    };
    const on = ({ stdout }: Running): void => {
      stdout.resume();
    };
    beforeEach(async () => {
      await scratch.record(read(close));
      events({ stdout: ['line', ''] }, { closed: 'stdout' }, { exit: 'SIGPIPE' });
    });
    const what = `its reader closed its stdout (after {"stdout":["line",""]}, event 2 of 3), and nobody does that now`;

    it('is waited for, however late', async () => {
      expect(await scratch.replay(read(close))).to.include({ signal: 'SIGPIPE' });
      const late = async (running: Running): Promise<void> => {
        on(running);
        await turns(100);
        close(running);
      };
      expect(await scratch.replay(read(late))).to.include({ signal: 'SIGPIPE' });
      hurry();
      const later = async (running: Running): Promise<void> => {
        const timer = longTimer();
        await passing(tooLong);
        clearTimeout(timer);
        close(running);
      };
      expect(await scratch.replay(read(later))).to.include({ signal: 'SIGPIPE' });
    });

    it('and is not now: which, when, and what to do', async () => {
      hurry();
      const recording = await openRecording({ file: scratch.file, mode: 'replay' });
      const error = await read(on)(recording.Command);
      expect(error).to.include({ stage: 'backend', code: 'ERR_RECORDING_DIVERGED' });
      expect(error.message).to.contain(`${what}. Close it as then, by destroy() or by leaving the loop`);
      expect(await failure(recording.finish())).to.equal(error.cause);
    });

    it('and had not been when the recording was finished', async () => {
      const recording = await openRecording({ file: scratch.file, mode: 'replay' });
      const run = failure((await start(recording.Command)).wait());
      await turns(20);
      expect(await failure(recording.finish())).to.include({ code: 'ERR_RECORDING_DIVERGED' });
      expect(await run).to.include({ code: 'ERR_RECORDING_DIVERGED' });
    });

    it('counts as closed, or as never closed, for who hands it on', async () => {
      expect(await scratch.replay(read(on), { closed: ['stdout'] })).to.include({ signal: 'SIGPIPE' });
      for (const closed of [[], ['stderr']] as const) {
        // No time passes in which anybody could be waited for.
        process.uptime = () => 0;
        expect((await failure(scratch.replay(read(on), { closed }))).message).to.contain(what);
      }
    });
  });

  it("core's own bounds are the same, whether the caller says them or not", async () => {
    const { killDelay, drainDelay } = defaultDelays;
    const live = createMock();
    live.on('true').reply({});
    await scratch.record((Command) => new Command('true').runSync(), { live });
    expect(scratch.text).to.not.match(/killDelay|drainDelay/);
    await scratch.replay((Command) => new Command('true').runSync({ killDelay, drainDelay }));
  });

  it('other arguments, environment, streams, user and bounds are each named', async () => {
    await scratch.record(
      async (Command) => {
        await new Command('true', ['x'], { env: { A: '1', LANG: 'C' } }).run();
        new Command('true', ['y']).runSync();
      },
      { env: ['LANG'] },
    );
    const differing = async (run: (Command: CommandConstructor) => unknown): Promise<string> =>
      (await failure(scratch.replay((Command) => run(Command), { env: ['LANG'] }))).message;
    const other = (env: Record<string, string>, stdout?: 'text') => (Command: CommandConstructor) =>
      new Command('true', ['x'], { env, stdout }).run();
    expect(await differing(other({ A: '1', LANG: 'D' }))).to.contain("env LANG: expected 'C', got 'D'");
    expect(await differing(other({ LANG: 'C' }))).to.contain('env A: expected set, got (none)');
    expect(await differing(other({ A: '1', B: '2', LANG: 'C' }))).to.contain('env B: expected (none), got set');
    expect(await differing(other({ A: '1', LANG: 'C' }, 'text'))).to.contain("stdout: expected (none), got 'pipe'");
    expect(await differing((Command) => new Command('true', ['x']).run())).to.contain(
      'environment: expected one of its own, got inherited',
    );
    expect(await differing((Command) => new Command('true', ['y']).run())).to.contain(
      'sync: expected {"tail":8192}, got (none)',
    );
    // The value of what may not be stored does not matter.
    await failure(scratch.replay(other({ A: '2', LANG: 'C' }), { env: ['LANG'] })).then((error) => {
      expect(error).to.include({ code: 'ERR_RECORDING_UNUSED' });
    });
  });

  it('what is passed on from this process may differ from machine to machine', async () => {
    const run = (Command: CommandConstructor) => new Command('true').addEnvPassCommon().addEnvPair('OWN', 'x').run();
    await scratch.record(run);
    const { LANG } = process.env;
    process.env.LANG = 'tlh_KX.UTF-8';
    try {
      await scratch.replay(run);
    } finally {
      if (LANG === undefined) delete process.env.LANG;
      else process.env.LANG = LANG;
    }
  });

  describe('a file that is no good', () => {
    const open = (): Promise<Error & Record<string, unknown>> => failure(openRecording({ file: scratch.file }));

    it('is not there', async () => {
      const error = await open();
      expect(error).to.include({ name: 'RecordingError', code: 'ERR_RECORDING_MISSING', file: scratch.file });
      expect(error.message).to.contain('VIRCOMMAND_RECORD=new');
    });

    it('is named with its control characters', async () => {
      const file = `${scratch.file}\x1b[K`;
      const error = await failure(openRecording({ file }));
      expect(error).to.include({ code: 'ERR_RECORDING_MISSING', file });
      expect(error.message).to.contain(String.raw`${scratch.file}\x1b[K: there is no recording`);
    });

    it('is no JSON: the line', async () => {
      await scratch.record((Command) => new Command('true').run());
      scratch.text = scratch.text.replace('"calls": [', '"calls": [ oops');
      const error = await open();
      expect(error.code).to.equal('ERR_RECORDING_DAMAGED');
      expect(error.line).to.equal(lineOf(scratch.text, 'oops'));
      expect(error.message).to.contain(`${scratch.file}:${String(error.line)}: the recording is damaged`);
      scratch.text = scratch.text.slice(0, 40);
      expect((await open()).code).to.equal('ERR_RECORDING_DAMAGED');
      scratch.text = '';
      expect((await open()).code).to.equal('ERR_RECORDING_DAMAGED');
    });

    it('does not follow the schema: the call and its line', async () => {
      const damage: readonly (readonly [string, string])[] = [
        ['"exit": 0', '"exit": true'],
        ['"exit": 0', '"exist": 0'],
        ['"program": "true"', '"program": 5'],
        ['"program": "true"', '"programme": "true"'],
        ['"events"', '"outcome": {}, "events"'],
        ['"call"', '"extra": 1, "call"'],
      ];
      for (const [good, bad] of damage) {
        await scratch.record(async (Command) => {
          await new Command('echo', ['{ "calls": [ in a string']).run();
          await new Command('true').run();
        });
        const { text } = scratch;
        const at = text.lastIndexOf(good);
        scratch.text = text.slice(0, at) + bad + text.slice(at + good.length);
        const error = await open();
        expect(error.code, bad).to.equal('ERR_RECORDING_DAMAGED');
        expect(error.message).to.contain('call 2 does not follow the schema');
        expect(scratch.text.split('\n')[Number(error.line)]).to.match(/"call"|"extra"/);
      }
    });

    it('is of somebody else, or of another version', async () => {
      for (const foreign of ['{}', '[]', 'null', '"x"', '{"format":"other"}']) {
        scratch.text = foreign;
        expect((await open()).code, foreign).to.equal('ERR_RECORDING_FOREIGN');
      }
      scratch.text = '{"format":"vircommand-recording","version":2}';
      const error = await open();
      expect(error.code).to.equal('ERR_RECORDING_VERSION');
      expect(error.message).to.contain('has version 2, this package reads version 1');
    });

    it('was made with another backend than the one that is to add to it', async () => {
      await scratch.record((Command) => new Command('true').run());
      scratch.text = scratch.text.replace('"child-process"', '"posix"');
      expect((await failure(scratch.record(() => undefined, { mode: 'new' }))).message).to.contain(
        'was made with posix, and child-process is to add to it',
      );
    });
  });
});
