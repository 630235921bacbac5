import { CommandUsageError } from '@vircommand/core';
import { expect } from 'chai';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, linkSync, readlinkSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { chosenDriver } from '../src/ffi';
import { libcThrough, type Libc } from '../src/libc';
import { LINUX } from '../src/linux';
import { readPath, readPathIfAlive, readPathIfLocked } from '../src/pidfile';
import { readIfAlive, readIfLocked, readPid } from '../src/pidfile/read';
import { onEachDriver } from './drivers';
import { endLockers, isReader, locker, pidFiles, pythonLocker, reader, thrown } from './lockers';
import { openDescriptors, stateOf, until } from './started';

/** A number that no process has: above the most that Linux gives out. */
const nobody = 99_999_999;

describe('reading a pid file', () => {
  const file = pidFiles();
  afterEach(endLockers);
  const holding = (text: string, name?: string): string => {
    writeFileSync(file(name), text, 'latin1');
    return file(name);
  };

  onEachDriver((libc) => {
    it('finds what a Python program wrote and locked, and takes no lock itself', async () => {
      const { pid, end } = await pythonLocker(file());
      const commands: number[] = [];
      const spied: Libc = {
        ...libc,
        fcntl: (fd, command, argument) => {
          commands.push(command);
          return libc.fcntl(fd, command, argument);
        },
      };
      expect(readPid(spied, file())).to.equal(pid);
      expect(readIfAlive(spied, file(), undefined)).to.equal(pid);
      expect(readIfLocked(spied, file(), undefined)).to.equal(pid);
      await end();
      expect(readPid(spied, file())).to.equal(pid);
      expect(readIfAlive(spied, file(), undefined)).to.equal(undefined);
      expect(readIfLocked(spied, file(), undefined)).to.equal(undefined);
      expect(new Set(commands)).to.deep.equal(new Set([LINUX.F_GETLK]));
    });
  });

  it('takes digits, and white space behind them', () => {
    expect(readPath(holding('1'))).to.equal(1);
    expect(readPath(holding('1234\n'))).to.equal(1234);
    expect(readPath(holding('2147483647 \r\n\t '))).to.equal(2_147_483_647);
  });

  for (const [what, text] of Object.entries({
    empty: '',
    'only white space': '\n',
    negative: '-1',
    'a number with a sign': '+12',
    zero: '0',
    'more than a pid can be': '2147483648',
    'far more': '123456789012345678901234567890',
    'a fraction': '1.5',
    hexadecimal: '0x10',
    'two numbers': '12 34',
    'a number with text': '12abc',
    'white space before it': ' 12',
    'with a NUL': '12\0',
    'a number and a mile of white space': `1${' '.repeat(100_000)}`,
    huge: '7'.repeat(5_000_000),
  })) {
    it(`refuses what is no pid: ${what}`, () => {
      const error = thrown(() => readPath(holding(text)));
      expect(error).to.include({ code: 'EINVAL', path: file() });
      expect(error.message.length).to.be.below(300);
    });
  }

  it('has the errors of Node for what cannot be read', () => {
    expect(thrown(() => readPath(file('none')))).to.include({ code: 'ENOENT', path: file('none') });
    expect(thrown(() => readPath(file('.'))).code).to.equal('EINVAL');
    spawnSync('mkfifo', [file('pipe')]);
    expect(thrown(() => readPath(file('pipe'))).code).to.equal('EINVAL');
  });

  it('follows symbolic links, as libvirt does', async () => {
    const { pid } = await pythonLocker(file());
    symlinkSync('a.pid', file('link'));
    expect([readPath(file('link')), readPathIfLocked(file('link'))]).to.deep.equal([pid, pid]);
  });

  it('does not tell what a symbolic link leads to, which others may not read', () => {
    holding('root:$6$salt$hash:', 'shadow');
    symlinkSync('shadow', file('link'));
    expect(thrown(() => readPath(file('shadow'))).message).to.contain('root:');
    for (const read of [readPath, readPathIfAlive, readPathIfLocked]) {
      const error = thrown(() => read(file('link')));
      expect(error.code).to.equal('EINVAL');
      expect(error.message).to.contain('it is a symbolic link to something').and.not.contain('root');
    }
  });

  it('leaves no descriptor', async () => {
    await pythonLocker(file());
    const before = openDescriptors();
    for (let round = 0; round < 20; round++) {
      readPathIfLocked(file(), { executable: process.execPath });
      readPathIfAlive(holding('bad', 'b.pid').replace('b.pid', 'none'));
      thrown(() => readPath(file('b.pid')));
      thrown(() => readPath(file('.')));
    }
    expect(openDescriptors()).to.equal(before);
  });

  describe('if the process is alive', () => {
    it('is undefined without a file, with nothing in it yet, and while it is removed', () => {
      expect(readPathIfAlive(file('none'))).to.equal(undefined);
      expect(readPathIfAlive(holding(''))).to.equal(undefined);
      expect(readPathIfAlive(holding('0'))).to.equal(undefined);
      expect(thrown(() => readPathIfAlive(holding('-1'))).code).to.equal('EINVAL');
    });

    it('tells the living from the dead', () => {
      expect(readPathIfAlive(holding(String(process.pid)))).to.equal(process.pid);
      expect(readPathIfAlive(holding(String(nobody)))).to.equal(undefined);
    });

    it('does not take a zombie for alive', async () => {
      // Its parent waits for the other child only.
      const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 1000'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      const zombie = Number(line.toString());
      await until(() => stateOf(zombie) === 'Z');
      expect(readPathIfAlive(holding(String(zombie)))).to.equal(undefined);
      parent.kill('SIGKILL');
      await once(parent, 'exit');
    });

    it('takes a process of another user for alive: EPERM is no death', function () {
      if (process.geteuid?.() !== 0) this.skip();
      const script = `
        require('ts-node').register({ transpileOnly: true });
        const { readPathIfAlive } = require(${JSON.stringify(require.resolve('../src/pidfile'))});
        readPathIfAlive(process.argv[1]);
        process.setgid(65534);
        process.setuid(65534);
        let code;
        try { process.kill(1, 0); } catch (error) { code = error.code; }
        console.log(String([code, readPathIfAlive(process.argv[1]), readPathIfAlive(process.argv[1], { executable: '/sbin/init' })]));`;
      const shared = `/tmp/vircommand-pidfile-${process.pid}`;
      writeFileSync(shared, '1');
      const seen = spawnSync(process.execPath, [...process.execArgv, '-e', script, shared], { encoding: 'utf8' });
      unlinkSync(shared);
      expect([seen.stdout, seen.stderr]).to.deep.equal(['EPERM,1,\n', '']);
    });

    it('asks which program it runs: by file, whatever its path', () => {
      const own = holding(String(process.pid));
      expect(readPathIfAlive(own, { executable: process.execPath })).to.equal(process.pid);
      expect(readPathIfAlive(own, { executable: '/bin/sh' })).to.equal(undefined);
      expect(readPathIfAlive(own, { executable: file('none') })).to.equal(undefined);
      symlinkSync(process.execPath, file('node-link'));
      expect(readPathIfAlive(own, { executable: file('node-link') })).to.equal(process.pid);
    });

    it('refuses options that are wrong or that there are not', () => {
      const own = holding(String(process.pid));
      for (const read of [readPathIfAlive, readPathIfLocked]) {
        const given = (options: object) => () => read(own, options);
        expect(given({ executable: 'node' })).to.throw(
          CommandUsageError,
          /must be an absolute path, not the string 'node'/,
        );
        expect(given({ exe: '/usr/bin/cat' })).to.throw(CommandUsageError, /no option 'exe'/);
      }
    });

    it('knows a program that was replaced or removed meanwhile', async () => {
      const program = file('program');
      const running = await runs(program);
      const executable = { executable: program };
      expect(readPathIfAlive(running, executable)).to.not.equal(undefined);
      copyFileSync('/bin/true', file('new'));
      renameSync(file('new'), program);
      expect(readPathIfAlive(running, executable), 'replaced').to.not.equal(undefined);
      expect(readPathIfAlive(running, { executable: '/bin/true' })).to.equal(undefined);
      unlinkSync(program);
      expect(readPathIfAlive(running, executable), 'removed').to.not.equal(undefined);
    });

    it('is not misled by a program whose name ends as the kernel marks a removed one', async () => {
      const program = file('program (deleted)');
      const running = await runs(program);
      copyFileSync('/bin/true', file('program'));
      expect(readPathIfAlive(running, { executable: file('program') })).to.equal(undefined);
      expect(readPathIfAlive(running, { executable: program })).to.not.equal(undefined);
      // The kernel's mark on top of the name's own end.
      unlinkSync(program);
      expect(readPathIfAlive(running, { executable: file('program') })).to.equal(undefined);
      expect(readPathIfAlive(running, { executable: program })).to.not.equal(undefined);
    });

    it('does not cut ten characters off a name that has no such end', async () => {
      const running = await runs(file('program-123456789'));
      copyFileSync('/bin/true', file('program'));
      expect(readPathIfAlive(running, { executable: file('program') })).to.equal(undefined);
    });

    /** A copy of `cat`, run; and a file with its number. */
    async function runs(program: string): Promise<string> {
      copyFileSync('/bin/cat', program);
      const { pid } = await locker('sh', ['-c', 'echo locked; exec "$0"', program]);
      await until(() => readlinkSync(`/proc/${pid}/exe`).startsWith(program));
      return holding(String(pid), 'running.pid');
    }
  });

  describe('if it is locked', () => {
    it('is undefined for a file that is not, whoever lives', () => {
      expect(readPathIfLocked(holding(String(process.pid)))).to.equal(undefined);
      expect(readPathIfLocked(file('none'))).to.equal(undefined);
      expect(readPathIfLocked(holding(''))).to.equal(undefined);
      expect(thrown(() => readPathIfLocked(holding('garbage'))).code).to.equal('EINVAL');
    });

    it('is undefined for a lock in passing: its owner is not who the file names', async () => {
      await pythonLocker(file(), { text: String(process.pid) });
      expect(readPathIfLocked(file())).to.equal(undefined);
      await pythonLocker(file('starts'), { text: '' });
      expect(readPathIfLocked(file('starts'))).to.equal(undefined);
    });

    it('is undefined for who has it locked for reading only, as everybody may, whatever the file names', async () => {
      const { pid } = await reader(holding(String(nobody)));
      await until(() => isReader(pid));
      expect(readPathIfLocked(file())).to.equal(undefined);
      writeFileSync(file(), String(pid));
      expect(readPathIfLocked(file())).to.equal(undefined);
      expect(readPathIfAlive(file())).to.equal(pid);
    });

    it('asks which program it runs', async () => {
      const { pid } = await pythonLocker(file());
      const executable = readlinkSync(`/proc/${pid}/exe`);
      expect(readPathIfLocked(file(), { executable })).to.equal(pid);
      expect(readPathIfLocked(file(), { executable: process.execPath })).to.equal(undefined);
    });

    it('believes the file where the lock has no owner, as that of an open file description', async () => {
      const script = `
import fcntl, os, struct, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.fcntl(fd, 37, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 1, 0))
os.write(fd, str(os.getpid()).encode())
print('locked', flush=True)
sys.stdin.read()`;
      const { pid } = await locker('python3', ['-c', script, file()]);
      expect(readPathIfLocked(file())).to.equal(pid);
    });

    it('is no different by another name of the same file', async () => {
      const { pid } = await pythonLocker(file());
      linkSync(file(), file('other'));
      expect(readPathIfLocked(file('other'))).to.equal(pid);
    });
  });

  it('says what is needed where the kernel has no pidfds', () => {
    const libc = libcThrough(chosenDriver(undefined));
    const old: Libc = {
      ...libc,
      syscall: (number, ...rest) => (number === LINUX.SYS_pidfd_open ? -38 : libc.syscall(number, ...rest)),
    };
    const error = thrown(() => readIfAlive(old, holding('1'), undefined));
    expect(error.code).to.equal('ENOSYS');
    expect(error.message).to.contain('Linux 5.3');
  });
});
