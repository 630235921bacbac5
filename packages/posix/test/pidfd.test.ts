import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { expect } from 'chai';
import type { Libc } from '../src/libc';
import { openPidfd, waitForDeath } from '../src/pidfd';
import { onEachDriver } from './drivers';
import { stateOf } from './started';

onEachDriver((libc) => {
  describe('a pidfd', () => {
    it('is waited for until the process is dead, whatever signals come meanwhile', async () => {
      const waitedFor = spawn('sleep', ['1']);
      const { pid = 0 } = waitedFor;
      const ended = once(waitedFor, 'exit');
      const pidfd = openPidfd(libc, pid);
      expect(pidfd).to.be.above(2);
      // Their ends are signals that come while this thread waits.
      for (const delay of [0.1, 0.2, 0.3]) spawn('sleep', [String(delay)]);
      expect(waitForDeath(libc, pidfd, 0)).to.equal(false);
      expect(waitForDeath(libc, pidfd, 60_000)).to.equal(true);
      expect(stateOf(pid)).to.equal('Z');
      libc.close(pidfd);
      await ended;
    });

    it('is waited for by whole milliseconds: libc takes no others', () => {
      const waits: number[] = [];
      const poll: Libc['poll'] = (_set, _count, ms) => {
        waits.push(ms);
        return waits.length === 1 ? -constants.errno.EINTR : 0;
      };
      expect(waitForDeath({ ...libc, poll }, -1, 10.5)).to.equal(false);
      expect([waits[0], waits.length, waits.every(Number.isInteger)]).to.deep.equal([11, 2, true]);
    });

    it('that there is not is time that passes', () => {
      expect(waitForDeath(libc, openPidfd(libc, 0x7fffffff), 1)).to.equal(false);
    });
  });
});
