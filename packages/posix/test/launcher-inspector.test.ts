/** While it has the user of the program and capabilities of the caller, the launcher may be signalled by that user. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { expect } from 'chai';
import { Command } from '@vircommand/posix';
import { look } from './plans';

const nobody = 65_534;
const SIGUSR1 = 1n << 9n;

const sockets = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`)
    .map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
    .filter((link) => link.startsWith('socket:'));

describe('the user that a launcher has become', () => {
  before(function () {
    if (process.getuid?.() !== 0) this.skip();
  });

  it('may signal it, and opens no inspector by that', async () => {
    const options = { uid: nobody, gid: nobody, capabilities: { allow: ['CAP_KILL'] }, handshake: true } as const;
    const running = await new Command('sleep', ['1000'], options).runAsync();
    const { pid = 0 } = running;
    try {
      for (let round = 0; round < 20; round++) {
        const attack = spawnSync('/bin/kill', ['-USR1', String(pid)], { uid: nobody, gid: nobody });
        expect(attack.status, attack.stderr.toString()).to.equal(0);
      }
      const held = look(pid);
      // A handler would open it now or later, and the default would end the process.
      expect([held.ignored & SIGUSR1, held.caught & SIGUSR1, sockets(pid)]).to.deep.equal([SIGUSR1, 0n, []]);
      await running.handshakeNotify();
      const program = look(pid);
      expect([program.ignored, program.caught, program.argv.toString()]).to.deep.equal([0n, 0n, 'sleep\x001000\x00']);
    } finally {
      await running.abort({ killDelay: 0 });
      await running.wait().catch(() => undefined);
    }
  });
});
