/** What the launcher's steps make of a process, seen from outside and by other people's programs; and what they refuse. */
import { expect } from 'chai';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandStartError } from '@vircommand/core';
import type { LaunchPlan } from '@vircommand/core/backend';
import { LABEL_FILES, setLabels } from '../src/launcher/steps/labels';
import { become, print, read, type Outcome, type Program } from './become';
import { removeBundled } from './bundled';
import { usableDrivers } from './drivers';

type Privileged = LaunchPlan['privileged'];

// Of nobody's.
const uid = 31_234;
const gid = 31_567;
const largest = 0xfffffffe;
const asUser = ['setpriv', '--reuid', String(uid), '--regid', String(gid), '--clear-groups'];
const four = (id: number): string => [id, id, id, id].join(' ');
const hex = (mask: bigint): string => mask.toString(16).padStart(16, '0');
const netRaw = hex(1n << 13n);
const none = hex(0n);
const isRoot = process.getuid?.() === 0;

const own = read('self');
const bounding = BigInt(`0x${own.status('CapBnd')}`);
const has = (capability: bigint): boolean => (BigInt(`0x${own.status('CapEff')}`) & (1n << capability)) !== 0n;
const mayHurry = has(23n);
const mayRaise = has(24n);
/** The first processor that this process may use. */
const first = Number.parseInt(own.status('Cpus_allowed_list'), 10);

const ran = (outcome: Outcome): Program => {
  if (!outcome.ran) throw new Error(`it did not run: ${outcome.stage}, ${outcome.reason}`);
  return outcome.program;
};
const caps = ({ status }: Program): string[] => ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map(status);

async function refused(
  expected: { readonly stage: string; readonly code: string; readonly reason: RegExp },
  privileged: Privileged,
  as: readonly string[] = [],
): Promise<void> {
  const outcome = await become({ privileged }, as);
  if (outcome.ran) throw new Error('it ran');
  expect(outcome).to.deep.include({ stage: expected.stage, code: expected.code });
  expect(outcome.reason).to.match(expected.reason);
}

