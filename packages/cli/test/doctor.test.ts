/** `vircommand doctor`, as whoever runs the tests and as an ordinary user: everything is named, and what is missing explained. */
import { expect } from 'chai';
import { FEATURES } from '@vircommand/core/backend';
import type { Named, Report, Verdict } from '../src/doctor/report';
import { bin, isRoot, runProgram, vircommand, type Run } from './installed';

/** As nobody, if the tests run as root. */
async function asNobody(...args: readonly string[]): Promise<Run> {
  const flags = isRoot ? ['-b', 'posix', '--user', '65534', '--group', '65534', '--groups', ''] : [];
  return runProgram([process.execPath, bin(), 'run', ...flags, '--', process.execPath, bin(), ...args]);
}

const users: Readonly<Record<string, (...args: readonly string[]) => Promise<Run>>> = {
  'whoever runs the tests': (...args) => vircommand(args),
  'an ordinary user': asNobody,
};

describe('doctor', function () {
  this.timeout(60_000);
  const reports = new Map<string, Report>();

  for (const [who, run] of Object.entries(users)) {
    describe(`as ${who}`, () => {
      let report: Report;
      before(async () => {
        const { status, stdout, stderr } = await run('doctor', '--json');
        expect([status, stderr]).to.deep.equal([0, '']);
        report = JSON.parse(stdout) as Report;
        reports.set(who, report);
      });

      it('names all three drivers and both backends, one of each is used', () => {
        expect(report.drivers.map(({ name }) => name)).to.deep.equal(['koffi', 'ffi-napi', 'node']);
        expect(report.backends.map(({ name }) => name)).to.deep.equal(['posix', 'child-process']);
        for (const items of [report.drivers, report.backends])
          expect(items.filter(({ usual }: Named) => usual === true)).to.have.lengthOf(1);
      });

      it('names every feature of every backend', () => {
        expect(report.features.map(({ name }) => name)).to.deep.equal([...FEATURES]);
        for (const { backends } of report.features)
          expect(Object.keys(backends)).to.deep.equal(['posix', 'child-process']);
      });

      it('has a reason and a remedy for all that is missing', () => {
        const verdicts: Verdict[] = [
          ...report.drivers,
          ...report.backends,
          ...report.features.flatMap(({ backends }) => Object.values(backends)),
        ];
        const unexplained = verdicts.filter(
          ({ state, reason = '', remedy = '' }) => state !== 'yes' && (reason === '' || remedy === ''),
        );
        expect(unexplained).to.deep.equal([]);
        expect(verdicts.some(({ state }) => state !== 'yes')).to.equal(true);
      });

      it('says the same in text of 80 columns', async () => {
        const { stdout } = await run('doctor');
        for (const { name } of [...report.drivers, ...report.backends, ...report.features])
          expect(stdout, name).to.match(new RegExp(`^  . ?${name}\\b|^  ${name}\\b`, 'm'));
        for (const line of stdout.split('\n')) expect(line.length, line).to.be.at.most(80);
        expect(stdout).to.not.contain('\x1b');
      });
    });
  }

  // After those above.
  describe('what only root can do', () => {
    it('is told to an ordinary user', function () {
      const report = reports.get('an ordinary user');
      if (process.platform !== 'linux' || report === undefined) this.skip();
      const { features, system, capabilities } = report;
      expect([system.user.uid, capabilities?.effective]).to.deep.equal([isRoot ? 65_534 : process.getuid?.(), []]);
      const verdict = (name: string): Verdict | undefined => features.find((one) => one.name === name)?.backends.posix;
      for (const name of ['uid-gid', 'groups']) {
        expect(verdict(name)?.state, name).to.equal('no');
        expect(verdict(name)?.remedy, name).to.match(/run vircommand with CAP_SET/);
      }
      for (const name of ['nice', 'limits']) expect(verdict(name)?.state, name).to.equal('limited');
      for (const name of ['umask', 'no-new-privs', 'hook', 'pid-file', 'daemon'])
        expect(verdict(name)?.state, name).to.equal('yes');
    });
  });

  it('where the backend posix cannot be used it says why, and goes by the other', async () => {
    const { status, stdout } = await vircommand(['doctor', '--json'], { env: { VIRCOMMAND_FFI: 'none' } });
    const { ok, backends } = JSON.parse(stdout) as Report;
    expect([status, ok]).to.deep.equal([0, true]);
    expect(backends[0]).to.deep.include({ name: 'posix', state: 'no' });
    expect(backends[0]?.reason).to.contain("VIRCOMMAND_FFI names no FFI driver: 'none'");
    expect(backends[1]).to.deep.include({ name: 'child-process', state: 'yes', usual: true });
  });

  it('an empty PATH takes nothing from what the machine can do', async () => {
    const states = (run: Run): unknown => {
      const { drivers, features } = JSON.parse(run.stdout) as Report;
      return [
        ...drivers.map(({ name, state }) => [name, state]),
        ...features.map(({ name, backends }) => [name, Object.values(backends).map(({ state }) => state)]),
      ];
    };
    const empty = await vircommand(['doctor', '--json'], { env: { PATH: '' } });
    expect(states(empty)).to.deep.equal(states(await vircommand(['doctor', '--json'])));
  });

  it('where nothing can be used its status is 125', async () => {
    const { status, stdout } = await vircommand(['doctor'], { env: { VIRCOMMAND_BACKEND: 'none' } });
    expect([status, stdout.includes('child-process')]).to.deep.equal([125, true]);
  });
});
