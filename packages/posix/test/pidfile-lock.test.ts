import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lockPidFile, unlockPidFile } from '../src/pidfile/acquire';
import { LINUX } from '../src/struct';
import { onEachDriver } from './drivers';

describe('the lock of a pid file', function () {
  this.timeout(30_000);

  let directory = '';
  beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), 'vircommand-pidfile-'))));
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  onEachDriver((libc) => {
    it('is seen by a foreign process, which finds the pid and is told the owner', () => {
      const file = path.join(directory, 'a.pid');
      const umask = process.umask(0);
      const fd = lockPidFile(libc, file, process.pid, { lowest: 50, inherit: true });
      try {
        process.umask(umask);
        expect(fd).to.be.at.least(50);
        expect(libc.fcntl(fd, LINUX.F_GETFD, 0)).to.equal(0);
        expect(statSync(file).mode & 0o777).to.equal(0o644);
        expect(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')).to.match(/^lock:.*POSIX .*WRITE/m);
        const script = `
import fcntl, os, struct, sys
fd = os.open(sys.argv[1], os.O_RDWR)
asked = fcntl.fcntl(fd, fcntl.F_GETLK, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 1, 0))
kind, whence, start, length, pid = struct.unpack('hhqqi4x', asked)
try:
    fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0)
    print('got it')
except OSError:
    print(start, length, pid, os.read(fd, 100).decode())`;
        const seen = execFileSync('python3', ['-c', script, file], { encoding: 'utf8' }).trim();
        expect(seen).to.equal(`0 1 ${process.pid} ${process.pid}`);
      } finally {
        unlockPidFile(file, fd);
      }
      expect(existsSync(file)).to.equal(false);
    });
  });
});
