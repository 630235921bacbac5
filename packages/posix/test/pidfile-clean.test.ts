import { CommandUsageError } from '@vircommand/core';
import { expect } from 'chai';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { mock } from 'node:test';
import { chosenDriver } from '../src/ffi';
import { libcThrough, type Libc } from '../src/libc';
import { LINUX } from '../src/linux';
import { acquirePath, forceCleanupPath, type Cleanup, type PidFileError } from '../src/pidfile';
import { forceCleanup } from '../src/pidfile/clean';
import { onEachDriver } from './drivers';
import { endLockers, isReader, locker, pidFiles, pythonLocker, reader, seenFromPython } from './lockers';
import { openDescriptors, pidsWith, stateOf, statOf, until } from './started';

async function rejected(promise: Promise<unknown>): Promise<PidFileError> {
  try {
    await promise;
  } catch (error) {
    return error as PidFileError;
  }
  throw new Error('it was not rejected');
}

/** Whether a process waits for a lock. */
const waits = (pid: number): boolean =>
  new RegExp(`-> POSIX +ADVISORY +READ ${pid} `).test(readFileSync('/proc/locks', 'latin1'));

const nobody: Cleanup = { pid: undefined, signal: undefined, removed: true };

describe('cleaning up a pid file by force', () => {
  const file = pidFiles();
  afterEach(endLockers);

  onEachDriver((libc) => {
    it('ends the process that has it, and removes it', async () => {
      const { pid, ended } = await pythonLocker(file());
      const before = openDescriptors();
      expect(await forceCleanup(libc, file(), {})).to.deep.equal({ pid, signal: 'SIGTERM', removed: true });
      expect(await ended).to.equal('SIGTERM');
      expect(existsSync(file())).to.equal(false);
      await until(() => openDescriptors() <= before);
    });

    it('kills one that ignores SIGTERM, after killDelay', async () => {
      const { pid, ended } = await pythonLocker(file(), { kind: 'stubborn' });
      const begun = performance.now();
      const options = { killDelay: 100 };
      expect(await forceCleanup(libc, file(), options)).to.deep.equal({ pid, signal: 'SIGKILL', removed: true });
      expect(performance.now() - begun).to.be.at.least(99);
      expect(await ended).to.equal('SIGKILL');
      expect(existsSync(file())).to.equal(false);
    });
  });

  it('removes the file under the lock of a reader, who waited for the end of the process', async () => {
    const { pid } = await pythonLocker(file());
    const waiting = await reader(file());
    await until(() => waits(waiting.pid));
    const libc = libcThrough(chosenDriver(undefined));
    const late: Libc = {
      ...libc,
      fcntl(fd, command, argument) {
        // It gets the lock a moment after the end.
        const limit = performance.now() + 10_000;
        while (stateOf(pid) !== 'S' && !isReader(waiting.pid) && performance.now() < limit);
        return libc.fcntl(fd, command, argument);
      },
    };
    expect(await forceCleanup(late, file(), {})).to.deep.equal({ pid, signal: 'SIGTERM', removed: true });
    expect([existsSync(file()), isReader(waiting.pid)]).to.deep.equal([false, true]);
    expect(await forceCleanupPath(file())).to.deep.equal({ ...nobody, removed: false });
  });

  it('does not signal a reader whose number is in the file', async () => {
    const { pid } = await pythonLocker(file(), { kind: 'read' });
    expect(await forceCleanupPath(file())).to.deep.equal(nobody);
    expect(existsSync(file())).to.equal(false);
    expect(stateOf(pid)).to.be.oneOf(['R', 'S', 'D']);
  });

  it('kills one at once if there is no delay', async () => {
    const { pid } = await pythonLocker(file(), { kind: 'stubborn' });
    expect(await forceCleanupPath(file(), { killDelay: 0 })).to.deep.equal({ pid, signal: 'SIGKILL', removed: true });
  });

  it('takes the time that it needs, also where time was faked when this was loaded', async () => {
    const { pid } = await pythonLocker(file(), { kind: 'stubborn' });
    const load = createRequire(__filename);
    const name = load.resolve('../src/pidfile/clean');
    const before = load.cache[name];
    Reflect.deleteProperty(load.cache, name);
    mock.timers.enable({ apis: ['setTimeout'] });
    const { forceCleanup: late } = load(name) as typeof import('../src/pidfile/clean');
    mock.timers.reset();
    load.cache[name] = before;
    const libc = libcThrough(chosenDriver(undefined));
    expect(await late(libc, file(), { killDelay: 1 })).to.deep.equal({ pid, signal: 'SIGKILL', removed: true });
  });

  it('refuses options that are wrong or that there are not, and ends nobody', async () => {
    const { pid } = await pythonLocker(file());
    const wrong: [options: object, reason: RegExp][] = [
      [{ killDelay: -1 }, /^option 'killDelay' must be a number of milliseconds, 0 or more, not the number -1$/],
      [{ timeout: Infinity }, /^option 'timeout' must be a number of milliseconds/],
      [{ group: 'no' }, /^option 'group' must be a boolean, not the string 'no'$/],
      [{ executable: 'dnsmasq' }, /^option 'executable' must be an absolute path, not the string 'dnsmasq'$/],
      [{ killdelay: 1 }, /^there is no option 'killdelay'; did you mean 'killDelay'\?$/],
    ];
    for (const [options, reason] of wrong) {
      const error: unknown = await rejected(forceCleanupPath(file(), options));
      if (!(error instanceof CommandUsageError)) throw error;
      expect(error.reason).to.match(reason);
    }
    expect(stateOf(pid)).to.not.equal(undefined);
    expect(existsSync(file())).to.equal(true);
  });

  it('takes no option from a polluted prototype', async () => {
    const { pid } = await pythonLocker(file());
    // The process is in the group of this one, which would be refused.
    Reflect.set(Object.prototype, 'group', true);
    const done = forceCleanupPath(file(), {});
    Reflect.deleteProperty(Object.prototype, 'group');
    expect(await done).to.deep.equal({ pid, signal: 'SIGTERM', removed: true });
  });

  it('ends one that is stopped politely', async () => {
    const { pid, process: child } = await pythonLocker(file());
    child.kill('SIGSTOP');
    await until(() => stateOf(pid) === 'T');
    expect(await forceCleanupPath(file())).to.deep.equal({ pid, signal: 'SIGTERM', removed: true });
  });

  for (const [what, text] of Object.entries({ stale: '99999999', empty: '', garbage: 'no\npid', negative: '-1' })) {
    it(`removes a file that nobody has: ${what}`, async () => {
      writeFileSync(file(), text);
      expect(await forceCleanupPath(file())).to.deep.equal(nobody);
      expect(existsSync(file())).to.equal(false);
    });
  }

  it('does nothing without a file', async () => {
    expect(await forceCleanupPath(file())).to.deep.equal({ ...nobody, removed: false });
  });

  it('does not signal a process that is named but has not locked the file', async () => {
    const stranger = await pythonLocker(file('other'));
    writeFileSync(file(), String(stranger.pid));
    expect(await forceCleanupPath(file())).to.deep.equal(nobody);
    expect(seenFromPython(file('other'))).to.contain(`pid ${stranger.pid}`);
  });

  it('is done when the process is dead, though nobody reaps it', async () => {
    // Its parent, another program, waits for nothing.
    const script = path.join(__dirname, 'programs', 'locker.py');
    const parent = spawn('sh', ['-c', 'exec 3<&0; python3 "$0" "$1" self <&3 & exec sleep 1000', script, file()], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(parent.stdout, 'data');
    const pid = Number(readFileSync(file(), 'latin1'));
    expect(await forceCleanupPath(file())).to.deep.equal({ pid, signal: 'SIGTERM', removed: true });
    expect(stateOf(pid)).to.equal('Z');
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  });

  it('refuses a file that this process itself has, and keeps it locked', async () => {
    const acquired = acquirePath(file());
    expect((await rejected(forceCleanupPath(file()))).code).to.equal('EDEADLK');
    expect(seenFromPython(file())).to.contain('refused');
    acquired.release();
  });

  it('refuses a symbolic link, whoever has what it leads to', async () => {
    const { pid } = await pythonLocker(file());
    symlinkSync('a.pid', file('link'));
    expect((await rejected(forceCleanupPath(file('link')))).code).to.equal('ELOOP');
    expect(stateOf(pid)).to.not.equal(undefined);
  });

  it('ends nobody whose number is not in the file, and says who has it', async () => {
    const { pid } = await pythonLocker(file(), { text: '' });
    const error = await rejected(forceCleanupPath(file()));
    expect(error).to.include({ code: 'EAGAIN', owner: pid, path: file() });
    expect(stateOf(pid)).to.not.equal(undefined);
  });

  it('waits for one who is just starting', async () => {
    const { pid } = await pythonLocker(file(), { text: '' });
    let asked = 0;
    const libc = libcThrough(chosenDriver(undefined));
    const observed: Libc = {
      ...libc,
      fcntl(fd, command, argument) {
        if (++asked === 4) spawnSync('sh', ['-c', `printf %s ${pid} > "$0"`, file()]);
        return libc.fcntl(fd, command, argument);
      },
    };
    expect(await forceCleanup(observed, file(), {})).to.deep.equal({ pid, signal: 'SIGTERM', removed: true });
  });

  it('leaves the file to another one who has it afterwards', async () => {
    const script = path.join(__dirname, 'programs', 'locker.py');
    const first = await pythonLocker(file());
    const libc = libcThrough(chosenDriver(undefined));
    let successor = 0;
    const racing: Libc = {
      ...libc,
      poll(...args) {
        const result = libc.poll(...args);
        if (result > 0 && successor === 0) {
          const next = spawn('python3', [script, file(), 'self'], { stdio: ['pipe', 'pipe', 'inherit'] });
          successor = next.pid ?? 0;
          spawnSync('sh', ['-c', `until [ "$(cat "$0")" = ${successor} ]; do sleep 0.01; done`, file()]);
        }
        return result;
      },
    };
    const done = await forceCleanup(racing, file(), {});
    expect(done).to.deep.equal({ pid: first.pid, signal: 'SIGTERM', removed: false });
    expect(readFileSync(file(), 'latin1')).to.equal(String(successor));
    expect((await forceCleanupPath(file())).pid).to.equal(successor);
  });

  it('says so when the process outlives SIGKILL, and leaves the file', async () => {
    const { pid } = await pythonLocker(file());
    const libc = libcThrough(chosenDriver(undefined));
    const immortal: Libc = { ...libc, poll: () => 0 };
    const before = openDescriptors();
    const error = await rejected(forceCleanup(immortal, file(), { killDelay: 0, timeout: 20 }));
    expect(error).to.include({ code: 'ETIMEDOUT', path: file() });
    expect(error.message).to.contain(String(pid));
    expect(existsSync(file())).to.equal(true);
    await until(() => openDescriptors() <= before);
  });

  it('says so when the process may not be signalled, and leaves the file', async () => {
    const { pid } = await pythonLocker(file());
    const libc = libcThrough(chosenDriver(undefined));
    const weak: Libc = {
      ...libc,
      syscall: (number, ...rest) => (number === LINUX.SYS_pidfd_send_signal ? -1 : libc.syscall(number, ...rest)),
    };
    const before = openDescriptors();
    const error = await rejected(forceCleanup(weak, file(), {}));
    expect(error.code).to.equal('EPERM');
    expect(error.message).to.contain(`pid ${pid}`);
    expect(openDescriptors()).to.equal(before);
    expect(seenFromPython(file())).to.contain(`pid ${pid} from`);
  });

  describe('with its group', () => {
    /** By it the rest of the group is found. */
    const seconds = `2${process.pid}`;
    const forks = async (): Promise<{ readonly pid: number; readonly member: number }> => {
      const { pid } = await pythonLocker(file(), { kind: 'forks', seconds, detached: true });
      const member = (): number | undefined =>
        pidsWith(seconds).find((each) => each !== pid && statOf(each)?.group === pid);
      await until(() => member() !== undefined);
      return { pid, member: member() ?? 0 };
    };
    afterEach(async () => {
      for (const pid of pidsWith(seconds)) process.kill(pid, 'SIGKILL');
      await until(() => pidsWith(seconds).length === 0);
    });

    it('ends all of the process group, also those that outlive the first', async () => {
      const { pid, member } = await forks();
      const done = await forceCleanupPath(file(), { group: true, killDelay: 50 });
      expect(done).to.deep.equal({ pid, signal: 'SIGKILL', removed: true });
      expect(stateOf(member)).to.be.oneOf([undefined, 'Z']);
    });

    it('leaves the rest of the group where it was not asked to end that', async () => {
      const { member } = await forks();
      await forceCleanupPath(file(), { killDelay: 0 });
      expect(stateOf(member)).to.not.be.oneOf([undefined, 'Z']);
    });

    it('refuses a process in the group of this one', async () => {
      const { pid } = await pythonLocker(file());
      const before = openDescriptors();
      const error = await rejected(forceCleanupPath(file(), { group: true }));
      expect(error.code).to.equal('EPERM');
      expect(error.message).to.contain(`pid ${pid} is in the process group of this process`);
      expect(openDescriptors()).to.equal(before);
      expect(seenFromPython(file())).to.contain(`pid ${pid} from`);
    });
  });

  describe('of a program that loses its lock', () => {
    it('ends it if it runs that program, and nobody else', async () => {
      copyFileSync('/bin/cat', file('program'));
      const { pid, ended } = await locker('sh', ['-c', 'echo locked; exec "$0"', file('program')]);
      await until(() => readlinkSync(`/proc/${pid}/exe`) === file('program'));
      writeFileSync(file(), String(pid));
      expect(await forceCleanupPath(file(), { executable: '/bin/true' })).to.deep.equal(nobody);
      writeFileSync(file(), String(pid));
      const done = await forceCleanupPath(file(), { executable: file('program') });
      expect(done).to.deep.equal({ pid, signal: 'SIGTERM', removed: true });
      expect(await ended).to.equal('SIGTERM');
    });

    it('does not end this process itself', async () => {
      writeFileSync(file(), String(process.pid));
      const error = await rejected(forceCleanupPath(file(), { executable: process.execPath }));
      expect(error.code).to.equal('EPERM');
      expect(error.message).to.contain('this process');
    });
  });
});
