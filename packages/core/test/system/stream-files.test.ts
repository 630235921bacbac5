import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { constants as system, tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandStartError } from '@vircommand/core';
import { openAgain, openStreamFile } from '@vircommand/core/backend';
import { expect } from 'chai';

const { O_RDONLY, O_WRONLY, O_RDWR, O_NONBLOCK } = constants;

const flagsOf = (fd: number): number =>
  Number.parseInt(/^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '', 8);
const numbers = (): string => readdirSync('/proc/self/fd').join();

describe('files for streams', function () {
  if (process.platform !== 'linux') return;
  let directory: string;
  let fifo: string;
  const open: number[] = [];
  const programs: number[] = [];
  const opened = (path: string, flags: number): number => {
    const fd = openSync(path, flags | O_NONBLOCK | constants.O_NOCTTY);
    open.push(fd);
    return fd;
  };
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'vircommand-streams-'));
    fifo = join(directory, 'fifo');
    execFileSync('mkfifo', [fifo]);
    writeFileSync(join(directory, 'file'), '');
  });
  afterEach(() => {
    for (const fd of open.splice(0)) closeSync(fd);
    for (const pid of programs.splice(0)) process.kill(pid, 'SIGKILL');
  });
  after(() => {
    rmSync(directory, { recursive: true });
  });

  /** A pipe without a name: what a shell has given to a program. */
  function unnamed(): string {
    const script = 'exec 3>&1; : | { exec 4<&0; sleep 60 <&4 >&2 3>&- 4<&- & echo $! >&3; }';
    const pid = Number(execFileSync('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'], encoding: 'latin1' }));
    programs.push(pid);
    return `/proc/${pid}/fd/0`;
  }

  it('a named pipe without its other end is refused, with what to do about it', () => {
    const waits = 'and waiting for one would block; open it and give the descriptor';
    for (const [mode, why] of [
      ['read', `a named pipe may have no writer yet, ${waits}`],
      ['write', `a named pipe has no reader, ${waits}`],
      ['append', `a named pipe has no reader, ${waits}`],
    ] as const) {
      expect(() => openStreamFile({ path: fifo, mode }))
        .to.throw(CommandStartError, `ENXIO: ${why}, open '${fifo}'`)
        .and.include({ stage: 'stdio', code: 'ENXIO', errno: -system.errno.ENXIO, syscall: 'open', path: fifo });
    }
  });

  it('what is no pipe and cannot be opened is as the system says', async () => {
    const socket = join(directory, 'socket');
    const server = createServer().listen(socket);
    await once(server, 'listening');
    try {
      const open = (): number => openStreamFile({ path: socket, mode: 'write' });
      expect(open).to.throw(CommandStartError, `ENXIO: no such device or address, open '${socket}'`);
    } finally {
      server.close();
    }
  });

  it('a pipe is opened again with the same access, nonblocking and closed on exec', () => {
    const pipe = unnamed();
    for (const [path, access] of [
      [pipe, O_RDONLY],
      [pipe, O_WRONLY],
      [fifo, O_WRONLY],
      [fifo, O_RDWR],
    ] as const) {
      opened(path, O_RDWR);
      const fd = opened(path, access);
      const again = openAgain(fd, flagsOf(fd)) ?? -1;
      open.push(again);
      expect(again).to.be.greaterThan(2);
      expect(flagsOf(again)).to.equal(flagsOf(fd));
      expect(flagsOf(again) & 0o2000000, 'close on exec').to.not.equal(0);
    }
  });

  it('a pipe that blocks is as well: it may be used here later', () => {
    const fd = openSync(fifo, O_RDWR);
    open.push(fd);
    const again = openAgain(fd, flagsOf(fd)) ?? -1;
    open.push(again);
    expect(again).to.be.greaterThan(2);
    expect(flagsOf(again)).to.equal(flagsOf(fd) | O_NONBLOCK);
  });

  it('nothing else is: another terminal would come, the pipe has lost its reader or may have lost its writers, or keeps packets apart', () => {
    const reader = openSync(fifo, O_RDONLY | O_NONBLOCK);
    const writer = opened(fifo, O_WRONLY);
    closeSync(reader);
    const others = ['/dev/ptmx', '/dev/zero', join(directory, 'file'), directory].map((path) => opened(path, O_RDONLY));
    const before = numbers();
    for (const fd of [writer, ...others]) expect(openAgain(fd, flagsOf(fd))).to.equal(undefined);
    expect(openAgain(900, O_RDONLY)).to.equal(undefined);
    const named = opened(fifo, O_RDONLY);
    expect(openAgain(named, flagsOf(named))).to.equal(undefined);
    const packets = opened(fifo, O_WRONLY);
    expect(openAgain(packets, flagsOf(packets) | constants.O_DIRECT)).to.equal(undefined);
    open.splice(-2).forEach(closeSync);
    expect(numbers()).to.equal(before);
  });

  it('a named pipe is not opened for reading, and nothing stays open', () => {
    const before = numbers();
    expect(() => openStreamFile({ path: fifo, mode: 'read' }))
      .to.throw(/may have no writer/)
      .that.includes({ stage: 'stdio', code: 'ENXIO', path: fifo });
    expect(numbers()).to.equal(before);
  });
});
