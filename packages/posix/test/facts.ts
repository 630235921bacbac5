/** Everything that the kernel shows of a process and that two processes of one program have in common. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { look } from './plans';

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

/** When it has come to rest. */
export function facts(pid: number): Record<string, unknown> {
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
