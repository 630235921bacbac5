import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { LINUX } from '../src/linux';
import { lockPidFile, unlockPidFile } from '../src/pidfile/acquire';
import { discardPidFile, removeIfFree } from '../src/pidfile/remove';
import { chosenDriver } from '../src/ffi';
import { libcThrough, type Libc } from '../src/libc';
import { onEachDriver } from './drivers';
import { compiledLocker, endLockers, locker, pidFiles, pythonLocker, seenFromPython, thrown } from './lockers';
import { openDescriptors } from './started';

/** A libc whose locks are told first. */
const spied = (libc: Libc, before: (command: number, path: string) => void): Libc => ({
  ...libc,
  fcntl(fd, command, argument) {
    before(command, `/proc/self/fd/${fd}`);
    return libc.fcntl(fd, command, argument);
  },
});

describe('the lock of a pid file', () => {
  const file = pidFiles();
  afterEach(endLockers);

  onEachDriver((libc) => {
    it('is seen by a Python program: its place, its owner and the pid', () => {
      const umask = process.umask(0);
      const fd = lockPidFile(libc, file(), process.pid);
      process.umask(umask);
      expect(statSync(file()).mode & 0o777).to.equal(0o644);
      expect(libc.fcntl(fd, LINUX.F_GETFD, 0)).to.equal(LINUX.FD_CLOEXEC);
      expect(seenFromPython(file())).to.equal(`pid ${process.pid} from 0 for 1, refused, ${process.pid}`);
      unlockPidFile(file(), fd);
      expect(existsSync(file())).to.equal(false);
    });

    it('is refused while a Python program has it, who is named', async () => {
      const { pid } = await pythonLocker(file());
      const before = openDescriptors();
      const error = thrown(() => lockPidFile(libc, file(), process.pid));
      expect(error).to.include({ code: 'EAGAIN', owner: pid, path: file(), syscall: 'fcntl' });
      expect(error.message).to.contain(`held by pid ${pid}`);
      expect(readFileSync(file(), 'latin1')).to.equal(String(pid));
      expect(openDescriptors()).to.equal(before);
    });
  });

  const libc = libcThrough(chosenDriver(undefined));
  it('is the one of a C program, in both directions', async function () {
    const program = compiledLocker();
    if (program === undefined) this.skip();
    const { pid, end } = await locker(program, [file(), 'self']);
    expect(thrown(() => lockPidFile(libc, file(), process.pid))).to.include({ code: 'EAGAIN', owner: pid });
    await end();
    const fd = lockPidFile(libc, file(), process.pid);
    expect(spawnSync(program, [file()], { encoding: 'utf8' }).stdout).to.equal(`${process.pid} ${process.pid}\n`);
    unlockPidFile(file(), fd);
  });

  for (const [what, text] of Object.entries({
    stale: '99999999',
    empty: '',
    garbage: 'not a pid\n\0\xff',
    huge: '1'.repeat(100_000),
  })) {
    it(`takes over a file that is ${what}`, () => {
      writeFileSync(file(), text, 'latin1');
      const fd = lockPidFile(libc, file(), process.pid);
      expect(readFileSync(`/proc/self/fd/${fd}`).length).to.equal(String(process.pid).length);
      unlockPidFile(file(), fd);
      expect(existsSync(file())).to.equal(false);
    });
  }

  it('waits for a lock that is only passing, as that of a reader who tries it', async () => {
    const passing = await pythonLocker(file(), { text: '99999999' });
    let asked = 0;
    const patient = spied(libc, (command) => {
      if (command === LINUX.F_GETLK && ++asked === 3) passing.process.kill('SIGKILL');
    });
    const fd = lockPidFile(patient, file(), process.pid);
    expect(asked).to.be.at.least(3);
    unlockPidFile(file(), fd);
  });

  it('gives up where the owner never writes his number, and names him all the same', async () => {
    const { pid } = await pythonLocker(file(), { text: '' });
    expect(thrown(() => lockPidFile(libc, file(), process.pid))).to.include({ code: 'EAGAIN', owner: pid });
  });

  it('is refused while somebody reads the file under a lock, who is said to be no daemon', async () => {
    const { pid } = await pythonLocker(file(), { kind: 'read' });
    const error = thrown(() => lockPidFile(libc, file(), process.pid));
    expect(error).to.include({ code: 'EAGAIN', path: file() });
    expect(error.message).to.contain(`locked for reading by pid ${pid}, and so by no daemon`);
    expect(error).to.not.have.property('owner');
    expect(readFileSync(file(), 'utf8')).to.equal(String(pid));
  });

  it('is had as soon as a reader has gone', async () => {
    const passing = await pythonLocker(file(), { kind: 'read' });
    let tried = 0;
    const patient = spied(libc, (command) => {
      if (command === LINUX.F_SETLK && ++tried === 3) passing.process.kill('SIGKILL');
    });
    const fd = lockPidFile(patient, file(), process.pid);
    expect(tried).to.be.at.least(3);
    unlockPidFile(file(), fd);
  });

  it('is taken on the file that is there, when another one took its place meanwhile', () => {
    let first = true;
    const racing = spied(libc, (command) => {
      if (command !== LINUX.F_SETLK || !first) return;
      first = false;
      writeFileSync(file('new'), 'old text');
      renameSync(file('new'), file());
    });
    const fd = lockPidFile(racing, file(), process.pid);
    expect(seenFromPython(file())).to.equal(`pid ${process.pid} from 0 for 1, refused, ${process.pid}`);
    unlockPidFile(file(), fd);
  });

  it('gives up when others keep making and removing the file', () => {
    const racing = spied(libc, (command) => {
      if (command === LINUX.F_SETLK) unlinkSync(file());
    });
    const before = openDescriptors();
    expect(thrown(() => lockPidFile(racing, file(), process.pid))).to.include({ code: 'EAGAIN', path: file() });
    expect(openDescriptors()).to.equal(before);
  });

  it('refuses what is no regular file, and a symbolic link', () => {
    const before = openDescriptors();
    const code = (name: string): unknown => thrown(() => lockPidFile(libc, file(name), process.pid)).code;
    mkdirSync(file('directory'));
    expect(code('directory')).to.equal('EISDIR');
    writeFileSync(file('target'), 'text');
    symlinkSync('target', file('link'));
    expect(code('link')).to.equal('ELOOP');
    symlinkSync('nowhere', file('dangling'));
    expect(code('dangling')).to.equal('ELOOP');
    spawnSync('mkfifo', [file('pipe')]);
    expect(code('pipe')).to.equal('EINVAL');
    expect(code('none/a.pid')).to.equal('ENOENT');
    expect(readFileSync(file('target'), 'utf8')).to.equal('text');
    expect(existsSync(file('nowhere'))).to.equal(false);
    expect(openDescriptors()).to.equal(before);
  });

  it('is not kept, and the file is not left, where the pid cannot be written', () => {
    // A limit of the size of files: SIGXFSZ is ignored by Node.
    const script = `
      require('ts-node').register({ transpileOnly: true });
      const { lockPidFile } = require(${JSON.stringify(require.resolve('../src/pidfile/acquire'))});
      const { libcThrough } = require(${JSON.stringify(require.resolve('../src/libc'))});
      try { lockPidFile(libcThrough('koffi'), process.argv[1], process.pid); }
      catch (error) { process.exitCode = error.code === 'EFBIG' && error.path === process.argv[1] ? 3 : 4; }`;
    const node = [process.execPath, ...process.execArgv, '-e', script, file()];
    const { status, stderr } = spawnSync('sh', ['-c', 'ulimit -f 0 && exec "$@"', 'sh', ...node], {
      encoding: 'utf8',
    });
    expect([status, stderr]).to.deep.equal([3, '']);
    expect(existsSync(file())).to.equal(false);
  });
});

