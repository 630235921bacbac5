/** What a spawner thread does between an order and `posix_spawn`. */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { SpawnerLoop } from '../src/spawner/spawner';
import type { Order } from '../src/spawner/protocol';
import { SIZE } from '../src/struct';
import { onEachDriver } from './drivers';

describe('a spawner thread', () => {
  onEachDriver((libc) => {
    /** By which libc changes the ids of a thread (glibc 33, musl 34). */
    const idSignals = 0b11n << 32n;
    const blocked = (): boolean => {
      const set = /^SigBlk:\t(.*)/m.exec(readFileSync('/proc/thread-self/status', 'latin1'))?.[1];
      return (BigInt(`0x${set}`) & idSignals) === idSignals;
    };
    let looks: [what: string, blocked: boolean][];
    const memory = [4, SIZE.posixSpawnFileActions, SIZE.posixSpawnattr].map((size) => Buffer.allocUnsafeSlow(size));

    function serve(euid: number): void {
      // Asked for here, so that the memory stays referenced: an order has nothing but addresses of it.
      const [pid = 0, actions = 0, attributes = 0] = memory.map((bytes) => libc.driver.address(bytes));
      const plan = { path: 0, argv: 0, envp: 0, umask: undefined, hold: undefined };
      const order: Order = { ...plan, id: 1, pid, actions, attributes, euid, egid: libc.getegid() };
      const noted = (what: string, result: number): number => {
        looks.push([what, blocked()]);
        return result;
      };
      const spied = Object.assign(Object.create(libc) as typeof libc, {
        geteuid: () => noted('geteuid', libc.geteuid()),
        posix_spawn: () => noted('posix_spawn', 0),
      });
      new SpawnerLoop(spied).take({ type: 'orders', orders: [order] });
    }
    beforeEach(() => {
      looks = [];
    });

    it('lets nobody change who it is between its look and the start', () => {
      expect(blocked()).to.equal(false);
      serve(libc.geteuid());
      expect(looks).to.deep.equal([
        ['geteuid', true],
        ['posix_spawn', true],
      ]);
      expect(blocked()).to.equal(false);
    });

    it('starts nothing as somebody else', () => {
      serve(libc.geteuid() + 1);
      expect(looks).to.deep.equal([['geteuid', true]]);
      expect(blocked()).to.equal(false);
    });
  });
});
