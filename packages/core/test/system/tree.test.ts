import { spawn, spawnSync, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import fs, { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { expect } from 'chai';
import { Descendants, pipesOf } from '@vircommand/core/backend';

/** A shell with a child, and a grandchild that is in a session of its own and lost its parent. */
const family = `
  exec 3<&0
  (setsid sh -c 'echo grandchild $$; exec cat <&3' & wait) &
  sh -c 'echo child $$; exec cat <&3' &
  echo root $$; wait`;

/** A main thread that ends before the other one. */
const headless = `
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
ctypes.CDLL(None).pthread_exit(None)`;

type Told = ChildProcessByStdio<null, null, Readable>;

/** A script in a group of its own. Its stderr is for what it tells. */
const start = (script: string, ...args: string[]): Told =>
  spawn('/bin/sh', ['-c', script, 'sh', ...args], { stdio: ['ignore', 'ignore', 'pipe'], detached: true });

/** The pids that it tells, each after a name. */
async function pidsFrom({ stderr }: Told, ...names: string[]): Promise<number[]> {
  let text = '';
  stderr.setEncoding('utf8').on('data', (part: string) => (text += part));
  const all = (): number[] => names.map((name) => Number(new RegExp(`${name} (\\d+)\n`).exec(text)?.[1]));
  while (all().some(Number.isNaN)) await once(stderr, 'data');
  return all();
}

const stateOf = (pid: number): string | undefined => {
  try {
    return /\) (.)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1];
  } catch {
    return undefined;
  }
};

const outputOf = (pid: number | undefined): string[] => pipesOf(pid ?? 0, [1]) ?? [];

const nameOf = (pid: number): string => readFileSync(`/proc/${pid}/comm`, 'latin1').trim();

