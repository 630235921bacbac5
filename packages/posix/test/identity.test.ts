/** Who this process is, as the kernel says: beside what Node says. */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { Identities } from '../src/identity';
import { libcThrough } from '../src/libc';
import { usableDrivers } from './drivers';
import { openFds } from './plans';

for (const driver of usableDrivers) {
  describe(`who this process is, with the driver ${driver}`, () => {
    const libc = libcThrough(driver);
    let umask = 0;
    beforeEach(() => {
      umask = process.umask(0o26);
    });
    afterEach(() => {
      process.umask(umask);
    });

    it('is what Node says, asked once or while it is held', () => {
      const identities = new Identities(libc);
      const { getuid, geteuid, getgid, getegid } = process;
      const user = `user ${getuid?.()}/${geteuid?.()}, group ${getgid?.()}/${getegid?.()}, groups `;
      const check = (): void => {
        const now = identities.now();
        expect(now.user.slice(0, user.length)).to.equal(user);
        expect(now).to.include({ euid: geteuid?.(), egid: getegid?.(), umask: 0o26 });
      };
      check();
      identities.hold();
      check();
      identities.release();
    });

    it('is that of each moment', () => {
      const identities = new Identities(libc);
      identities.hold();
      for (const mask of [0o27, 0, 0o777, 0o27]) {
        process.umask(mask);
        expect(identities.now().umask).to.equal(mask);
      }
      identities.release();
    });

    it('has the groups of the moment, also more and fewer of them', function () {
      if (process.geteuid?.() !== 0) this.skip();
      const identities = new Identities(libc);
      // Node adds the group of the process to those that it tells.
      const [, said = ''] = /^Groups:\t(.*)$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
      const before = said.split(' ').filter(Boolean).map(Number);
      identities.hold();
      try {
        for (const groups of [
          [1],
          [1, 2],
          [1],
          [],
          Array.from({ length: 2000 }, (_, index) => 70_000 + index),
          [12],
          [1],
        ]) {
          process.setgroups?.(groups);
          const { user } = identities.now();
          if (groups.length < 100) expect(user).to.match(new RegExp(`groups ${groups.join()}$`));
          else expect(user).to.contain(`groups ${groups.slice(0, 100).join()},`);
        }
      } finally {
        process.setgroups?.(before);
        identities.release();
      }
    });

    it('tells of rights of somebody else', function () {
      if (process.geteuid?.() !== 0) this.skip();
      const identities = new Identities(libc);
      process.setegid?.(65_533);
      try {
        expect(identities.now()).to.include({ egid: 65_533, actsAsAnother: true });
      } finally {
        process.setegid?.(0);
      }
      expect(identities.now()).to.include({ egid: 0, actsAsAnother: false });
    });

    it('leaves no descriptor, also if two ask for it', () => {
      const identities = new Identities(libc);
      const before = openFds();
      identities.hold();
      identities.hold();
      identities.now();
      expect(openFds().length).to.equal(before.length + 1);
      identities.release();
      identities.now();
      identities.release();
      expect(openFds()).to.deep.equal(before);
    });
  });
}
