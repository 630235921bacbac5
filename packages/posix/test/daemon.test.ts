import { expect } from 'chai';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command, CommandStartError, type CommandOptions, type CommandResult } from '../src';
import { chosenDriver } from '../src/ffi';
import { hasLostPidFile } from '../src/launcher/pid-file';
import { launchAndWaitSync } from '../src/launcher/sync';
import { libcThrough, type Libc } from '../src/libc';
import { acquirePath, forceCleanupPath, readPathIfLocked } from '../src/pidfile';
import { ownLaunchers } from './launchers';
import { endLockers, locker, pidFiles, pythonLocker, seenFromPython } from './lockers';
import { look, planOf } from './plans';
import { openDescriptors, pidsWith, stateOf, statOf, syncRequest, until } from './started';

async function failure(start: Promise<unknown>): Promise<CommandStartError> {
  try {
    await start;
  } catch (error) {
    if (error instanceof CommandStartError) return error;
    throw error;
  }
  throw new Error('it started');
}

describe('a daemon', function () {
  this.timeout(60_000);
  const file = pidFiles();
  /** Unique to this test run: by it what is left is found. */
  const marker = `1${process.pid}`;
  const daemon = (options: CommandOptions = {}): Promise<CommandResult> =>
    new Command('sleep', [marker], { daemon: true, pidFile: file(), ...options }).run({ timeout: 30_000 });

  afterEach(async () => {
    for (const pid of pidsWith(marker)) process.kill(pid, 'SIGKILL');
    await until(() => pidsWith(marker).length === 0);
    await endLockers();
  });

  it('has its pid file locked when the run resolves, as a Python program sees it, and until it ends', async () => {
    const { pid = 0 } = await daemon();
    expect(readFileSync(`/proc/${pid}/comm`, 'latin1')).to.equal('sleep\n');
    expect(seenFromPython(file())).to.equal(`pid ${pid} from 0 for 1, refused, ${pid}`);
    expect(readPathIfLocked(file(), { executable: '/bin/sleep' })).to.equal(pid);
    expect(await forceCleanupPath(file())).to.deep.equal({ pid, signal: 'SIGTERM', removed: true });
    expect(existsSync(file())).to.equal(false);
    await until(() => [undefined, 'Z'].includes(stateOf(pid)));
  });

  const ways: [title: string, hooked: boolean, sync: boolean][] = [
    ['', false, false],
    [', with a hook', true, false],
    [' (synchronous)', false, true],
    [', with a hook (synchronous)', true, true],
  ];
  for (const [title, hooked, sync] of ways) {
    it(`is not there, and no pid file, if its start was aborted at any moment${title}`, async () => {
      const hook = { module: pathToFileURL(`${__dirname}/programs/hook.mjs`), export: 'forever' };
      for (const timeout of [1, 5, 15, 25, 30, 35, ...(hooked ? [300] : [])]) {
        const command = new Command('sleep', [marker], { daemon: true, pidFile: file() });
        if (hooked) command.setPreExecHook(hook);
        const outcome = await Promise.resolve()
          .then(() => (sync ? command.runSync({ timeout }) : command.run({ timeout })))
          .catch((error: unknown) => error);
        if (!(outcome instanceof Error)) {
          // It was there in time.
          for (const pid of pidsWith(marker)) process.kill(pid, 'SIGKILL');
          await until(() => readPathIfLocked(file()) === undefined);
          unlinkSync(file());
          continue;
        }
        expect(outcome).to.have.property('name', 'CommandTimeoutError');
        expect([pidsWith(marker), existsSync(file())]).to.deep.equal([[], false]);
      }
    });
  }

  it('has no pid file in a directory that was deleted', async () => {
    const home = process.cwd();
    const gone = mkdtempSync(join(tmpdir(), 'vircommand-gone-'));
    process.chdir(gone);
    rmdirSync(gone);
    try {
      const error = await failure(daemon({ pidFile: 'vircommand-gone.pid' }));
      expect(error).to.include({ stage: 'pid-file', code: 'ENOENT' });
    } finally {
      process.chdir(home);
    }
    expect(existsSync('/vircommand-gone.pid')).to.equal(false);
  });

  it('has a session that it does not lead, another parent, no terminal, and one descriptor more', async () => {
    const { pid = 0 } = await daemon();
    const stat = statOf(pid);
    expect(stat).to.include({ terminal: 0 });
    expect(stat?.parent).to.not.equal(process.pid);
    expect(stat?.session).to.not.be.oneOf([pid, statOf(process.pid)?.session]);
    expect(Object.keys(look(pid).fds)).to.have.lengthOf(4);
  });

  it('gets no terminal: not that of its caller, and not one that it opens', async () => {
    const script = `
      require('ts-node').register({ transpileOnly: true });
      const { Command } = require(${JSON.stringify(require.resolve('../src'))});
      const tty = require('node:fs').readlinkSync('/proc/self/fd/0');
      const shell = 'exec 3<>"$0"; kill -STOP $$';
      new Command('sh', ['-c', shell, tty, '${marker}'], { daemon: true }).run().then(({ pid }) => {
        console.log(\`started \${pid} at \${tty}.\`);
      });`;
    // Its session has a pseudo-terminal, which it controls.
    const python = 'import pty, sys; pty.spawn(sys.argv[1:])';
    const node = [process.execPath, ...process.execArgv, '-e', script];
    const caller = spawn('python3', ['-c', python, ...node], { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(caller, 'exit');
    try {
      let said = '';
      caller.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
      await until(() => said.includes('.') || caller.exitCode !== null);
      expect(said).to.match(/^started \d+ at \/dev\/pts\/\d+\./);
      const pid = Number(/\d+/.exec(said)?.[0]);
      await until(() => stateOf(pid) === 'T');
      expect(statOf(pid)?.terminal).to.equal(0);
    } finally {
      caller.kill('SIGKILL');
      await ended;
    }
  });

  it('leaves its caller neither a descriptor nor a child', async () => {
    const children = (): number[] =>
      readdirSync('/proc')
        .map(Number)
        .filter((pid) => statOf(pid)?.parent === process.pid);
    const [before, childrenBefore] = [openDescriptors(), children()];
    await daemon();
    await until(() => openDescriptors() <= before);
    expect(children().filter((pid) => !childrenBefore.includes(pid))).to.deep.equal([]);
  });

  it('is refused its pid file while another one has it, who is named: a hundred times in a row', async function () {
    this.timeout(300_000);
    const { pid = 0 } = await daemon();
    for (let round = 0; round < 100; round++) {
      const error = await failure(daemon());
      expect(error).to.include({ stage: 'pid-file', code: 'EAGAIN', path: file() });
      expect(error.message).to.contain(`held by pid ${pid}`);
    }
    expect(pidsWith(marker)).to.deep.equal([pid]);
    expect(readPathIfLocked(file())).to.equal(pid);
    await forceCleanupPath(file());
  });

  it('is started once when two start at once with one pid file, a hundred times', async function () {
    this.timeout(300_000);
    for (let round = 0; round < 100; round++) {
      const outcomes = await Promise.allSettled([daemon(), daemon()]);
      const started = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.pid ?? 0] : []));
      const failed = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
      const [pid = 0] = started;
      expect(pidsWith(marker)).to.deep.equal([pid]);
      const [error] = failed;
      if (!(error instanceof CommandStartError)) throw error;
      expect([error.stage, /held by pid (\d+)/.exec(error.message)?.[1]]).to.deep.equal(['pid-file', String(pid)]);
      expect(await forceCleanupPath(file())).to.deep.equal({ pid, signal: 'SIGTERM', removed: true });
    }
  });

  it('is refused a pid file that this process itself has, which keeps it', async () => {
    const acquired = acquirePath(file());
    const error = await failure(daemon());
    expect(error.message).to.contain(`held by pid ${process.pid}`);
    expect(seenFromPython(file())).to.contain('refused');
    acquired.release();
  });

  it('is refused one that a foreign program has', async () => {
    const { pid } = await pythonLocker(file());
    expect((await failure(daemon())).message).to.contain(`held by pid ${pid}`);
    expect(readFileSync(file(), 'latin1')).to.equal(String(pid));
  });

  it('takes over a file that a dead one left', async () => {
    writeFileSync(file(), '99999999\n');
    const { pid } = await daemon();
    expect(readPathIfLocked(file())).to.equal(pid);
  });

  it('may end at once, and may close what it inherits: neither is a lost lock', async () => {
    for (let round = 0; round < 20; round++) {
      const ended = new Command('true', [], { daemon: true, pidFile: file() });
      await ended.run();
      const closed = new Command(
        'sh',
        ['-c', `for n in 3 4 5 6 7 8 9; do eval "exec $n>&-"; done; exec sleep ${marker}`],
        {
          daemon: true,
          pidFile: file('closed'),
        },
      );
      const { pid = 0 } = await closed.run();
      process.kill(pid, 'SIGKILL');
      await until(() => [undefined, 'Z'].includes(stateOf(pid)));
    }
  });

  it('leaves no pid file if it is killed in the middle of exec, which closes the report before the lock is gone', () => {
    const libc = libcThrough(chosenDriver(undefined));
    const program = `touch ${file('runs')}; exec sleep ${marker}`;
    const late: Libc = {
      ...libc,
      kill: (pid, signal) => {
        if (signal === 0) return libc.kill(pid, signal);
        // What is let go of before it is executed ends by itself.
        spawnSync('sh', ['-c', `until [ -e ${file('runs')} ]; do sleep 0.01; done`], { timeout: 20_000 });
        spawn('sh', ['-c', `sleep 0.2; kill -${signal} ${pid}`], { detached: true });
        return 0;
      },
    };
    const plan = planOf({ program: '/bin/sh', argv: ['sh', '-c', program], daemon: true, pidFile: file() });
    const { ending } = launchAndWaitSync(plan, { ...syncRequest, timeout: 1 }, late);
    expect([ending, pidsWith(marker), existsSync(file())]).to.deep.equal(['timeout', [], false]);
  });

  it('has lost its lock if the file is open without it, and only then', async () => {
    const libc = libcThrough(chosenDriver(undefined));
    writeFileSync(file(), '');
    const script = 'exec 5<>"$0"; echo locked; exec cat';
    const without = await locker('sh', ['-c', script, file()]);
    expect(hasLostPidFile(libc, file(), without.pid)).to.equal(true);
    expect(hasLostPidFile(libc, file('other'), without.pid)).to.equal(false);
    await without.end();
    expect(hasLostPidFile(libc, file(), without.pid)).to.equal(false);
    const locked = await pythonLocker(file());
    expect(hasLostPidFile(libc, file(), locked.pid)).to.equal(false);
  });

  describe('that cannot start', () => {
    const launchers = ownLaunchers();
    const hook = (body: string): CommandOptions => {
      const module = file('hook.js');
      writeFileSync(module, `exports.prepare = () => { ${body} };`);
      return { preExecHook: { module: pathToFileURL(module), export: 'prepare' } };
    };
    const failures: Readonly<Record<string, () => readonly [stage: string, program: string, options: CommandOptions]>> =
      {
        'a program that is not there': () => ['exec', '/no/such/program', {}],
        'a program that is none': () => {
          writeFileSync(file('text'), 'no program', { mode: 0o755 });
          return ['exec', file('text'), {}];
        },
        'a program that its user may not execute': () => {
          writeFileSync(file('secret'), '#!/bin/sh', { mode: 0o700 });
          return ['exec', file('secret'), { uid: 65534, gid: 65534 }];
        },
        'a hook that throws': () => ['hook', 'true', hook('throw new Error("no")')],
        'a hook that ends the process': () => ['hook', 'true', hook('process.exit(0)')],
        'a launcher that is killed': () => ['launcher', 'true', hook('process.kill(process.pid, "SIGKILL")')],
        'a label that cannot be set': () => ['label', 'true', { selinuxLabel: 'a:b:c:s0' }],
        'a capability that there is not': () => ['capabilities', 'true', { capabilities: { allow: [63] } }],
      };
    for (const [what, prepare] of Object.entries(failures)) {
      for (const sync of [false, true]) {
        it(`leaves no pid file, process or descriptor: ${what}${sync ? ' (synchronous)' : ''}`, async function () {
          const [stage, program, options] = prepare();
          if (options.uid !== undefined && process.geteuid?.() !== 0) this.skip();
          const command = new Command(program, [], { daemon: true, pidFile: file(), ...options });
          const open = openDescriptors();
          const error = await failure(sync ? Promise.resolve().then(() => command.runSync()) : command.run());
          expect(error.stage, error.message).to.equal(stage);
          expect(existsSync(file())).to.equal(false);
          await until(() => launchers().length === 0);
          await until(() => openDescriptors() <= open);
        });
      }
    }

    it('leaves the pid file that another one has', async () => {
      const { pid } = await daemon();
      for (const prepare of Object.values(failures)) {
        const [, program, options] = prepare();
        const command = new Command(program, [], { daemon: true, pidFile: file(), ...options });
        expect((await failure(command.run())).stage).to.equal('pid-file');
      }
      expect(seenFromPython(file())).to.equal(`pid ${pid ?? 0} from 0 for 1, refused, ${pid ?? 0}`);
    });
  });
});