describe('the steps of the launcher', () => {
  after(removeBundled);

  it('leave alone what was not asked for', async () => {
    const program = ran(await become({ privileged: {} }));
    for (const field of ['Uid', 'Gid', 'Groups', 'CapBnd', 'NoNewPrivs', 'Umask', 'Cpus_allowed_list', 'Seccomp']) {
      expect(program.status(field), field).to.equal(own.status(field));
    }
  });

  for (const driver of usableDrivers) {
    describe(`as root, with the driver ${driver}`, () => {
      before(function () {
        if (!isRoot) this.skip();
      });
      const run = async (privileged: Privileged): Promise<Program> => ran(await become({ privileged, driver }));

      it('set user and group in all four kinds, with no groups of a user that nobody knows', async () => {
        const { status } = await run({ uid, gid });
        expect([status('Uid'), status('Gid'), status('Groups')]).to.deep.equal([four(uid), four(gid), '']);
        expect([status('CapPrm'), status('CapEff')]).to.deep.equal([none, none]);
      });

      it('take ids up to the largest', async () => {
        const { status } = await run({ uid: largest, gid: largest, groups: [largest, 7, 5, 7] });
        const groups = `5 7 ${largest}`;
        expect([status('Uid'), status('Gid'), status('Groups')]).to.deep.equal([four(largest), four(largest), groups]);
      });

      it('give a capability to another user', async () => {
        const program = await run({ uid, gid, capabilities: { clear: true, allow: ['CAP_NET_RAW'] } });
        expect(caps(program)).to.deep.equal([netRaw, netRaw, netRaw, netRaw, netRaw]);
      });

      it('set processors, niceness, mask and limits', async () => {
        const limits = { files: { soft: 20, hard: 30 }, fileSize: 'unlimited' as const, core: 0 };
        const program = await run({ affinity: [first], nice: 7, umask: 0, limits });
        expect([program.status('Cpus_allowed_list'), program.nice, program.status('Umask')]).to.deep.equal([
          String(first),
          7,
          '0000',
        ]);
        expect(program.limit('Max open files')).to.equal('20 30');
        expect(program.limit('Max file size')).to.equal('unlimited unlimited');
        expect(program.limit('Max core file size')).to.equal('0 0');
      });
    });
  }

  describe('as root', () => {
    before(function () {
      if (!isRoot) this.skip();
    });
    const run = async (privileged: Privileged): Promise<Program> => ran(await become({ privileged }));

    it('give a user the groups that id(1) finds for it, with the group that was said', async () => {
      for (const name of ['root', 'daemon', 'nobody']) {
        const [user, ...groups] = ['-u', '-G'].flatMap((option) =>
          execFileSync('id', [option, name], { encoding: 'utf8' }).trim().split(' ').map(Number),
        );
        // Something else first, so that there is something to take away.
        const { status } = await run({ uid: user, gid });
        const seen = status('Groups').split(' ').map(Number);
        expect(new Set(seen), name).to.deep.equal(new Set([...groups, gid]));
      }
    });

    it('find all groups of a user who is in many', async function () {
      const directory = mkdtempSync(join(tmpdir(), 'vircommand-groups-'));
      try {
        const many = Array.from({ length: 300 }, (_, index) => 50_000 + index);
        const name = 'n'.repeat(2000);
        writeFileSync(join(directory, 'passwd'), `${name}:x:${uid}:${gid}::/:/bin/false\n`);
        writeFileSync(join(directory, 'group'), many.map((id) => `g${id}:x:${id}:other,${name}\n`).join(''));
        const script = 'for f in passwd group; do mount --bind "$0/$f" /etc/$f || exit; done; exec "$@"';
        const there = ['unshare', '-m', 'sh', '-c', script, directory];
        if (spawnSync('unshare', [...there.slice(1), 'true']).status !== 0) this.skip();
        const { status } = ran(await become({ privileged: { uid } }, there));
        expect(status('Groups')).to.equal([gid, ...many].join(' '));
      } finally {
        rmSync(directory, { recursive: true });
      }
    });

    it('leave no group with a group alone, as virCommand and libuv have it', async () => {
      const outcome = await become({ privileged: { gid } }, ['setpriv', '--groups', '4,5']);
      const { status } = ran(outcome);
      expect([status('Uid'), status('Gid'), status('Groups')]).to.deep.equal([four(0), four(gid), '']);
    });

    it('leave groups alone with neither user nor group', async () => {
      const { status } = ran(await become({ privileged: { noNewPrivs: true } }, ['setpriv', '--groups', '4,5']));
      expect([status('Groups'), status('NoNewPrivs')]).to.deep.equal(['4 5', '1']);
    });

    it('leave the bounding set alone with a user alone', async () => {
      expect(caps(await run({ uid }))).to.deep.equal([none, none, none, hex(bounding), none]);
    });

    it('clear all five sets of a program that stays root', async () => {
      expect(caps(await run({ capabilities: { clear: true, allow: [] } }))).to.deep.equal([
        none,
        none,
        none,
        none,
        none,
      ]);
      const allow = ['CAP_NET_RAW'] as const;
      expect(new Set(caps(await run({ capabilities: { clear: true, allow } })))).to.deep.equal(new Set([netRaw]));
    });

    it('add a capability where nothing is cleared', async () => {
      const capabilities = { clear: false, allow: ['CAP_NET_RAW'] } as const;
      const all = hex(bounding);
      expect(caps(await run({ capabilities }))).to.deep.equal([netRaw, all, all, all, netRaw]);
      expect(caps(await run({ capabilities, uid }))).to.deep.equal([netRaw, netRaw, netRaw, all, netRaw]);
    });

    it('clear what came by inheritance', async () => {
      const inherited = ['setpriv', '--inh-caps', '+net_raw,+kill', '--ambient-caps', '+net_raw,+kill'];
      const kept = caps(ran(await become({ privileged: { noNewPrivs: true } }, inherited)));
      expect(kept[4]).to.equal(hex((1n << 13n) | (1n << 5n)));
      const capabilities = { clear: true, allow: ['CAP_NET_RAW'] } as const;
      const cleared = caps(ran(await become({ privileged: { capabilities } }, inherited)));
      expect(new Set(cleared)).to.deep.equal(new Set([netRaw]));
    });

    it('are what setpriv and capsh say', async () => {
      const capabilities = { clear: true, allow: ['CAP_NET_RAW', 'CAP_KILL'] } as const;
      const privileged = { uid, gid, groups: [4, 5], capabilities, noNewPrivs: true };
      const dump = await print({ privileged, target: ['/usr/bin/setpriv', '--dump'] });
      for (const line of [
        `uid: ${uid}`,
        `euid: ${uid}`,
        `gid: ${gid}`,
        `egid: ${gid}`,
        'Supplementary groups: 4,5',
        'no_new_privs: 1',
        'Inheritable capabilities: kill,net_raw',
        'Ambient capabilities: kill,net_raw',
        'Capability bounding set: kill,net_raw',
      ]) {
        expect(dump.split('\n')).to.include(line);
      }
      const capsh = execFileSync('sh', ['-c', 'command -v capsh || echo /usr/sbin/capsh'], { encoding: 'utf8' }).trim();
      const text = await print({ privileged, target: [capsh, '--print'] });
      expect(text).to.match(/^Current: .*cap_kill,cap_net_raw=eip$/m);
      expect(text).to.match(/^Bounding set =cap_kill,cap_net_raw$/m);
      expect(text).to.match(/^Ambient set =cap_kill,cap_net_raw$/m);
    });

    it('set every limit, and the soft one of descriptors to what the caller had', async () => {
      const titles = {
        memLock: 'Max locked memory',
        processes: 'Max processes',
        files: 'Max open files',
        core: 'Max core file size',
        addressSpace: 'Max address space',
        cpu: 'Max cpu time',
        data: 'Max data size',
        fileSize: 'Max file size',
        stack: 'Max stack size',
      };
      const names = Object.keys(titles) as (keyof typeof titles)[];
      const limits = Object.fromEntries(names.map((name, index) => [name, { soft: 2 ** 20 + index, hard: 2 ** 22 }]));
      // These are below what this process may have.
      Object.assign(limits, { files: { soft: 70, hard: 80 }, processes: 4000, core: 0, addressSpace: 2 ** 26 });
      const program = await run({ limits });
      for (const name of names) {
        const asked = limits[name] as number | { soft: number; hard: number };
        const [soft, hard] = typeof asked === 'number' ? [asked, asked] : [asked.soft, asked.hard];
        expect(program.limit(titles[name]), name).to.equal(`${soft} ${hard}`);
      }
      const callers = ran(await become({ privileged: {}, softFiles: 77 }));
      expect(callers.limit('Max open files').split(' ')[0]).to.equal('77');
      const unlimited = ran(await become({ privileged: {}, softFiles: 2 ** 64 }));
      expect(unlimited.limit('Max open files').split(' ')[0]).to.equal(own.limit('Max open files').split(' ')[1]);
    });

    it('set processors and niceness of the thread that becomes the program, whatever else they were', async () => {
      const nice = mayHurry ? -3 : 8;
      const program = ran(await become({ privileged: { nice, affinity: [first] } }, ['nice', '-n', '5']));
      expect([program.nice, program.status('Cpus_allowed_list')]).to.deep.equal([nice, String(first)]);
    });

    it('refuse a capability that this process has not, or that there is not', async () => {
      const privileges = { stage: 'privileges', code: 'EPERM', reason: /does not have CAP_NET_RAW/ };
      const without = ['setpriv', '--bounding-set', '-net_raw'];
      await refused(privileges, { capabilities: { clear: false, allow: ['CAP_NET_RAW'] } }, without);
      const unknown = { stage: 'capabilities', code: 'EINVAL' };
      const capability = (name: `CAP_${string}`): Privileged => ({ capabilities: { clear: true, allow: [name] } });
      await refused({ ...unknown, reason: /no CAP_63/ }, capability('CAP_63'));
      await refused({ ...unknown, reason: /CAP_FUTURE is not known here/ }, capability('CAP_FUTURE'));
    });

    it('refuse limits that may not be raised, before anything is lowered', async function () {
      if (mayRaise) this.skip();
      const hard = Number(own.limit('Max open files').split(' ')[1]);
      const reason = new RegExp(`raising the hard limit files from ${hard} to ${hard + 1} needs CAP_SYS_RESOURCE`);
      await refused({ stage: 'limits', code: 'EPERM', reason }, { limits: { files: hard + 1, core: 0 } });
    });
  });

  describe('as an ordinary user', () => {
    before(function () {
      if (!isRoot) this.skip();
    });

    it('allow what changes nothing', async () => {
      const { status } = ran(await become({ privileged: { uid, gid, groups: [] } }, asUser));
      expect([status('Uid'), status('Gid'), status('Groups')]).to.deep.equal([four(uid), four(gid), '']);
      ran(await become({ privileged: { uid } }, asUser));
      ran(await become({ privileged: { gid } }, asUser));
    });

    it('allow no_new_privs, lower limits, less priority', async () => {
      const program = ran(await become({ privileged: { noNewPrivs: true, nice: 19, limits: { files: 64 } } }, asUser));
      expect([program.status('NoNewPrivs'), program.nice, program.limit('Max open files')]).to.deep.equal([
        '1',
        19,
        '64 64',
      ]);
    });

    const eperm = { stage: 'privileges', code: 'EPERM' };
    for (const [what, privileged, expected] of [
      ['another user', { uid: uid + 1 }, { ...eperm, reason: /setresuid \(user 31235: that needs CAP_SETUID\)/ }],
      ['another group', { gid: 5 }, { ...eperm, reason: /setresgid \(group 5: that needs CAP_SETGID\)/ }],
      ['other groups', { groups: [5] }, { ...eperm, reason: /setgroups \(the supplementary groups 5: that needs/ }],
      [
        'an emptied bounding set',
        { capabilities: { clear: true, allow: [] } },
        { ...eperm, reason: /CAP_SETPCAP; setNoNewPrivs\(\) protects/ },
      ],
      [
        'a capability',
        { capabilities: { clear: false, allow: ['CAP_KILL'] } },
        { ...eperm, reason: /this process does not have CAP_KILL/ },
      ],
      ['more priority', { nice: -1 }, { stage: 'limits', code: 'EACCES', reason: /needs CAP_SYS_NICE/ }],
    ] satisfies [string, Privileged, Parameters<typeof refused>[0]][]) {
      it(`refuse ${what}`, () => refused(expected, privileged, asUser));
    }

    it('clear capabilities where the bounding set is empty already', async () => {
      const empty = [...asUser, '--bounding-set', '-all'];
      const program = ran(await become({ privileged: { capabilities: { clear: true, allow: [] } } }, empty));
      expect(caps(program)).to.deep.equal([none, none, none, none, none]);
    });

    it('hand on a capability that it has', async () => {
      const has = [...asUser, '--inh-caps', '+net_raw', '--ambient-caps', '+net_raw'];
      const allowed = { capabilities: { clear: false, allow: ['CAP_NET_RAW'] } } as const;
      expect(caps(ran(await become({ privileged: allowed }, has)))[4]).to.equal(netRaw);
    });
  });

  describe('as a service that keeps its capabilities through exec', () => {
    before(function () {
      if (!isRoot) this.skip();
    });
    const names = '+setuid,+setgid,+net_raw';
    const inherited = ['--inh-caps', names, '--ambient-caps', names];
    const held = hex((1n << 6n) | (1n << 7n) | (1n << 13n));
    const allow = { clear: false, allow: ['CAP_NET_RAW'] } as const;
    // The kernel takes capabilities from who was root only, and with that bit from nobody.
    for (const [who, as] of [
      ['that is an ordinary user', [...asUser, ...inherited]],
      ['that is root', ['setpriv', ...inherited]],
      ['that is root and loses nothing by another user', ['setpriv', ...inherited, '--securebits', '+no_setuid_fixup']],
    ] as const) {
      it(`${who}: leave another user none but those that were allowed`, async () => {
        const given = async (privileged: Privileged): Promise<string[]> => {
          const program = ran(await become({ privileged }, as));
          expect([program.status('Uid'), program.status('Gid')]).to.deep.equal([four(uid + 1), four(gid + 1)]);
          return caps(program);
        };
        const another = { uid: uid + 1, gid: gid + 1 };
        expect(await given(another)).to.deep.equal([none, none, none, hex(bounding), none]);
        const allowed = await given({ ...another, capabilities: allow });
        expect(allowed).to.deep.equal([netRaw, netRaw, netRaw, hex(bounding), netRaw]);
      });
    }

    it('do the same with the user that it is: what a program gets depends on the description alone', async () => {
      const as = [...asUser, ...inherited];
      expect(caps(ran(await become({ privileged: { uid } }, as)))).to.deep.equal([
        ...[none, none, none],
        hex(bounding),
        none,
      ]);
    });

    it('leave what it has to a program whose user was not said', async () => {
      const program = ran(await become({ privileged: { gid: gid + 1 } }, [...asUser, ...inherited]));
      expect(caps(program)).to.deep.equal([held, held, held, hex(bounding), held]);
    });
  });

  it('refuse processors that are not there, which the kernel would leave out', async () => {
    const expected = { stage: 'limits', code: 'EINVAL', reason: /not for this process: 8191/ };
    await refused(expected, { affinity: [first, 8191] });
    await refused({ ...expected, reason: /processors 8191/ }, { affinity: [8191] });
  });

  it('refuse core scheduling beside nobody, or say that this kernel has none', async () => {
    const outcome = await become({ privileged: { coreScheduling: { among: 0x7ffffffe } } });
    if (outcome.ran) throw new Error('it ran');
    expect(outcome.stage).to.equal('core-scheduling');
    expect(`${outcome.code} ${outcome.reason}`).to.match(
      /^(ESRCH .*process 2147483646|EINVAL .*has no core scheduling|ENODEV .*one hardware thread)/,
    );
  });

  describe('labels', () => {
    let directory = '';
    let files = LABEL_FILES;
    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), 'vircommand-labels-'));
      const inside = (name: string): string => join(directory, name);
      files = {
        selinuxEnforce: inside('enforce'),
        selinuxExec: inside('exec'),
        appArmorEnabled: inside('enabled'),
        appArmorExec: inside('apparmor'),
        appArmorOldExec: inside('exec'),
      };
    });
    afterEach(() => {
      rmSync(directory, { recursive: true });
    });

    const selinux = { privileged: { selinuxLabel: 'system_u:system_r:svirt_t:s0' } };
    const apparmor = { privileged: { appArmorProfile: 'libvirt-1' } };
    const failure = (plan: typeof selinux | typeof apparmor): CommandStartError => {
      try {
        setLabels(plan, files);
      } catch (error) {
        if (error instanceof CommandStartError) return error;
      }
      throw new Error('it was set');
    };

    it('are refused by a machine without the module, in words', async () => {
      const label = { stage: 'label', code: 'EINVAL' };
      expect(failure(selinux)).to.include(label);
      expect(failure(selinux).reason).to.contain('SELinux is not active on this machine');
      expect(failure(apparmor).reason).to.contain('AppArmor is not active on this machine');
      writeFileSync(files.appArmorEnabled, 'N\n');
      expect(failure(apparmor)).to.include(label);
      const active = existing(LABEL_FILES.selinuxEnforce) !== undefined;
      if (!active) await refused({ ...label, reason: /SELinux is not active/ }, selinux.privileged);
      if (existing(LABEL_FILES.appArmorEnabled) !== 'Y') {
        await refused({ ...label, reason: /AppArmor is not active/ }, apparmor.privileged);
      }
    });

    it('of SELinux are written to the file for exec; a refusal counts unless it is permissive', () => {
      writeFileSync(files.selinuxExec, '');
      writeFileSync(files.selinuxEnforce, '1');
      setLabels(selinux, files);
      expect(readFileSync(files.selinuxExec, 'latin1')).to.equal(selinux.privileged.selinuxLabel);
      rmSync(files.selinuxExec);
      expect(failure(selinux)).to.include({ stage: 'label', code: 'ENOENT', path: files.selinuxExec });
      writeFileSync(files.selinuxEnforce, '0');
      setLabels(selinux, files);
    });

    it('of AppArmor are written to its own file, or to the old one', () => {
      writeFileSync(files.appArmorEnabled, 'Y\n');
      writeFileSync(files.appArmorOldExec, '');
      setLabels(apparmor, files);
      expect(readFileSync(files.appArmorOldExec, 'latin1')).to.equal('exec libvirt-1');
      writeFileSync(files.appArmorExec, '');
      setLabels(apparmor, files);
      expect(readFileSync(files.appArmorExec, 'latin1')).to.equal('exec libvirt-1');
      rmSync(files.appArmorExec);
      rmSync(files.appArmorOldExec);
      expect(failure(apparmor)).to.include({ stage: 'label', code: 'ENOENT' });
    });
  });
});

function existing(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return undefined;
  }
}
