/**
 * The launcher leaves no trace in the program: what the kernel shows of a process that was started by it is what it shows
 * of one that was started directly.
 */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { expect } from 'chai';
import type { LaunchPlan } from '@vircommand/core/backend';
import { launch } from '../src/launcher/start';
import type { Libc } from '../src/libc';
import { startProcess } from '../src/spawn';
import { LINUX } from '../src/struct';
import { onEachDriver } from './drivers';
import { finish, look, planOf } from './plans';

/** What two processes of one program need not share. */
const ofOneProcess = new Set([
  ...['Pid', 'Tgid', 'Ngid', 'NSpid', 'NStgid', 'NSpgid', 'NSsid', 'PPid', 'State'],
  // Signals are counted by user.
  ...['voluntary_ctxt_switches', 'nonvoluntary_ctxt_switches', 'SigQ'],
  // Pages that were touched, some of them shared with others.
  ...['VmHWM', 'VmRSS', 'RssAnon', 'RssFile', 'RssShmem', 'VmPTE', 'VmPeak', 'HugetlbPages'],
]);

/** Fields of `/proc/PID/stat` behind the name: of these it is what both must have. */
const statFields = {
  tty: 4,
  foreground: 5,
  priority: 15,
  nice: 16,
  threads: 17,
  exitSignal: 35,
  realtime: 37,
  policy: 38,
};

const files = ['limits', 'oom_score_adj', 'coredump_filter', 'timerslack_ns', 'personality', 'cgroup'];
const idFiles = ['loginuid', 'sessionid', 'cpuset', 'setgroups', 'uid_map', 'attr/current', 'attr/exec'];
const memory = ['cmdline', 'environ'];

function text(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? '';
  }
}

function facts(pid: number): Record<string, unknown> {
  const at = `/proc/${pid}`;
  const seen = look(pid);
  const status = text(`${at}/status`)
    .split('\n')
    .map((line) => line.split(/:\s*/, 2) as [string, string])
    .filter(([name]) => !ofOneProcess.has(name));
  const stat = text(`${at}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ');
  const whole = [...files, ...idFiles, ...memory].map((name) => [name, text(`${at}/${name}`)] as const);
  const { uid, gid } = statSync(at);
  return {
    ...Object.fromEntries(whole),
    status: Object.fromEntries(status),
    stat: Object.fromEntries(Object.entries(statFields).map(([name, index]) => [name, stat[index]])),
    leads: { group: seen.group === pid, session: seen.session === pid },
    links: ['cwd', 'root', 'exe', ...readdirSync(`${at}/ns`).map((name) => `ns/${name}`)].map((name) =>
      readlinkSync(`${at}/${name}`),
    ),
    fds: Object.entries(seen.fds).map(([fd, link]) => [
      fd,
      link,
      text(`${at}/fdinfo/${fd}`).replace(/^(pos|ino|mnt_id).*$/gm, ''),
    ]),
    // Who owns its files: another one if the process may not be looked into.
    owner: [uid, gid],
    mappings: [
      ...new Set(
        text(`${at}/maps`)
          .split('\n')
          .map((line) => line.split(/\s+/).slice(5).join(' ')),
      ),
    ].sort(),
    // Each session has one.
    autogroup: seen.session === pid ? '' : text(`${at}/autogroup`),
  };
}

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
