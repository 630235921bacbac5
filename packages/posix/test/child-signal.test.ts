/** Native code makes the kernel throw exit statuses away. */
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { bindCommand } from '@vircommand/core/backend';
import { createPosixBackend } from '../src';
import { SIGACTION, SIZE } from '../src/struct';
import { onEachDriver } from './drivers';
import { until } from './started';

const SIGCHLD = 17;
const SIG_IGN = 1;
const SA_NOCLDWAIT = 2;
const kept = { check: false } as const;

describe('SIGCHLD that native code', () => {
  onEachDriver((libc, driver) => {
    const Command = bindCommand(createPosixBackend({ driver }));
    const exiting = () => new Command('sh', ['-c', 'exit 3']);
    const before = Buffer.alloc(SIZE.sigaction);
    const action = (): Buffer => {
      const now = Buffer.alloc(SIZE.sigaction);
      libc.sigaction(SIGCHLD, null, now);
      return now;
    };
    const ways = {
      ignores() {
        const ignored = Buffer.alloc(SIZE.sigaction);
        ignored.writeInt32LE(SIG_IGN);
        libc.sigaction(SIGCHLD, ignored, null);
      },
      'leaves no zombies for'() {
        const now = action();
        now.writeInt32LE(now.readInt32LE(SIGACTION.flags) | SA_NOCLDWAIT, SIGACTION.flags);
        libc.sigaction(SIGCHLD, now, null);
      },
    };

    beforeEach(() => {
      libc.sigaction(SIGCHLD, null, before);
    });
    afterEach(async () => {
      await until(() => process.listenerCount('SIGCHLD') === 0);
      libc.sigaction(SIGCHLD, before, null);
    });

    for (const [name, change] of Object.entries(ways)) {
      it(`${name} before a start takes no exit status away`, async () => {
        change();
        expect(exiting().runSync(kept).exitCode).to.equal(3);
        for (let round = 0; round < 3; round++) {
          // From the second on while ours is listened to still.
          change();
          expect((await exiting().run(kept)).exitCode).to.equal(3);
        }
        change();
        const burst = Array.from({ length: 30 }, () => exiting().run(kept));
        expect(new Set((await Promise.all(burst)).map(({ exitCode }) => exitCode))).to.deep.equal(new Set([3]));
        change();
        expect((await exiting().setMaxFiles(64).run(kept)).exitCode).to.equal(3);
        change();
        expect(exiting().setMaxFiles(64).runSync(kept).exitCode).to.equal(3);
      });
    }

    it('ignores while Node listens to it for others takes no exit status away', async () => {
      const listener = (): void => undefined;
      process.on('SIGCHLD', listener);
      const theirs = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
      const handled = action();
      try {
        ways.ignores();
        expect((await exiting().run(kept)).exitCode).to.equal(3);
        ways.ignores();
        const running = await new Command('cat', [], { stdin: 'pipe' }).runAsync(kept);
        ways.ignores();
        expect((await exiting().run(kept)).exitCode).to.equal(3);
        running.stdin.end();
        expect((await running.wait()).exitCode).to.equal(0);
      } finally {
        libc.sigaction(SIGCHLD, handled, null);
        process.removeListener('SIGCHLD', listener);
        theirs.stdin.end();
        await new Promise((resolve) => theirs.once('exit', resolve));
      }
    });

    it('handles is left as it is', async () => {
      const listener = (): void => undefined;
      process.on('SIGCHLD', listener);
      try {
        // libc leaves what it does not use of the mask as it finds it.
        const handlerAndFlags = () => [action().readBigUInt64LE(), action().readInt32LE(SIGACTION.flags)];
        const handled = handlerAndFlags();
        expect((await exiting().run(kept)).exitCode).to.equal(3);
        expect(exiting().runSync(kept).exitCode).to.equal(3);
        expect(handlerAndFlags()).to.deep.equal(handled);
      } finally {
        process.removeListener('SIGCHLD', listener);
      }
    });
  });
});
