/** Hooks do whatever they like: the program runs as it was said, or it does not run and the error keeps the reason. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { CommandStartError, CommandTimeoutError, type HookReference } from '@vircommand/core';
import { Command } from '@vircommand/posix';
import { read } from './become';
import { look, openFds } from './plans';
import { stateOf, until } from './started';

const hooks = require.resolve('./programs/hooks.cjs');
const esModule = join(__dirname, 'programs/hook.mjs');

describe('a hook of the launcher that', () => {
  let directory: string;
  let before: ReturnType<typeof held>;
  const held = (): { fds: number[]; children: string } => ({
    fds: openFds(),
    children: readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1'),
  });
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'vircommand-hook-'));
    before = held();
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
    expect(held(), 'descriptors and children').to.deep.equal(before);
  });

  /** The error; the program must not have run. */
  async function failure(hook: HookReference): Promise<CommandStartError> {
    const file = join(directory, 'ran');
    try {
      await new Command('touch', [file], { preExecHook: hook }).run({ timeout: 60_000 });
    } catch (error) {
      expect(readdirSync(directory)).to.not.include('ran');
      if (error instanceof CommandStartError) return error;
      throw error;
    }
    throw new Error('it ran');
  }

  const stopped: [does: string, name: string, reason: RegExp][] = [
    ['ends the process', 'exits', /^the hook ended the process/],
    ['ends the process later', 'exitsLater', /^the hook ended the process/],
    ['waits for what cannot happen', 'forgets', /waits for something that cannot happen$/],
    ['throws text', 'throwsText', /^'only text'$/],
    ['throws nothing', 'throwsNothing', /^undefined$/],
    ['throws what cannot be shown', 'throwsUnshowable', /cannot be shown/],
    ['throws a long message of several lines', 'throwsMuch', /^first\nzweite Zeile, größer x{300000} the end$/],
    ['throws where nobody catches', 'throwsLater', /^an error that nothing caught: .*JSON/],
    ['leaves a rejection to nobody', 'rejectsAside', /^a rejection that nothing caught: nobody waits for this$/],
    [
      'leaves a rejection and waits',
      'rejectsAsideAndStays',
      /^a rejection that nothing caught: nobody waits for this$/,
    ],
    ['returns a thenable that rejects', 'returnsThenable', /^as a thenable$/],
  ];
  for (const [does, name, reason] of stopped) {
    it(`${does}: stage hook, the reason is kept, and nothing runs`, async () => {
      const error = await failure({ module: hooks, export: name });
      expect(error.stage).to.equal('hook');
      expect(error.reason).to.match(reason);
    });
  }

  it('throws an error of the system: all that it says of itself is kept, and where it was thrown', async () => {
    const command = new Command('true', [], { preExecHook: { module: hooks, export: 'readsNothing' } });
    let synchronous: unknown;
    try {
      command.runSync();
    } catch (thrown) {
      synchronous = thrown;
    }
    const said = { code: 'ENOENT', errno: -2, syscall: 'open', path: '/nope' };
    const message = "ENOENT: no such file or directory, open '/nope'";
    for (const error of [await failure({ module: hooks, export: 'readsNothing' }), synchronous]) {
      if (!(error instanceof CommandStartError)) throw error;
      expect(error).to.include({ ...said, stage: 'hook', reason: message });
      expect(error.cause)
        .to.be.instanceOf(Error)
        .and.include({ ...said, message });
      expect(error.cause).to.have.property('stack').that.contains('hooks.cjs');
    }
  });

  it('is not there: its path is shown with its control characters, in the cause as well', async () => {
    const module = join(directory, 'none\x1b[K.cjs');
    const error = await failure({ module, export: 'default' });
    expect(error).to.include({ stage: 'hook', path: module });
    expect(error.reason).to.contain(String.raw`none\x1b[K.cjs'`);
    expect(inspect(error)).not.to.match(/[^\P{Cc}\t\n]/u);
  });

  it('throws what has a code: that is kept, whatever it is', async () => {
    const plain = await failure({ module: hooks, export: 'throwsCode' });
    const reason = "{ code: 'EWHAT', errno: 3n, syscall: 5 }";
    expect(plain).to.include({ code: 'EWHAT', errno: undefined, syscall: undefined, path: hooks, reason });
    expect(plain.cause).to.be.instanceOf(Error).and.include({ code: 'EWHAT', message: reason });
    const later = await failure({ module: hooks, export: 'throwsCodeLater' });
    expect(later).to.include({ code: 'EWHAT', reason: 'an error that nothing caught: EWHAT: later' });
    expect(later.cause).to.be.instanceOf(Error).and.include({ code: 'EWHAT', message: 'later' });
  });

  it('throws what has no code: the code is ours, and the cause is there', async () => {
    const error = await failure({ module: hooks, export: 'returnsThenable' });
    expect(error).to.include({ code: 'ERR_COMMAND_START', path: hooks });
    expect(error.cause).to.be.instanceOf(Error).and.include({ message: 'as a thenable' });
  });

  it('sees the environment of the program, and nothing else', async () => {
    const note = join(directory, 'env');
    const preExecHook = { module: hooks, export: 'showsEnvironment', data: { note } };
    const before = process.env.LD_LIBRARY_PATH;
    // The launcher itself gets this one.
    process.env.LD_LIBRARY_PATH = directory;
    try {
      for (const daemon of [false, true]) {
        await new Command('true', [], { daemon, env: { A: '1' }, preExecHook }).run();
        expect(JSON.parse(readFileSync(note, 'utf8'))).to.deep.equal({ A: '1' });
      }
    } finally {
      if (before === undefined) delete process.env.LD_LIBRARY_PATH;
      else process.env.LD_LIBRARY_PATH = before;
    }
  });

  it('is killed: stage launcher, and how it ended', async () => {
    const error = await failure({ module: hooks, export: 'isKilled' });
    expect([error.stage, error.reason]).to.deep.equal([
      'launcher',
      'the launcher ended before the program was executed (ended by SIGKILL)',
    ]);
  });

  it('is a module that cannot be read: stage hook, and the reason of Node', async () => {
    const broken = join(directory, 'broken.cjs');
    writeFileSync(broken, 'exports.default = (');
    expect((await failure({ module: broken })).reason).to.match(/Unexpected/);
    writeFileSync(broken, 'throw new RangeError("at the load")');
    const error = await failure({ module: broken });
    expect([error.stage, error.reason, error.path]).to.deep.equal(['hook', 'at the load', broken]);
  });

  it('is in an ES module, called and waited for; what it throws is kept', async () => {
    const { stdout } = await new Command('sh', ['-c', 'umask'], {
      stdout: 'text',
      preExecHook: { module: esModule },
    }).run();
    expect(stdout).to.equal('0031\n');
    const error = await failure({ module: esModule, export: 'fails', data: { why: 'said so' } });
    expect([error.stage, error.reason]).to.deep.equal(['hook', 'said so']);
  });

  it('never ends: the deadline ends it, and nothing is left', async () => {
    const command = new Command('true', [], { preExecHook: { module: hooks, export: 'never' } });
    // Long enough to be in the hook; a shorter time would end the same.
    const error = await command.run({ timeout: 500 }).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(CommandTimeoutError);
    expect(() => command.runSync({ timeout: 300 })).to.throw(CommandTimeoutError);
  });

  it('leaves timers, sockets, threads, files, handlers and a child: the program has none of them', async () => {
    const note = join(directory, 'child');
    const preExecHook = { module: hooks, export: 'leavesThings', data: { note } };
    const running = await new Command('sleep', ['1000'], { stdout: 'pipe', preExecHook }).runAsync();
    const child = Number(readFileSync(note, 'latin1'));
    try {
      const { pid = 0 } = running;
      const seen = look(pid);
      expect(Object.keys(seen.fds)).to.deep.equal(['0', '1', '2']);
      expect([seen.ignored, seen.blocked, seen.caught, seen.argv.toString()]).to.deep.equal([
        0n,
        0n,
        0n,
        'sleep\x001000\x00',
      ]);
      expect(read(pid).status('Threads')).to.equal('1');
      running.kill('SIGTERM');
      // The child has not got the program's pipe, whose end comes with the program's.
      running.stdout.resume();
      await until(() => running.stdout.readableEnded);
      await running.wait().catch(() => undefined);
    } finally {
      if (stateOf(child) !== undefined) process.kill(child, 'SIGKILL');
      await until(() => stateOf(child) === undefined || stateOf(child) === 'Z');
    }
  });

  it('writes and reads: the streams of the program are its own', async () => {
    const command = new Command('cat', [], { stdin: { input: 'in' }, stdout: 'text', stderr: 'text' });
    const { stdout, stderr } = await command.setPreExecHook({ module: hooks, export: 'speaks' }).run();
    expect([stdout, stderr]).to.deep.equal(['in', '']);
  });

  it('changes directory, mask and environment: the first two are for the program, unless it says others', async () => {
    const preExecHook = { module: hooks, export: 'changes' };
    const script = ['-c', 'pwd; umask; echo "$FROM_HOOK"'];
    const changed = await new Command('sh', script, { stdout: 'text', preExecHook }).run();
    expect(changed.stdout).to.equal('/usr\n0012\n\n');
    const here = process.cwd();
    const said = await new Command('sh', script, { stdout: 'text', preExecHook, cwd: 'test' }).run();
    expect(said.stdout).to.equal(`${join(here, 'test')}\n0012\n\n`);
  });
});
