/** What needs privileges, asked for by an ordinary user: the suite's cases, through each driver. */
import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ConformanceReport } from '@vircommand/conformance';
import { usableDrivers } from './drivers';

type Result = Pick<ConformanceReport['cases'][number], 'id' | 'status' | 'detail'>;

// Of nobody's.
const user = ['--reuid', '31234', '--regid', '31567', '--clear-groups'];
const program = join(__dirname, 'programs', 'conformance-report.ts');

async function results(driver: string, only: string, as: readonly string[] = user): Promise<readonly Result[]> {
  const node = [
    '--no-warnings',
    ...process.execArgv.filter((option) => option.startsWith('--conditions')),
    ...['-r', 'ts-node/register/transpile-only', program, only],
  ];
  const env = { ...process.env, VIRCOMMAND_FFI: driver, HOME: '/' };
  const run = promisify(execFile)('setpriv', [...as, process.execPath, ...node], { env, cwd: join(__dirname, '..') });
  const { stdout } = await run;
  return JSON.parse(stdout) as Result[];
}

describe('for an ordinary user', function () {
  this.timeout(180_000);
  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    // Not every checkout can be read by others.
    const readable = promisify(execFile)('setpriv', [...user, 'cat', program]);
    await readable.catch(() => {
      this.skip();
    });
  });

  for (const driver of usableDrivers) {
    it(`the cases of ids and privileges hold, with the driver ${driver}`, async () => {
      const all = await results(driver, '^(ids|privileges)\\.');
      expect(all.filter(({ status }) => status === 'failed')).to.deep.equal([]);
      const passed = all.flatMap(({ id, status }) => (status === 'passed' ? [id] : []));
      expect(passed).to.include.members([
        'privileges.forbidden-ids',
        'privileges.umask',
        'privileges.umask.sync',
        'privileges.no-new-privileges',
        'privileges.limits',
        'privileges.limits.sync',
        'privileges.nice',
        'privileges.nice-below',
        'privileges.nice-below.sync',
        'privileges.affinity',
        'privileges.affinity-impossible',
        'privileges.core-scheduling',
        'privileges.selinux',
        'privileges.apparmor',
      ]);
      // And nothing went wrong by being left out: the rest says that it needs root.
      for (const { id, status, detail } of all) {
        if (status !== 'passed') {
          expect(detail, id).to.match(/needs root|may raise its limits|is limited|may not change its ids/);
        }
      }
    });

    it(`that keeps capabilities through exec, another one gets none of them, with the driver ${driver}`, async () => {
      const names = '+setuid,+setgid,+net_raw';
      const service = ['--reuid', '31235', ...user.slice(2), '--inh-caps', names, '--ambient-caps', names];
      const all = await results(driver, '^privileges\\.capabilities-of-user', service);
      expect(all.map(({ id, status, detail }) => [id, status, detail])).to.deep.equal([
        ['privileges.capabilities-of-user', 'passed', undefined],
        ['privileges.capabilities-of-user.sync', 'passed', undefined],
      ]);
    });
  }
});
