/** `status` and `stop`: by the lock of the pid file, and never by a number that a stranger may have by now. */
import { expect } from 'chai';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import * as path from 'node:path';
import { bin, isRoot, runProgram, scratch, until, vircommand } from './installed';
import { start, type Started } from './started';

const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
};

describe('status and stop', function () {
  this.timeout(60_000);
  if (process.platform !== 'linux') return;
  const directory = scratch();
  const fresh = (): string => {
    const own = mkdtempSync(path.join(directory, 'test-'));
    chmodSync(own, 0o755);
    return path.join(own, 'it.pid');
  };
  const answer = async (...args: readonly string[]) => {
    const { status, stdout, stderr } = await vircommand(args);
    return [status, `${stdout}${stderr}`.replace(/\S*(?=it\.pid:)/g, '')];
  };
  let stranger: Started;
  before(async () => {
    stranger = await start('sleep', ['1000']);
  });
  after(async () => {
    expect(isAlive(stranger.pid)).to.equal(true);
    await stranger[Symbol.asyncDispose]();
  });

  it('of a daemon: it runs, is ended, and is gone with its file; both can be said twice', async () => {
    const file = fresh();
    expect(await answer('run', '--daemon', '--pid-file', file, '--', 'sleep', '1000')).to.deep.equal([0, '']);
    const pid = Number(readFileSync(file, 'utf8'));
    expect(await answer('status', file)).to.deep.equal([0, `it.pid: running, pid ${pid}\n`]);
    expect((await vircommand(['run', '--daemon', '--pid-file', file, '--', 'sleep', '1000'])).status).to.equal(125);
    expect(isAlive(pid)).to.equal(true);
    expect(await answer('stop', file)).to.deep.equal([0, `it.pid: process ${pid} ended by SIGTERM\n`]);
    expect([isAlive(pid), existsSync(file)]).to.deep.equal([false, false]);
    expect(await answer('status', file)).to.deep.equal([3, 'it.pid: not running: there is no such file\n']);
    expect(await answer('stop', file)).to.deep.equal([0, 'it.pid: nothing ran\n']);
  });

  it('of one that does not end: SIGKILL after the delay', async () => {
    const file = fresh();
    const stubborn = ['sh', '-c', 'trap "" TERM; : > "$0"; while :; do sleep 0.05; done', `${file}.stubborn`];
    await vircommand(['run', '--daemon', '--pid-file', file, '--', ...stubborn]);
    await until(() => existsSync(`${file}.stubborn`));
    const pid = Number(readFileSync(file, 'utf8'));
    expect(await answer('stop', '-k', '0.2', file)).to.deep.equal([0, `it.pid: process ${pid} ended by SIGKILL\n`]);
  });

  it('of a daemon that died: its file is left, and removed', async () => {
    const file = fresh();
    await vircommand(['run', '--daemon', '--pid-file', file, '--', 'sleep', '1000']);
    const pid = Number(readFileSync(file, 'utf8'));
    process.kill(pid, 'SIGKILL');
    await until(() => !isAlive(pid));
    const [status, text] = await answer('status', file);
    expect(status).to.equal(1);
    expect(text).to.equal(`it.pid: not running: process ${pid} is gone, and its file was left\n`);
    expect(await answer('stop', file)).to.deep.equal([0, 'it.pid: nothing ran; the file that was left is removed\n']);
    expect(existsSync(file)).to.equal(false);
  });

  it('a stranger that got the number is doubted, and never ended', async () => {
    const file = fresh();
    writeFileSync(file, `${stranger.pid}\n`);
    const [status, doubt] = await answer('status', file);
    expect([status, doubt]).to.deep.equal([
      4,
      `it.pid: a process ${stranger.pid} is alive, but has no lock on the file: it may be a stranger that got this number; ` +
        'say what it must be with --program\n',
    ]);
    expect(await answer('stop', file)).to.deep.equal([125, `vircommand stop: ${String(doubt)}`]);
    expect(existsSync(file)).to.equal(true);
    // With --program it is known to be another program, so nothing runs.
    const sleep = realpathSync('/bin/sleep');
    expect(await answer('status', '--program', '/bin/sh', file)).to.deep.equal([
      1,
      `it.pid: not running: process ${stranger.pid} runs ${sleep} and not /bin/sh, and the file was left\n`,
    ]);
  });

  it('--program takes a name as a shell does, and refuses what is nowhere', async () => {
    const file = fresh();
    const own = await start('sleep', ['1000']);
    writeFileSync(file, `${own.pid}\n`);
    for (const command of ['status', 'stop']) {
      for (const [program, said] of [
        ['no-such-program', /^vircommand \w+: --program: 'no-such-program' was not found in PATH/],
        ['./sleep', /^vircommand \w+: --program: there is no \/.*\/sleep\n$/],
      ] as const) {
        const [status, text] = await answer(command, '--program', program, file);
        expect([status, existsSync(file)], command).to.deep.equal([125, true]);
        expect(text).to.match(said);
      }
    }
    expect(await answer('status', '-p', 'sleep', file)).to.deep.equal([0, `it.pid: running, pid ${own.pid}\n`]);
    expect(await answer('stop', '-p', 'sleep', file)).to.deep.equal([
      0,
      `it.pid: process ${own.pid} ended by SIGTERM\n`,
    ]);
    await own.end();
  });

  it('--program is also for who has the file locked: another program is not running, and not ended', async () => {
    const file = fresh();
    await vircommand(['run', '--daemon', '--pid-file', file, '--', 'sleep', '1000']);
    const pid = Number(readFileSync(file, 'utf8'));
    const said = (how: string) =>
      `it.pid: ${how}process ${pid} runs ${realpathSync('/bin/sleep')} and not /bin/sh, and has the file locked\n`;
    expect(await answer('status', '-p', '/bin/sh', file)).to.deep.equal([1, said('not running: ')]);
    expect(await answer('stop', '-p', '/bin/sh', file)).to.deep.equal([125, `vircommand stop: ${said('')}`]);
    expect([isAlive(pid), existsSync(file)]).to.deep.equal([true, true]);
    if (isRoot) {
      const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, bin()];
      const asked = await runProgram(['setpriv', ...nobody, 'status', '-p', 'sleep', file]);
      expect(asked.status).to.equal(4);
      expect(asked.stdout).to.match(/: process \d+ has the file locked, and this user cannot see whether it runs \//);
    }
    expect((await answer('status', '-p', 'sleep', file))[0]).to.equal(0);
    expect(await answer('stop', '-p', 'sleep', file)).to.deep.equal([0, `it.pid: process ${pid} ended by SIGTERM\n`]);
  });

  it('a daemon whose program was removed is ended all the same', async () => {
    const file = fresh();
    const program = path.join(directory, 'removed');
    copyFileSync('/bin/sleep', program);
    const own = await start(program, ['1000']);
    writeFileSync(file, `${own.pid}\n`);
    rmSync(program);
    expect(await answer('stop', '-p', program, file)).to.deep.equal([
      0,
      `it.pid: process ${own.pid} ended by SIGTERM\n`,
    ]);
    await own.end();
  });

  it('an ordinary user cannot see which program another one runs, and removes nothing for that', async function () {
    if (!isRoot) this.skip();
    const file = fresh();
    writeFileSync(file, `${stranger.pid}\n`, { mode: 0o666 });
    const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, bin()];
    for (const [command, status] of [
      ['status', 4],
      ['stop', 125],
    ] as const) {
      const run = await runProgram(['setpriv', ...nobody, command, '-p', 'sleep', file]);
      expect([run.status, existsSync(file)], run.stdout + run.stderr).to.deep.equal([status, true]);
      expect(run.stdout + run.stderr).to.match(/this user cannot see whether it runs \/.*\/sleep\n$/);
    }
  });

  it('files that are none: empty, rubbish, no number, a directory, a link in a circle', async () => {
    const texts = ['', 'rubbish\n', '-1\n', '0\n', '99999999999999999999\n', '1 2\n'];
    for (const text of texts) {
      const file = fresh();
      writeFileSync(file, text);
      const [status, said] = await answer('status', file);
      expect([status, status === 125], `${JSON.stringify(text)}: ${String(said)}`).to.deep.equal([4, false]);
      expect((await answer('stop', file))[0], JSON.stringify(text)).to.equal(125);
      expect(readFileSync(file, 'utf8')).to.equal(text);
    }
    const circle = fresh();
    symlinkSync(circle, circle);
    for (const file of [directory, circle]) {
      expect((await answer('status', file))[0], file).to.equal(4);
      expect((await answer('stop', file))[0], file).to.equal(125);
    }
  });

  it('an ordinary user can ask for the daemon of another, and cannot end it', async function () {
    if (!isRoot) this.skip();
    const file = fresh();
    await vircommand(['run', '--daemon', '--pid-file', file, '--', 'sleep', '1000']);
    const pid = Number(readFileSync(file, 'utf8'));
    const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, bin()];
    const asked = await runProgram(['setpriv', ...nobody, 'status', file]);
    expect([asked.status, isAlive(pid)], asked.stdout + asked.stderr).to.deep.equal([0, true]);
    const refused = await runProgram(['setpriv', ...nobody, 'stop', file]);
    expect([refused.status, isAlive(pid), existsSync(file)], refused.stderr).to.deep.equal([125, true, true]);
    expect((await answer('stop', file))[0]).to.equal(0);
  });

  it('says what is wrong with the command line', async () => {
    expect(await answer('status')).to.deep.equal([125, 'vircommand status: which pid file?\n']);
    for (const command of ['status', 'stop']) {
      expect(await answer(command, '')).to.deep.equal([
        125,
        `vircommand ${command}: the path of the pid file is empty\n`,
      ]);
    }
    expect(await answer('stop', 'a', 'b')).to.deep.equal([
      125,
      "vircommand stop: takes one pid file, and not 'b' too\n",
    ]);
  });
});
