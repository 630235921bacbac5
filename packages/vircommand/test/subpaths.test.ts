import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';

interface Manifest {
  readonly exports: Readonly<Record<string, unknown>>;
}
const load = createRequire(__filename) as (name: string) => Readonly<Record<string, unknown>>;
const manifest = JSON.parse(readFileSync(path.join(__dirname, '..', 'package.json'), 'utf8')) as Manifest;

/** Each subpath, and the package of which it is another name. */
const subpaths: Readonly<Record<string, string>> = {
  'vircommand/core': '@vircommand/core',
  'vircommand/backend': '@vircommand/core/backend',
  'vircommand/posix': '@vircommand/posix',
  'vircommand/posix/pidfile': '@vircommand/posix/pidfile',
  'vircommand/child-process': '@vircommand/child-process',
  'vircommand/mock': '@vircommand/mock',
  'vircommand/script': '@vircommand/script',
  'vircommand/conformance': '@vircommand/conformance',
};
/** What a subpath has besides, since it needs the choice of the backend. */
const bound: Readonly<Record<string, readonly string[]>> = { 'vircommand/script': ['$', 'run', 'runSync', 'runLines'] };

describe('the subpaths', () => {
  it('are all that the package exports', () => {
    const exported = Object.keys(manifest.exports).map((key) => `vircommand${key.slice(1)}`);
    expect(exported).to.have.members(['vircommand', 'vircommand/package.json', ...Object.keys(subpaths)]);
  });

  for (const [subpath, name] of Object.entries(subpaths)) {
    it(`${subpath} is ${name}, name for name`, () => {
      const [here, there] = [load(subpath), load(name)];
      expect(here).to.have.all.keys([...Object.keys(there), ...(bound[subpath] ?? [])]);
      for (const [key, value] of Object.entries(there)) expect(here[key], key).to.equal(value);
    });
  }
});
