/** What a program may do, and how much of the machine it may use. */
import * as assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { CommandStartError, type Command } from '@vircommand/core';
import type { CaseContext } from '../types';
import { group, words } from './define';

// Of nobody's, so that nothing else has them.
const uid = 31_234;
const gid = 31_567;

/** CAP_SETGID and CAP_SETUID. */
const setIds = (1n << 6n) | (1n << 7n);

/** Another user must be able to read the program under test. */
async function needReadable(t: CaseContext): Promise<void> {
  const { exitCode } = await t.helper('exit:0').setUid(uid).run({ check: false });
  if (exitCode !== 0) t.notChecked('other users may not read the program under test');
}

/** What an instruction writes. */
const seen = async (command: Command): Promise<string> => (await command.setOutputBuffer().run()).stdout.trim();

/** A field of our own /proc/self/status. */
const own = (field: string): string =>
  new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(readFileSync('/proc/self/status', 'latin1'))?.[1]?.trim() ?? '';

const ownLimit = (title: string): string[] =>
  words(readFileSync('/proc/self/limits', 'latin1').split(title)[1]?.split('\n')[0] ?? '').slice(0, 2);

const four = (id: number): string => [id, id, id, id].join(' ');

export const idCases = group('ids', { requires: ['uid-gid'], needs: ['root', 'linux'] }, [
  {
    id: 'both',
    title: 'a program runs with the user and the group that were said, in all four kinds',
    why: 'A saved id is a way back to the old rights.',
    twin: true,
    async run(t, run) {
      await needReadable(t);
      const { stdout } = await run(t.helper('uid', 'gid').setUid(uid).setGid(gid).setOutputBuffer());
      assert.deepEqual(stdout.trim().split('\n'), [four(uid), four(gid)]);
    },
  },
  {
    id: 'one',
    title: 'the user or the group alone can be changed',
    why: 'What was not said stays.',
    async run(t) {
      await needReadable(t);
      assert.equal(await seen(t.helper('uid', 'gid').setUid(uid)), `${four(uid)}\n${words(own('Gid')).join(' ')}`);
      assert.equal(await seen(t.helper('uid', 'gid').setGid(gid)), `${words(own('Uid')).join(' ')}\n${four(gid)}`);
    },
  },
  {
    id: 'no-groups-left',
    title: 'none of the parent’s supplementary groups is left when both were changed',
    why: 'A program that was given away would still read the files of root’s groups.',
    async run(t) {
      await needReadable(t);
      const groups = words(await seen(t.helper('groups').setUid(uid).setGid(gid))).filter((word) => word !== '');
      assert.deepEqual(
        groups.filter((id) => id !== String(gid)),
        [],
      );
    },
  },
  {
    id: 'parent-stays',
    title: 'the parent keeps its own rights',
    why: 'Changing the whole process for the time of a start lets others take it over.',
    async run(t) {
      const before = [own('Uid'), own('Gid'), own('Groups')];
      await t.helper('exit:0').setUid(uid).setGid(gid).run({ check: false });
      assert.deepEqual([own('Uid'), own('Gid'), own('Groups')], before);
    },
  },
]);

