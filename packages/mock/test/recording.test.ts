import { expect } from 'chai';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { constants } from 'node:os';
import * as path from 'node:path';
import { backend as live, Command as RealCommand } from '@vircommand/child-process';
import { secret, type Arg, type CommandConstructor, type CommandResult } from '@vircommand/core';
import { createMock, openRecording, REPLAYABLE, RecordingError, type RecordMode } from '@vircommand/mock';
import { recordMode } from '../src/record-mode';
import { failure, thrown } from './failures';
import { Scratch } from './scratch';

/** What of a result does not depend on time. */
const facts = ({ stdout, stderr, exitCode, signal, timedOut, aborted, outputComplete, ended }: CommandResult) => ({
  stdout,
  stderr,
  exitCode,
  signal,
  timedOut,
  aborted,
  outputComplete,
  ended,
});

const resultOf = async (run: Promise<CommandResult>): Promise<CommandResult> =>
  run.catch((error: unknown) => (error as { result: CommandResult }).result);

/** What can happen to a program, and what comes of it. */
const work = {
  'both streams and an exit code': async (Command: CommandConstructor) => [
    facts(
      await new Command('sh', ['-c', 'echo out; echo err >&2; exit 3'], { stdout: 'text', stderr: 'bytes' }).run({
        check: false,
      }),
    ),
  ],
  'stdin and stdout': async (Command: CommandConstructor) => [
    facts(await new Command('sort', [], { stdin: { input: 'b\na\n' }, stdout: 'text' }).run()),
  ],
  'merged streams, in order': async (Command: CommandConstructor) => [
    facts(await new Command('sh', ['-c', 'echo 1; echo 2 >&2; echo 3'], { stdout: 'text', stderr: 'stdout' }).run()),
  ],
  'bytes that are no text': async (Command: CommandConstructor) => [
    facts(await new Command('printf', ['\\377\\000\\200'], { stdout: 'bytes' }).run()),
  ],
  'a deadline, and what came before it': async (Command: CommandConstructor, timeout = 300) => [
    facts(await resultOf(new Command('sh', ['-c', 'echo x; exec sleep 60'], { stdout: 'text' }).run({ timeout }))),
  ],
  'SIGTERM ignored, SIGKILL after the grace': async (Command: CommandConstructor) => {
    const command = new Command('sh', ['-c', "trap '' TERM; echo ready; while :; do sleep 0.01; done"], {
      stdout: 'pipe',
    });
    const running = await command.runAsync({ killDelay: 50 });
    await once(running.stdout, 'data');
    running.stdout.resume();
    await running.abort();
    return [facts(await resultOf(running.wait()))];
  },
  'a signal that is trapped': async (Command: CommandConstructor) => {
    const script = "trap 'echo caught; exit 7' USR1; echo ready; while :; do sleep 0.01; done";
    const running = await new Command('sh', ['-c', script], { stdout: 'pipe' }).runAsync({ check: false });
    let text = '';
    running.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await once(running.stdout, 'data');
    // By its number: it is recorded by its name.
    running.kill(constants.signals.SIGUSR1);
    const { exitCode } = await running.wait();
    return [text, exitCode];
  },
  'a conversation': async (Command: CommandConstructor) => {
    const script = 'while read -r line; do echo "<$line>"; done; echo bye';
    const running = await new Command('sh', ['-c', script], { stdin: 'pipe', stdout: 'pipe' }).runAsync();
    const answers: string[] = [];
    for (const question of ['one', 'two']) {
      running.stdin.write(`${question}\n`);
      answers.push(String((await once(running.stdout, 'data'))[0]));
    }
    running.stdin.end();
    answers.push(String((await once(running.stdout, 'data'))[0]));
    return [...answers, (await running.wait()).exitCode];
  },
  'a reader that stops reading': async (Command: CommandConstructor) => {
    const running = await new Command('yes', [], { stdout: 'pipe' }).runAsync();
    await once(running.stdout, 'data');
    running.stdout.destroy();
    return [facts(await resultOf(running.wait()))];
  },
  'a reader who takes his time': async (Command: CommandConstructor) => {
    const running = await new Command('seq', ['100000'], { stdout: 'pipe' }).runAsync();
    let size = 0;
    const reading = (async () => {
      for await (const chunk of running.stdout) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        size += (chunk as Buffer).length;
      }
    })();
    const { outputComplete } = await running.wait();
    await running[Symbol.asyncDispose]();
    await reading;
    return [outputComplete, size];
  },
  'lines, and leaving the loop': async (Command: CommandConstructor) => {
    const lines: string[] = [];
    for await (const line of new Command('sh', ['-c', 'echo a; echo b; exec sleep 60']).runLines()) {
      if (lines.push(line) === 2) break;
    }
    return lines;
  },
  'a pipe that somebody else holds': async (Command: CommandConstructor) => {
    const command = new Command('sh', ['-c', 'sleep 60 & echo $! >&2; echo x'], { stdout: 'text', stderr: 'text' });
    const result = await command.run({ drainDelay: 100 });
    const holder = Number(result.stderr);
    try {
      // No number would be 0, which is the group of this process.
      if (holder > 1) process.kill(holder, 'SIGKILL');
    } catch {
      // In the replay there is none.
    }
    return [result.stdout, result.outputComplete];
  },
  'a start that fails': async (Command: CommandConstructor) => {
    const error = await failure(new Command('/no/such/program').run());
    const gone = await failure(new Command('true', [], { cwd: '/no/such/directory' }).run());
    return [error.stage, error.code, error.path, error.message, gone.stage, gone.code, gone.path];
  },
  'synchronous runs': (Command: CommandConstructor) => [
    facts(new Command('sort', [], { stdin: { input: 'b\na\n' }, stdout: 'text' }).runSync()),
    facts(new Command('sh', ['-c', 'echo err >&2; exit 4'], { stderr: 'text' }).runSync({ check: false })),
    thrown(() => new Command('/no/such/program').runSync()).message,
  ],
  'many at once': async (Command: CommandConstructor) => {
    const numbers = Array.from({ length: 20 }, (_, n) => String(n));
    const runs = numbers.map((n) =>
      new Command('sh', ['-c', 'cat; echo $0', n], { stdin: { input: n }, stdout: 'text' }).run(),
    );
    return (await Promise.all(runs)).map(({ stdout }) => stdout);
  },
  'the same program with other input, at once': async (Command: CommandConstructor) => {
    const runs = ['one', 'two', 'three'].map((input) =>
      new Command('cat', [], { stdin: { input }, stdout: 'text' }).run(),
    );
    return (await Promise.all(runs)).map(({ stdout }) => stdout);
  },
} as const;

