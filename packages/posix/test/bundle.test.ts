/** What somebody bundles starts the programs of this package that lie beside the bundle, and no other files. */
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildSync, type Format } from 'esbuild';
import { bundledEnv } from './bundled';
import { version } from '../package.json';

const programs = ['vircommand-launcher.cjs', 'vircommand-spawner-thread.cjs'];
const dist = resolve(__dirname, '..', 'dist');

const formats: Readonly<Partial<Record<Format, string>>> = { cjs: 'bundle.cjs', esm: 'bundle.mjs' };
for (const [format, name] of Object.entries(formats) as [Format, string][]) {
  describe(`bundled as ${format}`, function () {
    this.timeout(60_000);
    /** Of an application, which has `bin` and `dist`. */
    let home = '';
    const beside = (file: string): string => join(home, 'bin', file);
    before(() => {
      home = mkdtempSync(join(tmpdir(), 'vircommand-bundle-'));
      buildSync({
        entryPoints: [join(__dirname, 'programs', 'launches.ts')],
        outfile: beside(name),
        bundle: true,
        platform: 'node',
        format,
        conditions: process.env.SUBJECT === 'dist' ? [] : ['@vircommand/source'],
        define: { POSIX_VERSION: JSON.stringify(version) },
        logLevel: 'error',
      });
      mkdirSync(join(home, 'dist'));
    });
    after(() => {
      rmSync(home, { recursive: true });
    });
    beforeEach(() => {
      for (const program of programs) copyFileSync(join(dist, program), beside(program));
    });

    interface Said {
      readonly byLauncher: string;
      readonly byThread: string;
    }
    function said(): Said {
      const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', beside(name)], {
        encoding: 'utf8',
        env: bundledEnv(),
        timeout: 50_000,
      });
      expect(stderr).to.equal('');
      return JSON.parse(stdout) as Said;
    }
    const works: Said = { byLauncher: '0027\n', byThread: '0027\n' };

    it('starts what lies beside it', () => {
      expect(said()).to.deep.equal(works);
    });

    it('starts it where files are ES modules', () => {
      const manifest = beside('package.json');
      writeFileSync(manifest, '{"type":"module"}');
      expect(said()).to.deep.equal(works);
      rmSync(manifest);
    });

    it('starts nothing of the application, whatever its name', () => {
      const traces = programs.map((program) => join(home, program));
      const foreign = (trace: string): string => `require('node:fs').writeFileSync(${JSON.stringify(trace)}, '')`;
      for (const own of ['launcher.js', 'spawner-thread.js', ...programs]) {
        writeFileSync(join(home, 'dist', own), foreign(join(home, own)));
      }
      expect(said()).to.deep.equal(works);
      programs.forEach((program, index) => {
        writeFileSync(beside(program), foreign(traces[index] ?? ''));
      });
      const { byLauncher, byThread } = said();
      expect(byLauncher).to.match(/\(stage launcher\): '.*\/bin\/vircommand-launcher\.cjs' is another program/);
      expect(byThread).to.equal(byLauncher);
      for (const own of ['launcher.js', 'spawner-thread.js', ...programs]) {
        expect(existsSync(join(home, own)), own).to.equal(false);
      }
    });

    it('starts nothing that was left by another version', () => {
      const launcher = beside('vircommand-launcher.cjs');
      const text = readFileSync(launcher, 'utf8');
      writeFileSync(launcher, text.replace(version, `${version}-0`));
      const { byLauncher, byThread } = said();
      expect(byLauncher).to.match(/is another program, or of another version/);
      expect(byThread).to.equal('0027\n');
    });

    it('says which files it misses', () => {
      for (const program of programs) rmSync(beside(program));
      const { byLauncher } = said();
      expect(byLauncher).to.match(/ENOENT: .*dist\/vircommand-launcher\.cjs of the same version belongs beside/);
    });
  });
}