describe('a pid file that is given back', () => {
  const file = pidFiles();
  afterEach(endLockers);

  const libc = libcThrough(chosenDriver(undefined));
  it('is left where another one took its place', () => {
    const fd = lockPidFile(libc, file(), process.pid);
    renameSync(file(), file('away'));
    writeFileSync(file(), '123');
    unlockPidFile(file(), fd);
    expect(readFileSync(file(), 'utf8')).to.equal('123');
  });

  it('need not be there any more', () => {
    const before = openDescriptors();
    const fd = lockPidFile(libc, file(), process.pid);
    unlinkSync(file());
    unlockPidFile(file(), fd);
    expect(openDescriptors()).to.equal(before);
  });
});

describe('a pid file that nobody has', () => {
  const file = pidFiles();
  afterEach(endLockers);

  const libc = libcThrough(chosenDriver(undefined));
  it('is removed by who started the process that left it, and only if it is that one’s', () => {
    writeFileSync(file(), '99999999');
    discardPidFile(libc, file(), 1234);
    expect(existsSync(file())).to.equal(true);
    discardPidFile(libc, file(), 99999999);
    expect(existsSync(file())).to.equal(false);
    discardPidFile(libc, file(), 99999999);
  });

  it('is left if somebody has it by now, and is marked while it is removed', async () => {
    const { pid, end } = await pythonLocker(file());
    discardPidFile(libc, file(), pid);
    expect(readFileSync(file(), 'utf8')).to.equal(String(pid));
    await end();
    linkSync(file(), file('other-name'));
    discardPidFile(libc, file(), pid);
    expect(existsSync(file())).to.equal(false);
    expect(readFileSync(file('other-name'), 'utf8')).to.equal('0');
  });

  it('is removed while somebody reads it under a lock, which nobody who has it lets him', async () => {
    await pythonLocker(file(), { kind: 'read', text: '99999999' });
    linkSync(file(), file('other-name'));
    expect(discardPidFile(libc, file(), 99999999)).to.deep.equal({ state: 'removed' });
    expect(existsSync(file())).to.equal(false);
    expect(readFileSync(file('other-name'), 'utf8')).to.equal('0');
  });

  it('is looked at again if another one took its place while it was read under a lock', async () => {
    await pythonLocker(file(), { kind: 'read', text: '99999999' });
    let tried = 0;
    const racing = spied(libc, (command) => {
      if (command !== LINUX.F_SETLK || ++tried !== 2) return;
      writeFileSync(file('new'), '99999998');
      renameSync(file('new'), file());
    });
    expect(discardPidFile(racing, file(), 99999999)).to.deep.equal({ state: 'kept' });
    expect([tried, readFileSync(file(), 'utf8')]).to.deep.equal([2, '99999998']);
  });

  it('is looked at again if another one took its place, or another pid its own', () => {
    writeFileSync(file(), '99999999');
    let rounds = 0;
    const racing = spied(libc, (command) => {
      if (command !== LINUX.F_SETLK) return;
      if (++rounds === 1) {
        writeFileSync(file('new'), '99999998');
        renameSync(file('new'), file());
      }
      if (rounds === 2) writeFileSync(file(), '99999997');
    });
    const seen: string[] = [];
    const { state } = removeIfFree(racing, file(), (text) => {
      seen.push(text);
      return text !== '99999997';
    });
    expect([state, seen]).to.deep.equal(['kept', ['99999999', '99999998', '99999997']]);
  });

  it('is not taken from this process itself', () => {
    const fd = lockPidFile(libc, file(), process.pid);
    expect(thrown(() => removeIfFree(libc, file(), () => true)).code).to.equal('EDEADLK');
    expect(seenFromPython(file())).to.match(/refused/);
    unlockPidFile(file(), fd);
  });
});
