import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
  constants,
} from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { backend } from '@vircommand/child-process';
import { CommandStartError } from '@vircommand/core';
import type { LaunchPlan, PlanStream } from '@vircommand/core/backend';
import { bytesOf, holdings, pipe, planOf, requestOf, textOf, turns, unchanged } from './plans';

const linux = process.platform === 'linux' ? it : it.skip;
const merged = { stdout: pipe, stderr: { type: 'same-as-stdout' } } as const;
const sh = (script: string, overrides: Partial<LaunchPlan> = {}): LaunchPlan => planOf(['sh', '-c', script], overrides);
const flagsOf = (fd: number): string | undefined =>
  /^flags:.*$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[0];
const blocks = (flags = ''): boolean => (Number.parseInt(flags.replace(/\D+/, ''), 8) & constants.O_NONBLOCK) === 0;

describe('stdio', () => {
  let directory = '';
  let held: string[] = [];
  const at = (name: string): string => join(directory, name);
  const file = (name: string, mode: 'read' | 'write' | 'append'): PlanStream => ({
    type: 'file',
    path: at(name),
    mode,
  });

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'stdio-'));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));
  beforeEach(() => {
    held = holdings();
  });
  afterEach(() => unchanged(held));

  /** The same plan both ways; each must exit with 0. */
  async function both(plan: () => LaunchPlan, check: () => void): Promise<void> {
    const child = await backend.start(plan());
    expect((await child.exited).exitCode).to.equal(0);
    check();
    expect(backend.startAndWaitSync?.(plan(), requestOf()).exitCode).to.equal(0);
    check();
  }

  linux('null is /dev/null, for all three', async () => {
    const plan = (): LaunchPlan =>
      sh('for fd in 0 1 2; do test "$(readlink /proc/$$/fd/$fd)" = /dev/null || exit 9; done');
    await both(plan, () => undefined);
  });

  it('a file is read, written and appended to, and made with 0666 and the umask', async () => {
    writeFileSync(at('in'), 'line\n');
    const umask = process.umask(0o027);
    try {
      await both(
        () =>
          sh('cat; echo more >&2', {
            stdin: file('in', 'read'),
            stdout: file('out', 'write'),
            stderr: file('log', 'append'),
          }),
        () => expect(readFileSync(at('out'), 'utf8')).to.equal('line\n'),
      );
      expect(readFileSync(at('log'), 'utf8')).to.equal('more\nmore\n');
      expect(statSync(at('out')).mode & 0o777).to.equal(0o640);
    } finally {
      process.umask(umask);
    }
  });

  it('stderr is the same open file as stdout: neither overwrites the other', async () => {
    await both(
      () => sh('echo a; echo b >&2; echo c', { stdout: file('same', 'write'), stderr: { type: 'same-as-stdout' } }),
      () => expect(readFileSync(at('same'), 'utf8')).to.equal('a\nb\nc\n'),
    );
    const fd = openSync(at('same-fd'), 'w');
    await both(
      () => sh('echo a; echo b >&2; echo c', { stdout: { type: 'fd', fd }, stderr: { type: 'same-as-stdout' } }),
      () => expect(readFileSync(at('same-fd'), 'utf8')).to.match(/^(a\nb\nc\n)+$/),
    );
    closeSync(fd);
  });

  it('a descriptor is shared, offset and all, and stays open', async () => {
    writeFileSync(at('lines'), 'one\ntwo\nthree\n');
    const input = openSync(at('lines'), 'r');
    readSync(input, Buffer.alloc(4), 0, 4, null);
    const child = await backend.start(sh('cat', { stdin: { type: 'fd', fd: input }, stdout: pipe }));
    expect(await textOf(child.stdout)).to.equal('two\nthree\n');
    await child.exited;
    expect(fstatSync(input).isFile()).to.equal(true);
    closeSync(input);
  });

  linux('a named pipe is not waited for: without its other end it is refused', async () => {
    execFileSync('mkfifo', [at('fifo')]);
    for (const plan of [sh('cat', { stdin: file('fifo', 'read') }), sh('echo', { stdout: file('fifo', 'write') })]) {
      const blocking = Promise.resolve().then(() => backend.startAndWaitSync?.(plan, requestOf()));
      const errors = await Promise.all(
        [backend.start(plan), blocking].map((start) => start.catch((error: unknown) => error)),
      );
      for (const error of errors)
        expect(error).to.be.instanceOf(CommandStartError).and.include({ code: 'ENXIO', stage: 'stdio' });
    }
    const reader = openSync(at('fifo'), constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = await backend.start(sh('echo through', { stdout: file('fifo', 'write') }));
    await writer.exited;
    const bytes = Buffer.alloc(20);
    expect(bytes.toString('utf8', 0, readSync(reader, bytes))).to.equal('through\n');
    closeSync(reader);
  });

  linux('what happens right after the call is not for this program: descriptors, directory, environment', async () => {
    const directory = process.cwd();
    const results = Array.from({ length: 3 }, async (_, index) => {
      writeFileSync(at(`now-${index}`), `${index}`);
      const fd = openSync(at(`now-${index}`), 'r');
      process.chdir(at('.'));
      process.env.VIRCOMMAND_NOW = String(index);
      const merged = index === 2 ? { stderr: { type: 'same-as-stdout' } as const } : {};
      const stdin = index === 2 ? ({ type: 'null' } as const) : ({ type: 'fd', fd } as const);
      const starting = backend.start(sh('cat; echo " $VIRCOMMAND_NOW"; pwd -P', { stdin, stdout: pipe, ...merged }));
      closeSync(fd);
      process.chdir('/');
      delete process.env.VIRCOMMAND_NOW;
      const child = await starting;
      const text = await textOf(child.stdout);
      await child.exited;
      return text;
    });
    process.chdir(directory);
    const home = realpathSync(at('.'));
    expect(await Promise.all(results)).to.deep.equal([`0 0\n${home}\n`, `1 1\n${home}\n`, ` 2\n${home}\n`]);
  });

  describe('passed descriptors', () => {
    const report = 'for fd in 3 4 5 6 7; do printf "%s=" $fd; cat <&$fd 2>/dev/null || printf closed; printf " "; done';
    const fds: number[] = [];
    before(() => {
      for (const name of ['a', 'b', 'c', 'd']) {
        writeFileSync(at(name), name);
        fds.push(openSync(at(name), 'r'));
      }
    });
    after(() => {
      for (const fd of fds) closeSync(fd);
    });
    const said = async (passFds: LaunchPlan['passFds']): Promise<string> => {
      const child = await backend.start(sh(report, { stdout: pipe, passFds }));
      const text = await textOf(child.stdout);
      await child.exited;
      return text.trim();
    };

    it('have their numbers, and the holes between them are closed', async () => {
      writeFileSync(at('x'), 'X');
      const fd = openSync(at('x'), 'r');
      expect(await said([{ fd, as: 6 }])).to.equal('3=closed 4=closed 5=closed 6=X 7=closed');
      closeSync(fd);
    });

    it('may cross each other and the standard streams', async () => {
      // Whatever numbers the descriptors have here: every order of four sources on the numbers of the sources.
      const numbers = [...fds];
      const orders = [
        [1, 0, 3, 2],
        [1, 2, 3, 0],
        [3, 2, 1, 0],
        [0, 1, 2, 3],
      ];
      for (const order of orders) {
        const passFds = order.map((source, index) => ({ fd: numbers[source]!, as: numbers[index]! }));
        const script = numbers.map((number) => `cat /proc/self/fd/${number}`).join('; ');
        const child = await backend.start(sh(script, { stdout: pipe, passFds }));
        expect(await textOf(child.stdout)).to.equal(order.map((source) => 'abcd'[source]).join(''));
        await child.exited;
      }
    });

    it('are passed synchronously too, and are still open here', () => {
      const fd = openSync(at('a'), 'r');
      const outcome = backend.startAndWaitSync?.(
        sh('cat <&9', { stdout: pipe, passFds: [{ fd, as: 9 }] }),
        requestOf(),
      );
      expect(Buffer.from(outcome?.stdout ?? []).toString()).to.equal('a');
      expect(fstatSync(fd).size).to.equal(1);
      closeSync(fd);
    });
  });

  describe('the flags of the caller’s descriptors stay as they were', () => {
    linux('a nonblocking pipe, handed on as stdout, is blocking in the program only', async () => {
      execFileSync('mkfifo', [at('flags')]);
      const read = openSync(at('flags'), constants.O_RDONLY | constants.O_NONBLOCK);
      const write = openSync(at('flags'), constants.O_WRONLY | constants.O_NONBLOCK);
      const flags = flagsOf(write);
      const script = 'said=$(grep -h ^flags: /proc/$$/fdinfo/1); echo "$said" >&2; echo data';
      const plan = (): LaunchPlan => sh(script, { stdout: { type: 'fd', fd: write }, stderr: pipe });
      const child = await backend.start(plan());
      const [, seen = ''] = (await textOf(child.stderr)).split(/\s+/);
      await child.exited;
      expect([blocks(flags), blocks(seen), flagsOf(write)]).to.deep.equal([false, true, flags]);
      backend.startAndWaitSync?.(plan(), requestOf());
      expect(flagsOf(write)).to.equal(flags);
      const bytes = Buffer.alloc(20);
      expect(bytes.toString('utf8', 0, readSync(read, bytes))).to.equal('data\ndata\n');
      for (const fd of [read, write]) closeSync(fd);
    });

    linux('a pipe that becomes nonblocking here after the start stays blocking in the program', async () => {
      execFileSync('mkfifo', [at('later')]);
      const fd = openSync(at('later'), 'r+');
      const script = 'kill -STOP $$; said=$(grep ^flags: /proc/$$/fdinfo/1); echo "$said" >&2';
      const child = await backend.start(sh(script, { stdout: { type: 'fd', fd }, stderr: pipe }));
      const socket = new net.Socket({ fd, readable: false });
      const flags = flagsOf(fd);
      const stopped = (): boolean => readFileSync(`/proc/${child.pid}/stat`, 'latin1').includes(') T ');
      while (!stopped()) await new Promise(setImmediate);
      child.signal('SIGCONT', 'process');
      const [, seen = ''] = (await textOf(child.stderr)).split(/\s+/);
      await child.exited;
      socket.destroy();
      expect([blocks(flags), blocks(seen)]).to.deep.equal([false, true]);
    });

    linux('a pipe that nobody writes to any more gives the program its end', async () => {
      execFileSync('mkfifo', [at('ended')]);
      const read = openSync(at('ended'), constants.O_RDONLY | constants.O_NONBLOCK);
      const write = openSync(at('ended'), constants.O_WRONLY);
      writeSync(write, 'last words');
      closeSync(write);
      const child = await backend.start(sh('cat', { stdin: { type: 'fd', fd: read }, stdout: pipe }));
      expect(await textOf(child.stdout)).to.equal('last words');
      await child.exited;
      closeSync(read);
    });

    linux('close-on-exec is kept for a descriptor that is passed under its own number', async () => {
      const fd = openSync(at('a'), 'r');
      const flags = flagsOf(fd);
      const child = await backend.start(sh('true', { passFds: [{ fd, as: fd }] }));
      await child.exited;
      expect(flagsOf(fd)).to.equal(flags);
      closeSync(fd);
    });
  });

  describe('merged output', () => {
    it('is in the program’s order, also from its children', async () => {
      const script = 'for i in 0 1 2 3 4 5 6 7 8 9; do echo o$i; sh -c "echo e$i >&2"; done';
      const lines = Array.from({ length: 10 }, (_, index) => `o${index}\ne${index}\n`).join('');
      const child = await backend.start(sh(script, merged));
      expect(child.stderr).to.equal(undefined);
      expect(await textOf(child.stdout)).to.equal(lines);
      await child.exited;
      const outcome = backend.startAndWaitSync?.(sh(script, merged), requestOf());
      expect(Buffer.from(outcome?.stdout ?? []).toString()).to.equal(lines);
      expect(outcome?.stderr).to.equal(undefined);
    });

    it('64 MiB by turns through both lose nothing and keep their order', async function () {
      this.timeout(60_000);
      // Chunks of odd sizes, numbered, through 1 and 2 by turns.
      const writer = `
        const { writeSync } = require('node:fs');
        let sent = 0;
        for (let i = 0; sent < 64 << 20; i++) {
          const chunk = Buffer.alloc(1 + (i * 7919) % 70001, i & 0xff);
          for (let at = 0; at < chunk.length;) at += writeSync(1 + (i & 1), chunk, at);
          sent += chunk.length;
        }`;
      const hash = createHash('sha256');
      let sent = 0;
      for (let i = 0; sent < 64 << 20; i++) {
        const chunk = Buffer.alloc(1 + ((i * 7919) % 70001), i & 0xff);
        hash.update(chunk);
        sent += chunk.length;
      }
      const wanted = hash.digest('hex');
      const child = await backend.start(planOf([process.execPath, '-e', writer], merged));
      const got = createHash('sha256');
      let length = 0;
      for await (const chunk of child.stdout ?? []) {
        got.update(chunk as Buffer);
        length += (chunk as Buffer).length;
      }
      expect((await child.exited).exitCode).to.equal(0);
      expect(length).to.equal(sent);
      expect(got.digest('hex')).to.equal(wanted);
    });

    linux('is one descriptor in the program, and a blocking one', async () => {
      const script = 'readlink /proc/$$/fd/1 /proc/$$/fd/2; grep ^flags /proc/$$/fdinfo/1';
      const child = await backend.start(sh(script, merged));
      const [one, two, flags] = (await textOf(child.stdout)).split('\n');
      await child.exited;
      expect(one)
        .to.equal(two)
        .and.to.match(/^socket:/);
      expect(Number.parseInt(flags!.split(/\s+/)[1]!, 8) & constants.O_NONBLOCK).to.equal(0);
    });

    it('a stranger who connects first is not taken for the program', async () => {
      const { connect: original } = net;
      const strangers: net.Socket[] = [];
      // Names without files are there for everybody. These are quicker than the rightful end, and one of them talks.
      const first = (address: string): net.Socket => {
        for (const words of ['', 'x'.repeat(64)]) {
          const stranger = original(address);
          stranger.on('error', () => undefined);
          stranger.write(words);
          strangers.push(stranger);
        }
        return original(address);
      };
      Object.assign(net, { connect: first });
      try {
        const child = await backend.start(sh('echo mine', merged));
        expect(strangers).to.have.length(2);
        expect(await textOf(child.stdout)).to.equal('mine\n');
        await child.exited;
      } finally {
        Object.assign(net, { connect: original });
        for (const stranger of strangers) stranger.destroy();
      }
    });
  });

  it('pipes give what the program wrote also when nobody reads before its exit', async () => {
    const child = await backend.start(sh('echo out; echo err >&2', { stdout: pipe, stderr: pipe }));
    await child.exited;
    await turns();
    expect(await textOf(child.stdout)).to.equal('out\n');
    expect(await textOf(child.stderr)).to.equal('err\n');
  });

  it('stdin arrives byte for byte, and EPIPE is one error on the stream', async () => {
    const data = Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 31) & 0xff));
    const child = await backend.start(planOf(['cat'], { stdin: pipe, stdout: pipe }));
    child.stdin?.end(data);
    expect((await bytesOf(child.stdout)).equals(data)).to.equal(true);
    await child.exited;
    const deaf = await backend.start(sh('exec 0<&-; echo closed', { stdin: pipe, stdout: pipe }));
    const errors: (string | undefined)[] = [];
    deaf.stdin?.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code));
    await textOf(deaf.stdout);
    deaf.stdin?.write(Buffer.alloc(1 << 20));
    await new Promise((resolve) => deaf.stdin?.on('close', resolve));
    expect(errors).to.have.length(1);
    expect(errors[0]).to.match(/^(EPIPE|ECONNRESET)$/);
    await deaf.exited;
  });

  it('a socket of the caller is shared and keeps working', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const client = net.connect((server.address() as { port: number }).port, '127.0.0.1');
    const accepted = await new Promise<net.Socket>((resolve) => server.once('connection', resolve));
    const { fd } = (accepted as unknown as { _handle: { fd: number } })._handle;
    const child = await backend.start(sh('echo over the net', { stdout: { type: 'fd', fd } }));
    await child.exited;
    accepted.end();
    expect(await textOf(client)).to.equal('over the net\n');
    server.close();
    await new Promise((resolve) => server.once('close', resolve));
  });
});
