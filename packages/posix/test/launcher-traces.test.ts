/**
 * The launcher leaves no trace in the program: what the kernel shows of a process that was started by it is what it shows
 * of one that was started directly.
 */
import { closeSync, openSync } from 'node:fs';
import { expect } from 'chai';
import type { LaunchPlan } from '@vircommand/core/backend';
import { launch } from '../src/launcher/start';
import type { Libc } from '../src/libc';
import { LINUX } from '../src/linux';
import { startProcess } from '../src/spawn';
import { onEachDriver } from './drivers';
import { facts } from './facts';
import { finish, planOf } from './plans';

onEachDriver((libc: Libc) => {
  describe('a program that the launcher has started', () => {
    async function compare(plan: LaunchPlan): Promise<void> {
      const started = startProcess(plan, libc);
      const handle = await launch(plan, libc);
      try {
        expect(facts(handle.pid ?? 0)).to.deep.equal(facts(started.pid));
      } finally {
        finish(started, libc);
        handle.dispose();
      }
    }

    it('has nothing of it, and nothing less than one that was started directly', async () => {
      await compare(planOf({ argv: ['other name', '1000'] }));
    });

    it('nor with descriptors, an environment, a directory and a session of its own', async () => {
      const file = openSync('/etc/passwd', 'r');
      const pair = Buffer.alloc(8);
      libc.pipe2(pair, LINUX.O_CLOEXEC);
      const [read, write] = [pair.readInt32LE(0), pair.readInt32LE(4)];
      try {
        const passFds = [
          { fd: 0, as: 1000 },
          { fd: read, as: 4 },
          { fd: write, as: 3 },
        ];
        const stdin = { type: 'fd', fd: file } as const;
        await compare(
          planOf({
            env: [['A', 'b']],
            cwd: '/usr',
            group: 'session',
            stdin,
            passFds,
            stderr: { type: 'fd', fd: write },
          }),
        );
      } finally {
        for (const fd of [file, read, write]) closeSync(fd);
      }
    });
  });
});