/** Waits less than a test has, so that it is the test which fails, and nothing goes on after it. */
async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 50_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`it never came: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('descendants', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  it('are found wherever they went, ended all together, and nobody else', async () => {
    const stranger = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
    const root = spawn('/bin/sh', ['-c', family], { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
    const ended = once(root.stdout, 'close');
    try {
      let text = '';
      root.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
      while (text.split('\n').length < 4) await once(root.stdout, 'data');
      const pid = (name: string): number => Number(new RegExp(`${name} (\\d+)`).exec(text)?.[1]);
      const descendants = new Descendants(root.pid ?? 0, { ownGroup: true, ownPipes: outputOf(root.pid) });
      expect([descendants.find(true), descendants.visible, descendants.alive]).to.deep.equal([true, true, true]);
      expect(descendants.find(true)).to.equal(false);
      const toRoot: number[] = [];
      const send = (signal: number): boolean => toRoot.push(signal) > 0 && process.kill(root.pid ?? NaN, signal);
      expect(descendants.deliver(constants.signals.SIGKILL, true, send)).to.equal(true);
      expect(toRoot).to.deep.equal([constants.signals.SIGSTOP, constants.signals.SIGKILL]);
      // Everybody who held the pipe is gone, or is about to be: descriptors are closed before.
      await ended;
      await until(() => !descendants.alive);
      expect([pid('root'), pid('child'), pid('grandchild')].every(Number.isSafeInteger)).to.equal(true);
      expect(descendants.signal(0)).to.equal(false);
      expect([stranger.exitCode, stranger.signalCode, existsSync(`/proc/${stranger.pid ?? 0}`)]).to.deep.equal([
        null,
        null,
        true,
      ]);
    } finally {
      root.kill('SIGKILL');
      stranger.kill('SIGKILL');
      root.stdin.destroy();
      root.stdout.destroy();
    }
  });

  it('are not who reads what the program writes', async () => {
    const both = start(`sh -c 'echo writer $$ >&2; exec sleep 60' | sh -c 'echo reader $$ >&2; exec cat'`);
    try {
      const [writer = 0, reader = 0] = await pidsFrom(both, 'writer', 'reader');
      // A shell that says something has other descriptors for a moment.
      await until(() => nameOf(writer) === 'sleep' && nameOf(reader) === 'cat');
      const descendants = new Descendants(writer, { ownGroup: false, ownPipes: outputOf(writer) });
      expect([descendants.find(true), descendants.visible]).to.deep.equal([false, true]);
    } finally {
      process.kill(-(both.pid ?? NaN), 'SIGKILL');
    }
  });

  it('are those who have its own pipe, also if it has put another one in its place, whose holders are not', async () => {
    const both = start(`sh -c 'echo writer $$ >&2; exec sleep 60' | sh -c 'echo reader $$ >&2; exec cat'`);
    const [writer = 0, reader = 0] = await pidsFrom(both, 'writer', 'reader');
    await until(() => nameOf(writer) === 'sleep' && nameOf(reader) === 'cat');
    const log = `/proc/${writer}/fd/1`;
    const fd = fs.openSync(log, 'w');
    const script = `read _; (setsid sleep 60 &); exec > ${log}; echo said >&2; exec sleep 60`;
    const root = spawn('/bin/sh', ['-c', script]);
    const ownPipes = outputOf(root.pid);
    root.stdin.end('\n');
    await once(root.stderr, 'data');
    const stranger = spawn('sleep', ['60'], { stdio: ['ignore', fd, 'ignore'] });
    try {
      await until(() => nameOf(stranger.pid ?? 0) === 'sleep');
      const descendants = new Descendants(root.pid ?? 0, { ownGroup: false, ownPipes });
      expect(descendants.find(true)).to.equal(true);
      descendants.signal(constants.signals.SIGKILL);
      root.kill('SIGKILL');
      // Nobody has the pipe any more.
      await once(root.stdout.resume(), 'close');
      expect([stranger.exitCode, stranger.signalCode, stateOf(writer)]).to.deep.equal([null, null, 'S']);
    } finally {
      fs.closeSync(fd);
      for (const child of [root, stranger]) child.kill('SIGKILL');
      process.kill(-(both.pid ?? NaN), 'SIGKILL');
    }
  });

  describe('that this process has for children, as it gets orphans where it is the first of a container', () => {
    const { readFileSync: read } = fs;
    let both: Told;
    let root = 0;
    let child: ChildProcess | undefined;

    beforeEach(async () => {
      both = start(`sh -c 'echo root $$ >&2; exec sleep 60' | sleep 60`);
      [root = 0] = await pidsFrom(both, 'root');
      await until(() => nameOf(root) === 'sleep');
      const fd = fs.openSync(`/proc/${root}/fd/1`, 'w');
      child = spawn('sleep', ['60'], { stdio: ['ignore', fd, 'ignore'] });
      fs.closeSync(fd);
      const { pid = NaN } = child;
      await until(() => nameOf(pid) === 'sleep');
    });
    afterEach(() => {
      fs.readFileSync = read;
      process.kill(-(both.pid ?? NaN), 'SIGKILL');
      child?.kill('SIGKILL');
    });
    /** These files of the child say what those of this process do. */
    const copy = (...files: string[]): void => {
      fs.readFileSync = ((file: string, encoding: 'latin1') => {
        const [, name = ''] = /^\/proc\/(?:\d+)\/(\w+)$/.exec(file) ?? [];
        if (file !== `/proc/${child?.pid ?? NaN}/${name}` || !files.includes(name)) return read(file, encoding);
        if (name !== 'stat') return read(`/proc/self/${name}`, encoding);
        const fields = read(file, encoding).split(' ');
        fields[47] = read('/proc/self/stat', encoding).split(') ')[1]?.split(' ')[45] ?? '';
        return fields.join(' ');
      }) as typeof read;
    };
    const found = (): boolean => new Descendants(root, { ownGroup: false, ownPipes: outputOf(root) }).find(true);

    it('are found by the pipe', () => {
      expect(found()).to.equal(true);
    });

    it('are found also if they were called like this process', () => {
      copy('cmdline');
      expect(found()).to.equal(true);
    });

    it('are not who has a copy of all, before he executes his program', () => {
      copy('cmdline', 'stat');
      expect(found()).to.equal(false);
    });
  });

  describe('of a program that belongs to another user, or to root', () => {
    before(function () {
      // Only root starts programs of others.
      if (process.getuid?.() !== 0) this.skip();
    });

    const cases: [program: number, holder: number, isFound: boolean][] = [
      [65_534, 65_534, true],
      [65_534, 0, false],
      [65_534, 65_533, false],
      [0, 65_534, true],
    ];
    for (const [program, holder, isFound] of cases) {
      it(`are ${isFound ? '' : 'not '}who holds its pipe and is of user ${holder}, if it is of ${program}`, async () => {
        const both = spawn('/bin/sh', ['-c', `sh -c 'echo root $$ >&2; exec sleep 60' | sleep 60`], {
          stdio: ['ignore', 'ignore', 'pipe'],
          detached: true,
          uid: program,
        });
        const [root = 0] = await pidsFrom(both, 'root');
        await until(() => nameOf(root) === 'sleep');
        const fd = fs.openSync(`/proc/${root}/fd/1`, 'w');
        const child = spawn('sleep', ['60'], { stdio: ['ignore', fd, 'ignore'], uid: holder });
        fs.closeSync(fd);
        try {
          await until(() => nameOf(child.pid ?? 0) === 'sleep');
          const descendants = new Descendants(root, { ownGroup: false, ownPipes: outputOf(root) });
          const exit = once(child, 'exit');
          descendants.deliver(constants.signals.SIGTERM, true, () => true);
          expect(descendants.visible).to.equal(isFound);
          if (!isFound) child.kill('SIGUSR1');
          expect((await exit)[1]).to.equal(isFound ? 'SIGTERM' : 'SIGUSR1');
        } finally {
          child.kill('SIGKILL');
          process.kill(-(both.pid ?? NaN), 'SIGKILL');
        }
      });
    }
  });

  it('are not all known while an orphan of this user hides what it has open, as what may not be read does', async () => {
    const { readdirSync } = fs;
    const both = start(`
      sh -c '(setsid sleep 60 & echo orphan $! >&2); echo root $$ >&2; exec sleep 60' | sleep 60`);
    const [root = 0, orphan = 0] = await pidsFrom(both, 'root', 'orphan');
    try {
      await until(() => nameOf(root) === 'sleep' && nameOf(orphan) === 'sleep');
      const reach = (): boolean => {
        const descendants = new Descendants(root, { ownGroup: false, ownPipes: outputOf(root), send: () => undefined });
        descendants.deliver(constants.signals.SIGKILL, true, () => true);
        return descendants.visible;
      };
      fs.readdirSync = ((path: string) => {
        if (path === `/proc/${orphan}/fd`) throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
        return readdirSync(path);
      }) as typeof readdirSync;
      expect(reach()).to.equal(false);
      process.kill(orphan, 'SIGKILL');
      await until(() => [undefined, 'Z'].includes(stateOf(orphan)));
      expect(reach()).to.equal(true);
    } finally {
      fs.readdirSync = readdirSync;
      if (stateOf(orphan) !== undefined) process.kill(orphan, 'SIGKILL');
      process.kill(-(both.pid ?? NaN), 'SIGKILL');
    }
  });

  it('are nobody where /proc is that of another pid namespace, whose numbers are those of strangers', async () => {
    const { readlinkSync } = fs;
    const root = start('sleep 60 & echo child $! >&2; wait');
    const [child = 0] = await pidsFrom(root, 'child');
    const sent: number[] = [];
    const send = (pid: number): void => void sent.push(pid);
    const reach = (): [sent: number[], visible: boolean] => {
      const descendants = new Descendants(root.pid ?? 0, { ownGroup: true, ownPipes: outputOf(root.pid), send });
      descendants.deliver(constants.signals.SIGKILL, true, () => true);
      return [Array.from(new Set(sent.splice(0))), descendants.visible];
    };
    try {
      expect(reach()).to.deep.equal([[child], true]);
      // They were read a moment ago.
      const foreign = (path: string): string => (path === '/proc/self' ? '1' : readlinkSync(path));
      fs.readlinkSync = foreign as typeof readlinkSync;
      expect(reach()).to.deep.equal([[], false]);
    } finally {
      fs.readlinkSync = readlinkSync;
      process.kill(-(root.pid ?? NaN), 'SIGKILL');
    }
  });

  it('are not all known to who is shown only his own processes', function () {
    const code = `
      const { Descendants } = require('@vircommand/core/backend');
      const descendants = new Descendants(process.ppid, { ownGroup: false, ownPipes: [] });
      descendants.find(true);
      console.log(descendants.visible);`;
    const node = [
      ...process.execArgv.filter((option) => option.startsWith('--conditions')),
      ...['-r', 'ts-node/register/transpile-only', '-e', code],
    ];
    const user = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
    const visible = (mount: string): string => {
      // The shell is the one who is looked at.
      const script = `${mount} && setpriv ${user.join(' ')} sh -c '"$@"; exit' sh "$@"`;
      const args = ['-m', 'sh', '-c', script, 'sh', process.execPath, ...node];
      return spawnSync('unshare', args, { cwd: __dirname, encoding: 'utf8', env: { ...process.env, HOME: '/' } })
        .stdout;
    };
    // Not everybody may mount, and not every checkout can be read by others.
    if (visible('mount -t proc proc /proc') !== 'true\n') this.skip();
    expect(visible('mount -t proc -o hidepid=2 proc /proc')).to.equal('false\n');
  });

  it('are not all ended where one that lives may not be signalled, until he is gone', async () => {
    const root = start(`sleep 60 & echo child $! >&2; exec sleep 60`);
    try {
      const [child = 0] = await pidsFrom(root, 'child');
      const send = (pid: number, signal: number): void => {
        if (pid === child) throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
        process.kill(pid, signal);
      };
      const descendants = new Descendants(root.pid ?? 0, { ownGroup: false, ownPipes: [], send });
      const reach = (): boolean => {
        descendants.deliver(constants.signals.SIGKILL, true, () => true);
        return descendants.visible;
      };
      expect(reach()).to.equal(false);
      process.kill(child, 'SIGKILL');
      await until(() => [undefined, 'Z'].includes(stateOf(child)));
      expect(reach()).to.equal(true);
    } finally {
      process.kill(-(root.pid ?? NaN), 'SIGKILL');
    }
  });

  it('are stopped before every signal, also those whom an earlier one has found outside the group', async () => {
    const { SIGTERM, SIGKILL, SIGSTOP, SIGCONT } = constants.signals;
    const root = start(`setsid sh -c 'trap "" TERM; echo far $$ >&2; sleep 60; :' & trap : TERM; wait; wait`);
    const [far = 0] = await pidsFrom(root, 'far');
    const got: number[] = [];
    const send = (pid: number, signal: number): void => {
      if (pid === far) got.push(signal);
      process.kill(pid, signal);
    };
    const descendants = new Descendants(root.pid ?? 0, { ownGroup: true, ownPipes: [], send });
    const toRoot = (signal: number): boolean => process.kill(root.pid ?? NaN, signal);
    descendants.deliver(SIGTERM, true, toRoot);
    expect(got.splice(0).filter((signal) => signal !== SIGSTOP)).to.deep.equal([SIGTERM, SIGCONT]);
    descendants.deliver(SIGKILL, true, toRoot);
    // Once more with everybody whom the look finds.
    expect(Array.from(new Set(got))).to.deep.equal([SIGSTOP, SIGKILL]);
  });

  it('get no earlier signal with a later one: it may be what makes them fork', async () => {
    const { SIGTERM, SIGKILL, SIGSTOP, SIGCONT } = constants.signals;
    const root = start(`trap 'sleep 60 & echo late $! >&2' USR1; sleep 60 & echo early $! >&2; while :; do wait; done`);
    const got: [pid: number, signal: number][] = [];
    const send = (...sent: [pid: number, signal: number]): void => void got.push(sent);
    const of = (wanted: number): number[] =>
      Array.from(new Set(got.filter(([pid]) => pid === wanted).map(([, signal]) => signal)));
    try {
      const [early = 0] = await pidsFrom(root, 'early');
      const descendants = new Descendants(root.pid ?? 0, { ownGroup: true, ownPipes: [], send });
      descendants.deliver(SIGTERM, true, () => true);
      expect(of(early)).to.deep.equal([SIGSTOP, SIGTERM, SIGCONT]);
      root.kill('SIGUSR1');
      const [late = 0] = await pidsFrom(root, 'late');
      descendants.deliver(SIGKILL, true, () => true);
      expect(of(late)).to.deep.equal([SIGSTOP, SIGKILL]);
    } finally {
      process.kill(-(root.pid ?? NaN), 'SIGKILL');
    }
  });

  /** Ends nobody, with looks that take two seconds each, until one that finds nobody new. */
  function slowly(findsNew: (look: number) => boolean): { readonly looks: number; readonly visible: boolean } {
    const uptime = process.uptime.bind(process);
    const descendants = new Descendants(0, { ownGroup: false, ownPipes: [] });
    descendants.visible = true;
    let looks = 0;
    descendants.find = () => findsNew(++looks);
    process.uptime = () => 2 * looks;
    try {
      descendants.deliver(constants.signals.SIGKILL, false, () => true);
    } finally {
      process.uptime = uptime;
    }
    return { looks, visible: descendants.visible };
  }

  it('are not looked for for ever', () => {
    expect(slowly(() => true)).to.deep.equal({ looks: 5, visible: false });
  });

  it('are looked for to the end also where this process was held up meanwhile', () => {
    expect(slowly((look) => look < 3)).to.deep.equal({ looks: 3, visible: true });
  });

  it('live as long as one of their threads', async function () {
    if (spawnSync('python3', ['-c', 'import ctypes']).status !== 0) this.skip();
    const root = start('setsid python3 -c "$1" & echo headless $! >&2; wait', headless);
    const [pid = 0] = await pidsFrom(root, 'headless');
    try {
      await until(() => stateOf(pid) === 'Z');
      const descendants = new Descendants(root.pid ?? 0, { ownGroup: true, ownPipes: [] });
      expect([descendants.find(true), descendants.alive]).to.deep.equal([true, true]);
      descendants.deliver(constants.signals.SIGKILL, true, () => false);
      await until(() => !descendants.alive);
      expect([undefined, 'Z']).to.include(stateOf(pid));
    } finally {
      root.kill('SIGKILL');
      if (stateOf(pid) !== undefined) process.kill(pid, 'SIGKILL');
    }
  });
});