describe('record and replay', () => {
  let scratch: Scratch;
  beforeEach(() => {
    scratch = new Scratch();
  });
  afterEach(() => {
    scratch.remove();
  });

  for (const [title, run] of Object.entries(work)) {
    it(`${title}: the same again, and nothing runs`, async () => {
      const recorded = await scratch.record(run);
      expect(await scratch.replay(run)).to.deep.equal(recorded);
    });
  }

  it('an unchanged program recorded again gives the identical file, and the file is not written', async () => {
    const record = async (): Promise<void> => {
      // A slow machine needs more time until something comes before the deadline.
      for (let timeout = 300; ; timeout *= 4) {
        const recording = await openRecording({ file: scratch.file, live, mode: 'update' });
        const { Command } = recording;
        await work['both streams and an exit code'](Command);
        await work['a conversation'](Command);
        const [timedOut] = await work['a deadline, and what came before it'](Command, timeout);
        work['synchronous runs'](Command);
        await work['many at once'](Command);
        if (timedOut?.stdout === 'x\n') return recording.finish();
        recording.discard();
      }
    };
    await record();
    const { text } = scratch;
    const { ino, mtimeMs } = statSync(scratch.file);
    for (let round = 0; round < 3; round++) await record();
    expect(scratch.text).to.equal(text);
    expect(statSync(scratch.file)).to.include({ ino, mtimeMs });
  });

  const busy = (ms: number): void => {
    const until = performance.now() + ms;
    while (performance.now() < until);
  };
  const events = (): unknown[] =>
    (JSON.parse(scratch.text) as { calls: { events: unknown }[] }).calls.map(({ events }) => events);

  it('is the same, however busy this process is', async () => {
    const words = ['one', 'two', 'three', 'four', 'five', 'six'];
    await scratch.record((Command) =>
      Promise.all(
        words.map(async (word) => {
          await new Command('sh', ['-c', 'echo "$0"', word], { stdout: 'text' }).run();
          busy(60);
        }),
      ),
    );
    expect(events()).to.deep.equal(words.map((word) => [{ stdout: [word, ''] }, { exit: 0 }]));
  });

  it('who holds a pipe until it is given up held it, however busy this process is', async () => {
    const work = setInterval(() => {
      busy(60);
    }, 1);
    try {
      const { stdout } = await scratch.record(async (Command) => {
        const command = new Command('sh', ['-c', 'sleep 60 & echo $!'], { stdout: 'text' });
        const result = await command.run({ drainDelay: 30 });
        process.kill(Number(result.stdout), 'SIGKILL');
        return result;
      });
      expect(events()).to.deep.equal([
        [{ stdout: stdout.split('\n') }, { exit: 0 }, { held: 'stdout' }, { held: 'stderr' }],
      ]);
    } finally {
      clearInterval(work);
    }
  });

  it('the file holds no time and no pid, and is for its owner only', async () => {
    await scratch.record(async (Command) => {
      await new Command('echo', ['hello']).run();
    });
    expect(statSync(scratch.file).mode & 0o777).to.equal(0o600);
    expect(scratch.text).to.not.match(/"pid"|time"|durationMs|\d{4}-\d\d-\d\d/);
    expect(readdirSync(scratch.directory)).to.deep.equal(['recording.json']);
  });

  it('install() reaches code that imports Command from anywhere, until the recording is over', async () => {
    const code = async (): Promise<string> => (await new RealCommand('echo', ['hi'], { stdout: 'text' }).run()).stdout;
    for (const mode of ['update', 'replay'] as const) {
      const recording = await openRecording({ file: scratch.file, live, mode });
      recording.install();
      expect(await code()).to.equal('hi\n');
      await recording.finish();
    }
    // Not the recording any more: it was made for one call.
    expect(await code()).to.equal('hi\n');
  });

  it('what cannot be replayed is refused when it is recorded', async () => {
    const error = await failure(scratch.record((Command) => new Command('true').setOutputFd(1).run()));
    expect(error).to.include({ code: 'ERR_COMMAND_UNSUPPORTED', feature: 'fd-stdio' });
    // The backend that is recorded can do it.
    const what = "No recording can hold 'fd-stdio' (stdio from and to descriptors), whatever the backend";
    expect(error.message).to.equal(`${what}; createDryRun() notes such a command, and can answer it: true`);
    await scratch.record((Command) => new Command('true').run());
    const replayed = await failure(scratch.replay((Command) => new Command('true').setOutputFd(1).run()));
    expect(replayed.message).to.equal(error.message);
    // What it could hold is another matter.
    const mask = await failure(scratch.record((Command) => new Command('true').setUmask(0).run()));
    expect(mask.message)
      .to.contain("The backend child-process cannot do 'umask'")
      .and.to.contain('use the backend posix');
    for (const feature of ['fd-stdio', 'file-stdio', 'pass-fd', 'pid-file', 'resource-usage', 'local-pid'] as const)
      expect(REPLAYABLE).to.not.include(feature);
  });

  describe('calls that only values tell apart which are not stored', () => {
    const live = createMock();
    live
      .on('where')
      .reply(({ env }) => ({ stdout: env === 'inherit' ? '' : `${env.REGION}` }))
      .always();
    live.on('what').reply({ stdout: 'same' }).always();
    const ask =
      (program: string, REGION: Arg, others = {}) =>
      (Command: CommandConstructor) =>
        new Command(program, ['-a'], { env: { REGION, ...others }, stdout: 'text' }).run();
    const both =
      (...works: ReturnType<typeof ask>[]) =>
      async (Command: CommandConstructor) => {
        for (const work of works) await work(Command);
      };

    it('are not saved, since a replay would give the one the answer of the other', async () => {
      const error = await failure(scratch.record(both(ask('where', 'a'), ask('where', 'b')), { live }));
      expect(error).to.include({ code: 'ERR_RECORDING_AMBIGUOUS' });
      expect(error.message)
        .to.contain('where -a ran more than once, with other values of REGION, and did different things')
        .and.contain("env: ['REGION'], ");
      expect(error.message).to.contain('Nothing was saved.');
      expect(existsSync(scratch.file)).to.equal(false);
      const sync = (Command: CommandConstructor) =>
        ['a', 'b'].map((REGION) => new Command('where', [], { env: { REGION }, stdout: 'text' }).runSync().stdout);
      expect((await failure(scratch.record(sync, { live }))).code).to.equal('ERR_RECORDING_AMBIGUOUS');
    });

    it('are not added to what was recorded before, whose values nobody knows any more', async () => {
      await scratch.record(ask('where', 'a'), { live });
      const { text } = scratch;
      // To store the value from now on does not help: what is there already would answer that, too.
      for (const env of [[], ['REGION']]) {
        const error = await failure(scratch.record(ask('where', 'b'), { live, env, mode: 'add' }));
        expect(error).to.include({ code: 'ERR_RECORDING_AMBIGUOUS' });
        expect(error.message)
          .to.contain('where -a ran more than once, perhaps with other values of REGION, and did different things')
          .and.contain("env: ['REGION'] in a recording made anew (VIRCOMMAND_RECORD=update)");
        expect(scratch.text).to.equal(text);
      }
      await scratch.record(ask('what', 'a'), { live, mode: 'add' });
      await scratch.record(ask('what', 'b'), { live, mode: 'add' });
      await scratch.record(ask('where', 'a'), { live, mode: 'add' });
      await scratch.record(ask('where', 'b', { ZONE: '1' }), { live, mode: 'add' });
      await scratch.record(ask('where', secret('bbbb')), { live, mode: 'add' });
    });

    it('are added where the values are stored from the beginning, also the same call with another answer', async () => {
      const env = ['REGION'];
      for (const region of ['a', 'b']) await scratch.record(ask('where', region), { live, env, mode: 'add' });
      let count = 0;
      live
        .on('count')
        .reply(() => ({ stdout: `${++count}` }))
        .always();
      for (let round = 0; round < 2; round++) await scratch.record(ask('count', 'a'), { live, env, mode: 'add' });
      const order = [ask('where', 'b'), ask('count', 'a'), ask('count', 'a'), ask('where', 'a')];
      const answers = await scratch.replay(
        async (Command) => {
          const all: string[] = [];
          for (const one of order) all.push((await one(Command)).stdout);
          return all;
        },
        { env },
      );
      expect(answers).to.deep.equal(['b', '1', '2', 'a']);
    });

    it("are not added by 'new' to calls that were replayed with other values, and are to those with the same", async () => {
      await scratch.record(ask('where', 'a'), { live });
      const { text } = scratch;
      const error = await failure(scratch.record(both(ask('where', 'a'), ask('where', 'b')), { live, mode: 'new' }));
      expect(error).to.include({ code: 'ERR_RECORDING_AMBIGUOUS' });
      expect(error.message).to.contain('where -a ran more than once, with other values of REGION');
      expect(scratch.text).to.equal(text);
      scratch.text = text.replace('["a"]', '["another answer"]');
      await scratch.record(both(ask('where', 'a'), ask('where', 'a')), { live, mode: 'new' });
      expect(scratch.text).to.contain('another answer').and.contain('["a"]');
    });

    it('are saved where the values are, and told apart', async () => {
      const env = ['REGION'];
      await scratch.record(both(ask('where', 'a'), ask('where', 'b')), { live, env });
      const { stdout } = await scratch.replay(
        async (Command) => {
          const last = await ask('where', 'b')(Command);
          await ask('where', 'a')(Command);
          return last;
        },
        { env },
      );
      expect(stdout).to.equal('b');
    });

    it('are saved where it is all the same, where the names differ, and where the values are secret', async () => {
      await scratch.record(both(ask('what', 'a'), ask('what', 'b')), { live });
      await scratch.record(both(ask('where', 'a'), ask('where', 'a')), { live });
      await scratch.record(both(ask('where', 'a'), ask('where', 'b', { ZONE: '1' })), { live });
      await scratch.record(both(ask('where', secret('aaaa')), ask('where', secret('bbbb'))), { live });
    });
  });

  describe('modes', () => {
    const echo = (text: string) => async (Command: CommandConstructor) =>
      (await new Command('echo', [text], { stdout: 'text' }).run()).stdout;
    const calls = (): unknown[] =>
      (JSON.parse(scratch.text) as { calls: { call: { args: unknown } }[] }).calls.map(({ call }) => call.args);

    it("'new' replays what is there, and adds what is not", async () => {
      await scratch.record(echo('a'));
      scratch.text = scratch.text.replace('["a", ""]', '["from the file", ""]');
      const seen = await scratch.record(async (Command) => [await echo('a')(Command), await echo('b')(Command)], {
        mode: 'new',
      });
      expect(seen).to.deep.equal(['from the file\n', 'b\n']);
      expect(calls()).to.deep.equal([['a'], ['b']]);
    });

    it("'new' runs and adds a synchronous call with another input", async () => {
      const live = createMock();
      live
        .on('read')
        .reply(({ stdin, sendBuffers }) => ({ stdout: `${stdin.toString()}${String(sendBuffers[5])}` }))
        .always();
      const read = (input: string, buffer: string) => (Command: CommandConstructor) =>
        new Command('read', [], { stdin: { input }, stdout: 'text' }).setSendBuffer(5, buffer).runSync().stdout;
      await scratch.record(read('a', '5'), { live });
      scratch.text = scratch.text.replace('["a5"]', '["from the file"]');
      const seen = await scratch.record(
        (Command) => [read('b', '5'), read('a', '6'), read('a', '5')].map((run) => run(Command)),
        { live, mode: 'new' },
      );
      expect(seen).to.deep.equal(['b5', 'a6', 'from the file']);
      expect(calls()).to.have.length(3);
    });

    it("'new' saves nothing when a call went another way, also if nobody noticed", async () => {
      const cat = (input: string) => (Command: CommandConstructor) =>
        new Command('cat', [], { stdin: { input }, stdout: 'text' }).run();
      await scratch.record(cat('a'));
      const before = scratch.text;
      const run = scratch.record(
        async (Command) => {
          await failure(cat('b')(Command));
          await echo('c')(Command);
        },
        { mode: 'new' },
      );
      expect((await failure(run)).code).to.equal('ERR_RECORDING_DIVERGED');
      expect(scratch.text).to.equal(before);
    });

    it("'new' makes a file where there is none, with its directories", async () => {
      const file = path.join(scratch.directory, 'deep', 'er', 'r.json');
      await scratch.record(echo('a'), { mode: 'new', file });
      expect(existsSync(file)).to.equal(true);
    });

    it("'update' runs everything and drops what is not used", async () => {
      await scratch.record(async (Command) => {
        await echo('a')(Command);
        await echo('b')(Command);
      });
      await scratch.record(echo('b'));
      expect(calls()).to.deep.equal([['b']]);
    });

    it("'add' runs everything and adds it, also what is there already", async () => {
      await scratch.record(echo('a'), { mode: 'add' });
      scratch.text = scratch.text.replace('["a", ""]', '["from the file", ""]');
      expect(await scratch.record(echo('a'), { mode: 'add' })).to.equal('a\n');
      expect(calls()).to.deep.equal([['a'], ['a']]);
      const twice = async (Command: CommandConstructor) => [await echo('a')(Command), await echo('a')(Command)];
      expect(await scratch.replay(twice)).to.deep.equal(['from the file\n', 'a\n']);
    });

    it("'live' runs everything and writes nothing", async () => {
      expect(await scratch.record(echo('a'), { mode: 'live' })).to.equal('a\n');
      expect(existsSync(scratch.file)).to.equal(false);
    });

    it('the variable wins over the option, CI over both, and nonsense is an error', () => {
      const modes: readonly (readonly [RecordMode | undefined, Record<string, string>, RecordMode])[] = [
        [undefined, {}, 'replay'],
        ['new', {}, 'new'],
        ['new', { VIRCOMMAND_RECORD: 'update' }, 'update'],
        [undefined, { VIRCOMMAND_RECORD: 'live' }, 'live'],
        ['update', { CI: 'true', VIRCOMMAND_RECORD: 'update' }, 'replay'],
        ['live', { CI: '1' }, 'replay'],
        ['new', { CI: 'false' }, 'new'],
        ['new', { CI: '' }, 'new'],
      ];
      for (const [option, env, expected] of modes) expect(recordMode(option, 'f', env)).to.equal(expected);
      expect(thrown(() => recordMode(undefined, 'f', { VIRCOMMAND_RECORD: 'yes' })).message).to.contain(
        'VIRCOMMAND_RECORD must be one of replay, new, update, add, live',
      );
      expect(thrown(() => recordMode('record', 'f', {})).code).to.equal('ERR_RECORDING_USAGE');
    });

    it('wrong options are refused', async () => {
      const wrong: readonly (readonly [unknown, string])[] = [
        [null, 'options must be an object, not null'],
        [{}, "option 'file' is missing"],
        [{ file: '' }, "option 'file' must be a path"],
        [{ file: 'x', fil: 1 }, "there is no option 'fil'; did you mean 'file'?"],
        [{ file: 'x', mode: 'update' }, 'give it a backend as live'],
        [{ file: 'x', redact: [''] }, "option 'redact' must be an array of strings"],
        [{ file: 'x', env: 'PATH' }, "option 'env' must be an array of names"],
        [{ file: 'x', closed: ['stdin'] }, "option 'closed' must be an array of 'stdout' and 'stderr'"],
        [{ file: 'x', placeholders: { secret: 'a' } }, "'secret' cannot be the name"],
        [{ file: 'x', placeholders: { 'a b': 'a' } }, "'a b' cannot be the name"],
        [{ file: 'x', placeholders: { a: 5 } }, "placeholder 'a' must be"],
      ];
      for (const [options, message] of wrong) {
        const error = await failure(openRecording(options as never));
        expect(error).to.be.instanceOf(RecordingError).with.property('code', 'ERR_RECORDING_USAGE');
        expect(error.message).to.contain(message);
      }
    });

    it('what is no backend is refused as the live one', async () => {
      const wrong: readonly (readonly [unknown, string])[] = [
        [{ mode: 'update', live: null }, 'the backend must be an object, not null'],
        [{ mode: 'update', live: () => 5 }, 'the backend must be an object, not the number 5'],
        [{ mode: 'live', live: { name: 'mine' } }, 'the backend speaks contract undefined'],
        [{ mode: 'replay', live: 'posix' }, 'the backend must be an object, not the string'],
      ];
      for (const [options, message] of wrong) {
        const error = await failure(openRecording({ file: 'x', ...(options as object) }));
        expect(error).to.include({ code: 'ERR_COMMAND_CONTRACT' });
        expect(error.message).to.contain(message).and.contain('openRecording()');
      }
    });
  });

  describe('an interrupted recording leaves the file as it was', () => {
    const one = (Command: CommandConstructor) => new Command('echo', ['one']).run();

    it('when the test fails before finish()', async () => {
      await scratch.record(one);
      const { text } = scratch;
      await failure(
        scratch.record(async (Command) => {
          await new Command('echo', ['two']).run();
          throw new Error('the test failed');
        }),
      );
      expect(scratch.text).to.equal(text);
    });

    it('when a program still runs, which is named', async () => {
      await scratch.record(one);
      const { text } = scratch;
      const recording = await openRecording({ file: scratch.file, mode: 'update', live });
      const running = await new recording.Command('sleep', ['60']).runAsync();
      const error = await failure(recording.finish());
      expect(error).to.include({ code: 'ERR_RECORDING_RUNNING' });
      expect(error.message).to.contain('sleep 60').and.to.contain('Nothing was saved');
      expect(scratch.text).to.equal(text);
      await running.abort();
    });

    it('when a program is killed in the middle it is recorded so', async () => {
      await scratch.record(async (Command) => {
        const running = await new Command('sleep', ['60']).runAsync();
        running[Symbol.dispose]();
      });
      expect(scratch.text).to.contain('"exit": "SIGKILL"');
    });

    it('when somebody else has written it meanwhile', async () => {
      await scratch.record(one);
      const recording = await openRecording({ file: scratch.file, mode: 'update', live });
      await new recording.Command('echo', ['two']).run();
      scratch.text = `${scratch.text}\n`;
      expect(await failure(recording.finish())).to.include({ code: 'ERR_RECORDING_CONFLICT' });
    });

    it('when somebody else is writing it', async () => {
      await scratch.record(one);
      const { text } = scratch;
      const other = `${scratch.file}.tmp`;
      writeFileSync(other, 'half of');
      const error = await failure(scratch.record((Command) => new Command('echo', ['two']).run()));
      expect(error).to.include({ code: 'ERR_RECORDING_CONFLICT' });
      expect(error.message).to.contain(`somebody else is writing the file, or broke off and left ${other}`);
      expect([scratch.text, readFileSync(other, 'utf8')]).to.deep.equal([text, 'half of']);
    });

    it('when it is a link, which is not followed, or no file', async () => {
      const target = path.join(scratch.directory, 'target');
      writeFileSync(target, 'precious');
      symlinkSync(target, scratch.file);
      const error = await failure(scratch.record(one));
      expect(error).to.include({ code: 'ERR_RECORDING_FILE' });
      expect(error.message).to.contain('a link, which is not followed');
      expect(lstatSync(scratch.file).isSymbolicLink()).to.equal(true);
      const directory = path.join(scratch.directory, 'directory');
      mkdirSync(directory);
      expect((await failure(scratch.record(one, { file: directory }))).message).to.contain('is no file');
      const below = path.join(target, 'below');
      expect(await failure(scratch.record(one, { file: below }))).to.include({ code: 'ERR_RECORDING_FILE' });
    });

    it('when it cannot be written', async function () {
      if (process.getuid?.() === 0) this.skip();
      const locked = path.join(scratch.directory, 'locked');
      mkdirSync(locked);
      chmodSync(locked, 0o500);
      expect(await failure(scratch.record(one, { file: path.join(locked, 'r.json') }))).to.include({
        code: 'ERR_RECORDING_FILE',
      });
    });
  });
});
