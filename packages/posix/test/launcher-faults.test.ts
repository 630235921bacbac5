/**
 * Each call of the launcher's steps fails once, or seems to succeed without being made, as under the filters of rootless
 * builders: the program is exactly what was asked for, or it does not run.
 */
import { expect } from 'chai';
import { constants } from 'node:os';
import type { LaunchPlan } from '@vircommand/core/backend';
import type { LibcName } from '../src/libc';
import { become, read, type Program } from './become';
import { removeBundled } from './bundled';

const { EPERM, EIO } = constants.errno;

const plans: Readonly<Record<string, LaunchPlan['privileged']>> = {
  'ids, groups and capabilities': {
    uid: 31_234,
    gid: 31_567,
    groups: [4, 5],
    capabilities: { clear: true, allow: ['CAP_NET_RAW'] },
    noNewPrivs: true,
    umask: 0o27,
    nice: 5,
    affinity: [Number.parseInt(read('self').status('Cpus_allowed_list'), 10)],
    limits: { files: 64, core: 0 },
  },
  'the groups of a user': { uid: 1, capabilities: { clear: false, allow: ['CAP_KILL'] } },
};

const fields = ['Uid', 'Gid', 'Groups', 'CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Umask'];
const seen = (program: Program): unknown => [
  [...fields, 'Cpus_allowed_list'].map((field) => program.status(field)),
  ['Max open files', 'Max core file size'].map((title) => program.limit(title)),
  program.nice,
];

/** What each call returns when it fails. umask(2) cannot. */
const failures: Partial<Record<LibcName, number>> = { umask: 0, getpwuid_r: EIO, getgrouplist: -1 };
/** Without harm: the first is asked once more, with more room. */
const harmless: readonly LibcName[] = ['getgrouplist', 'umask'];
/** No filter of system calls lies about these. */
const honest: readonly LibcName[] = ['umask', 'getpwuid_r', 'getgrouplist', 'getrlimit', 'setrlimit', 'setpriority'];

describe('the steps of the launcher, when a call', () => {
  before(function () {
    this.timeout(300_000);
    if (process.getuid?.() !== 0) this.skip();
  });
  after(removeBundled);

  for (const [title, privileged] of Object.entries(plans)) {
    it(`fails: ${title}`, async function () {
      this.timeout(300_000);
      const right = await become({ privileged });
      if (!right.ran) throw new Error(right.reason);
      expect(right.calls).to.include.members(['syscall', 'prctl', 'capset']);
      for (const [call, name] of right.calls.entries()) {
        const outcome = await become({ privileged, fault: { call, result: failures[name] ?? -EPERM } });
        if (outcome.ran) {
          expect(harmless, `call ${call}, ${name}`).to.include(name);
          if (name !== 'umask') expect(seen(outcome.program)).to.deep.equal(seen(right.program));
        } else {
          expect(outcome.stage, `call ${call}, ${name}: ${outcome.reason}`).to.be.oneOf(stages(name));
        }
      }
    });
  }

  for (const [title, privileged] of Object.entries(plans)) {
    it(`only seems to succeed: ${title}`, async function () {
      this.timeout(300_000);
      const right = await become({ privileged });
      if (!right.ran) throw new Error(right.reason);
      let stopped = 0;
      for (const [call, name] of right.calls.entries()) {
        if (honest.includes(name)) continue;
        const outcome = await become({ privileged, fault: { call, result: 0 } });
        if (outcome.ran) expect(seen(outcome.program), `call ${call}, ${name}`).to.deep.equal(seen(right.program));
        else stopped++;
      }
      expect(stopped).to.be.above(4);
    });
  }
});

function stages(name: LibcName): readonly string[] {
  if (['getrlimit', 'setrlimit', 'setpriority', 'sched_setaffinity', 'sched_getaffinity'].includes(name)) {
    return ['limits'];
  }
  return name === 'prctl' ? ['privileges', 'capabilities'] : ['privileges'];
}