export const privilegeCases = group('privileges', { needs: ['linux'] }, [
  {
    id: 'forbidden-ids',
    title: 'ids that may not be taken fail at stage privileges with EPERM',
    why: 'The program must not run with more rights than it was meant to have.',
    requires: ['uid-gid'],
    async run(t) {
      if (process.getuid?.() === 0) t.notChecked('root may take every id');
      await t.rejectsStart(t.helper('exit:0').setUid(0).run(), { stage: 'privileges', code: 'EPERM' });
    },
  },
  {
    id: 'capabilities-of-user',
    title: 'another user than root has no capabilities, or the start fails at stage privileges with EPERM',
    why: 'The kernel takes them only from who was root: what a service keeps through exec leads back to every user.',
    requires: ['uid-gid'],
    twin: true,
    async run(t, run) {
      if ((parseMask(own('CapEff')) & setIds) !== setIds) t.notChecked('this process may not change its ids');
      try {
        await needReadable(t);
        const { stdout } = await run(t.helper('caps').setUid(uid).setGid(gid).setOutputBuffer());
        const [, permitted, effective, , ambient] = stdout.trim().split('\n').map(parseMask);
        assert.deepEqual([permitted, effective, ambient], [0n, 0n, 0n]);
      } catch (error) {
        if (parseMask(own('CapAmb')) === 0n || !(error instanceof CommandStartError)) throw error;
        assert.deepEqual([error.stage, error.code], ['privileges', 'EPERM']);
      }
    },
  },
  {
    id: 'groups',
    title: 'the supplementary groups are those that were said, or none',
    why: 'One too many is a right too many.',
    requires: ['groups'],
    needs: ['root'],
    twin: true,
    async run(t, run) {
      const some = await run(t.helper('groups').setGroups([gid, 5]).setOutputBuffer());
      assert.deepEqual(words(some.stdout).map(Number).sort(), [gid, 5].sort());
      const none = await run(t.helper('groups').setGroups([]).setOutputBuffer());
      assert.equal(none.stdout.trim(), '');
    },
  },
  {
    id: 'umask',
    title: 'the umask is the one that was said, 0 included; the parent keeps its own',
    why: 'virCommand cannot set 0. A private key that is created with the wrong mask is not private.',
    requires: ['umask'],
    twin: true,
    async run(t, run) {
      const before = own('Umask');
      assert.equal((await run(t.helper('umask').setUmask(0o27).setOutputBuffer())).stdout, '0027\n');
      assert.equal((await run(t.helper('umask').setUmask(0).setOutputBuffer())).stdout, '0000\n');
      assert.equal(own('Umask'), before);
    },
  },
  {
    id: 'no-capabilities',
    title: 'cleared capabilities are gone from every set',
    why: 'One that is left in the bounding set comes back with the next setuid program.',
    requires: ['capabilities'],
    needs: ['root'],
    twin: true,
    async run(t, run) {
      const { stdout } = await run(t.helper('caps').clearCaps().setOutputBuffer());
      assert.deepEqual(stdout.trim().split('\n').map(parseMask), [0n, 0n, 0n, 0n, 0n]);
    },
  },
  {
    id: 'allowed-capability',
    title: 'an allowed capability is in every set, and no other one',
    why: 'virCommandAllowCap: inheritable, permitted, effective, bounding and ambient.',
    requires: ['capabilities'],
    needs: ['root'],
    async run(t) {
      const netRaw = 1n << 13n;
      if ((parseMask(own('CapBnd')) & netRaw) === 0n) t.notChecked('this process does not have CAP_NET_RAW');
      const masks = (await seen(t.helper('caps').clearCaps().allowCap('CAP_NET_RAW'))).split('\n').map(parseMask);
      assert.deepEqual(masks, [netRaw, netRaw, netRaw, netRaw, netRaw]);
    },
  },
  {
    id: 'capability-of-user',
    title: 'an allowed capability stays with another user',
    why: 'That is how a service binds its port without being root.',
    requires: ['capabilities', 'uid-gid'],
    needs: ['root'],
    async run(t) {
      await needReadable(t);
      const netRaw = 1n << 13n;
      if ((parseMask(own('CapBnd')) & netRaw) === 0n) t.notChecked('this process does not have CAP_NET_RAW');
      const command = t.helper('caps', 'uid').clearCaps().allowCap('CAP_NET_RAW').setUid(uid).setGid(gid);
      const [inheritable, permitted, effective, , ambient, ids] = (await seen(command)).split('\n');
      assert.deepEqual([inheritable, permitted, effective, ambient].map(parseMask), [netRaw, netRaw, netRaw, netRaw]);
      assert.equal(ids, four(uid));
    },
  },
  {
    id: 'no-new-privileges',
    title: 'a program can be kept from gaining privileges, and is not unless that is said',
    why: 'Without it a setuid program is a way out; with it unasked, sudo(8) does not work.',
    requires: ['no-new-privs'],
    twin: true,
    async run(t, run) {
      assert.equal((await run(t.helper('nnp').setNoNewPrivs().setOutputBuffer())).stdout, '1\n');
      assert.equal((await run(t.helper('nnp').setOutputBuffer())).stdout.trim(), own('NoNewPrivs'));
    },
  },
  {
    id: 'limits',
    title: 'limits are what was said, soft and hard, and the parent keeps its own',
    why: 'A limit that is one too high or only soft is none.',
    requires: ['limits'],
    twin: true,
    async run(t, run) {
      const before = readFileSync('/proc/self/limits', 'latin1');
      const command = t
        .helper('limit:files', 'limit:core', 'limit:processes', 'limit:memLock', 'limit:cpu', 'limit:fileSize')
        .setMaxFiles(50)
        .setMaxCoreSize(0)
        .setMaxProcesses(4000)
        .setMaxMemLock(4096)
        .setLimit('cpu', { soft: 1000, hard: 2000 })
        .setLimit('fileSize', 1_000_000);
      const { stdout } = await run(command.setOutputBuffer());
      const expected = ['50 50', '0 0', '4000 4000', '4096 4096', '1000 2000', '1000000 1000000'];
      assert.deepEqual(stdout.trim().split('\n'), expected);
      assert.equal(readFileSync('/proc/self/limits', 'latin1'), before);
    },
  },
  {
    id: 'limit-unlimited',
    title: 'no limit can be asked for, where the hard one allows it',
    why: 'Not every program must be bounded.',
    requires: ['limits'],
    async run(t) {
      if (ownLimit('Max file size')[1] !== 'unlimited') t.notChecked('this process itself is limited');
      assert.equal(await seen(t.helper('limit:fileSize').setLimit('fileSize', 'unlimited')), 'unlimited unlimited');
    },
  },
  {
    id: 'limit-forbidden',
    title: 'a hard limit that may not be raised fails at stage limits with EPERM',
    why: 'A program that was promised more must not run with less.',
    requires: ['limits'],
    async run(t) {
      const mayRaise = (parseMask(own('CapEff')) & (1n << 24n)) !== 0n;
      const hard = Number(ownLimit('Max open files')[1]);
      if (mayRaise || !Number.isFinite(hard)) t.notChecked('this process may raise its limits');
      await t.rejectsStart(
        t
          .helper('exit:0')
          .setMaxFiles(hard + 1)
          .run(),
        { stage: 'limits', code: 'EPERM' },
      );
    },
  },
  {
    id: 'nice',
    title: 'the niceness is the one that was said',
    why: 'Background work must not slow down the rest.',
    requires: ['nice'],
    twin: true,
    async run(t, run) {
      assert.equal((await run(t.helper('nice').setNice(19).setOutputBuffer())).stdout, '19\n');
      assert.notEqual((await run(t.helper('nice').setOutputBuffer())).stdout, '19\n');
    },
  },
  {
    id: 'nice-below',
    title: 'a niceness below the parent’s is had, or fails at stage limits with EACCES',
    why: 'Who asks for precedence must not be left waiting with the others, and not know it.',
    requires: ['nice'],
    twin: true,
    async run(t, run) {
      const nice = getPriority() - 1;
      if (nice < -20) t.notChecked('no niceness is below that of this process');
      const command = t.helper('nice').setNice(nice).setOutputBuffer();
      try {
        assert.equal((await run(command)).stdout, `${nice}\n`);
      } catch (error) {
        const mayLower = (parseMask(own('CapEff')) & (1n << 23n)) !== 0n;
        if (mayLower || !(error instanceof CommandStartError)) throw error;
        assert.deepEqual([error.stage, error.code], ['limits', 'EACCES']);
      }
    },
  },
  {
    id: 'affinity',
    title: 'a program runs on the processors that were said',
    why: 'Measurements and real-time work depend on it.',
    requires: ['affinity'],
    twin: true,
    async run(t, run) {
      const before = own('Cpus_allowed_list');
      const first = Number.parseInt(before, 10);
      assert.equal((await run(t.helper('affinity').setAffinity([first]).setOutputBuffer())).stdout, `${first}\n`);
      assert.equal(own('Cpus_allowed_list'), before);
    },
  },
  {
    id: 'affinity-impossible',
    title: 'processors that are not there fail with EINVAL before the program runs',
    why: 'It must not run on others.',
    requires: ['affinity'],
    async run(t) {
      const stage = ['limits', 'privileges'] as const;
      await t.rejectsStart(t.helper('exit:0').setAffinity([8191]).run(), { stage, code: 'EINVAL' });
    },
  },
  {
    id: 'core-scheduling',
    title: 'core scheduling beside a process that does not exist fails at its own stage',
    why: 'virCommandSetRunAmong: a program that must not share its core must not start on a shared one.',
    requires: ['core-scheduling'],
    async run(t) {
      await t.rejectsStart(t.helper('exit:0').setRunAmong(0x7ffffffe).run(), { stage: 'core-scheduling' });
    },
  },
  {
    id: 'selinux',
    title: 'a label that cannot be set fails at stage label',
    why: 'A program that must be confined must not run unconfined.',
    requires: ['selinux'],
    async run(t) {
      await t.rejectsStart(t.helper('exit:0').setSelinuxLabel('no such:label').run(), { stage: 'label' });
    },
  },
  {
    id: 'apparmor',
    title: 'a profile that cannot be set fails at stage label',
    why: 'As above.',
    requires: ['apparmor'],
    async run(t) {
      await t.rejectsStart(t.helper('exit:0').setAppArmorProfile('no such profile').run(), { stage: 'label' });
    },
  },
]);

function parseMask(hexadecimal: string | undefined): bigint {
  return BigInt(`0x${hexadecimal ?? ''}`);
}
