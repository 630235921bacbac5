/** A launcher that does not come up, as where the limit of processes lets Node have too few threads: the start fails, and ends. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { CommandStartError } from '@vircommand/core';
import type { LaunchPlan } from '@vircommand/core/backend';
import { launch } from '../src/launcher/start';
import { launchAndWaitSync } from '../src/launcher/sync';
import { onEachDriver } from './drivers';
import { ownLaunchers } from './launchers';
import { openFds, planOf } from './plans';
import { nothingNew, syncRequest, until } from './started';

/** Milliseconds. No Node comes up in that time. */
const patience = 1;

/** Descriptors and children. */
const held = (): string[] => {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').split(' ');
  return [...openFds().map((fd) => `descriptor ${fd}`), ...children];
};

onEachDriver((libc) => {
  describe('a launcher that does not come up', () => {
    const launchers = ownLaunchers();
    let directory: string;
    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), 'launcher-silence-'));
    });
    afterEach(() => {
      rmSync(directory, { recursive: true });
    });

    const ways: [title: string, start: (plan: LaunchPlan) => unknown][] = [
      ['on the event loop', (plan) => launch(plan, libc, undefined, patience)],
      ['for who blocks it', (plan) => launchAndWaitSync(plan, syncRequest, libc, patience)],
    ];
    for (const [title, start] of ways) {
      for (const daemon of [false, true]) {
        it(`is an error, and nothing runs: a ${daemon ? 'daemon' : 'child'} ${title}`, async () => {
          const before = held();
          let error: unknown;
          let file = '';
          // Once more where this thread was stopped for longer than Node takes.
          for (let round = 0; error === undefined; round++) {
            file = join(directory, String(round));
            try {
              await start(planOf({ program: '/usr/bin/touch', argv: ['touch', file], daemon }));
            } catch (thrown) {
              error = thrown;
            }
          }
          expect(error).to.be.instanceOf(CommandStartError).and.include({ stage: 'fork', code: 'EAGAIN' });
          expect((error as CommandStartError).message).to.contain('RLIMIT_NPROC');
          // It does not come up later, when it would notice that nobody is there: one that hangs never does.
          for (let look = 0; look < 100; look++) {
            expect(launchers()).to.deep.equal([]);
            await new Promise((resolve) => setTimeout(resolve, 1));
          }
          // What watches for ends is closed a little later.
          await until(() => nothingNew(held(), before));
          expect(existsSync(file)).to.equal(false);
        });
      }
    }

    it('is not one that was slower than this thread was to listen', async () => {
      const starting = launch(planOf({ program: '/bin/true', argv: ['true'] }), libc, undefined, patience);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000);
      const handle = await starting;
      expect((await handle.exited).exitCode).to.equal(0);
      handle.dispose();
    });
  });
});
