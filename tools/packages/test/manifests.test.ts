import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { packages, readManifest, root, type Package } from './packages';

const repository = 'https://github.com/vircommand/vircommand';
const own = new Set(packages.map(({ manifest }) => manifest.name));
const read = (...parts: string[]): string => readFileSync(path.join(root, ...parts), 'utf8');
const workspace = readManifest(root);

/** What every manifest says, and the value it has. */
const fields: Readonly<Record<string, (of: Package) => unknown>> = {
  license: () => 'MIT',
  homepage: ({ directory }) => `${repository}/tree/main/${directory}#readme`,
  bugs: () => `${repository}/issues`,
  repository: ({ directory }) => ({ type: 'git', url: `git+${repository}.git`, directory }),
  type: () => 'commonjs',
  sideEffects: () => false,
  engines: () => workspace.engines,
  publishConfig: () => ({ access: 'public' }),
};

/** What holds of every package. */
const rules: Readonly<Record<string, (of: Package) => void>> = {
  'has a description of one sentence': ({ manifest: { description } }) => {
    expect(description).to.match(/^[A-Z].*[^.]\.$|^[a-z]/);
  },
  'has keywords, the name that libvirt gives it among them': ({ manifest: { keywords } }) => {
    expect(keywords).to.include('virCommand');
    expect(new Set(keywords as string[]).size).to.equal((keywords as string[]).length);
  },
  'has the version of all': ({ manifest: { version } }) => {
    expect(version).to.equal(packages[0]?.manifest.version);
  },
  'brings the licence and a README': ({ directory, manifest: { name } }) => {
    expect(read(directory, 'LICENSE')).to.equal(read('LICENSE'));
    expect(read(directory, 'README.md')).to.match(new RegExp(`^# ${name}\n`));
  },
  'exports its manifest, and types before what they describe': ({ manifest: { exports = {}, main, types } }) => {
    expect(exports['./package.json']).to.equal('./package.json');
    for (const target of Object.values(exports)) {
      if (typeof target === 'string') continue;
      expect(Object.keys(target)).to.deep.equal(['@vircommand/source', 'types', 'default']);
      expect(path.extname(target.types ?? '')).to.equal('.ts');
    }
    expect(exports['.']).to.include({ default: main, types });
  },
  'depends on the others by the workspace, and on nobody by accident': ({ manifest }) => {
    const { dependencies = {}, peerDependencies = {} } = manifest;
    for (const [name, range] of Object.entries(dependencies)) {
      expect(range, name).to.match(own.has(name) ? /^workspace:\^$/ : /^\^\d+\.\d+\.\d+$/);
    }
    // What is optional is looked for when it is needed, and is not missed.
    const optional = Object.keys(manifest.peerDependenciesMeta ?? {});
    for (const name of optional) expect(peerDependencies).to.have.property(name);
  },
  'has the tasks of all': ({ manifest: { scripts } }) => {
    const tasks = ['build', 'lint', 'typecheck', 'test', 'test:dist', 'check:package'];
    expect(scripts).to.have.all.keys(tasks);
  },
};

describe('every manifest', () => {
  for (const of of packages) {
    describe(of.manifest.name, () => {
      for (const [field, expected] of Object.entries(fields)) {
        it(`says ${field}`, () => {
          expect(of.manifest[field]).to.deep.equal(expected(of));
        });
      }
      for (const [title, holds] of Object.entries(rules)) {
        it(title, () => {
          holds(of);
        });
      }
    });
  }

  it('is one of a package that the umbrella brings, or says why not', () => {
    const apart = { 'eslint-plugin-vircommand': 'a tool of development' };
    const brought = Object.keys(
      packages.find(({ manifest }) => manifest.name === 'vircommand')?.manifest.dependencies ?? {},
    );
    expect([...brought, 'vircommand', ...Object.keys(apart)]).to.have.members([...own]);
  });
});
