import { expect } from 'chai';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { readManifest, root } from './packages';

const { brokenRules } = createRequire(__filename)('../../commits.cjs') as {
  readonly brokenRules: (message: string) => readonly string[];
};
const read = (...parts: string[]): string => readFileSync(path.join(root, ...parts), 'utf8');

describe('the shape of a commit message', () => {
  const good = [
    'posix: what exec() needs is part of the build',
    'core and mock: one word for both\n\nSince there were two.\n# Please enter the commit message',
    'eslint-plugin: a page per rule, tested',
    "Merge branch 'main' of somewhere",
    'Revert "posix: something"',
  ];
  for (const message of good) {
    it(`is that of ${JSON.stringify(message)}`, () => {
      expect(brokenRules(message)).to.deep.equal([]);
    });
  }

  const bad: Readonly<Record<string, RegExp>> = {
    'Fixed a bug': /begins with the area/,
    ': nothing': /begins with the area/,
    'posix:': /begins with the area/,
    'posix: something.': /no full stop/,
    'posix: something\nmore of it': /an empty line/,
    [`posix: ${'long '.repeat(40)}`]: /160 characters/,
  };
  for (const [message, rule] of Object.entries(bad)) {
    it(`is not that of ${JSON.stringify(message.slice(0, 40))}`, () => {
      expect(brokenRules(message).join()).to.match(rule);
    });
  }
});

describe('what people and CI are told to run', () => {
  const workflows = readdirSync(path.join(root, '.github/workflows')).map((name) => `.github/workflows/${name}`);
  const told = [...workflows, '.ci/run', '.devcontainer/devcontainer.json', '.githooks/commit-msg', 'CONTRIBUTING.md'];
  const { scripts } = readManifest(root) as unknown as { readonly scripts: Readonly<Record<string, string>> };

  for (const file of told) {
    it(`is there: ${file}`, () => {
      const text = read(file);
      for (const [, name = ''] of text.matchAll(/npm run (?:--silent )?([a-z][a-z:]*)/g))
        expect(scripts).to.have.property(name);
      for (const [name] of text.matchAll(/(?<![\w/.-])(?:tools|\.githooks|\.github)\/[\w./-]+\w/g)) {
        expect(existsSync(path.join(root, name)), name).to.equal(true);
      }
    });
  }

  it('includes a devcontainer in JSON', () => {
    expect(JSON.parse(read('.devcontainer/devcontainer.json'))).to.have.property('postCreateCommand');
  });

  it('gives the workflow that publishes its rights, and no other', () => {
    for (const file of workflows) {
      const text = read(file);
      expect(text, file).to.match(/^permissions: { contents: read }$/m);
      expect(text.includes('id-token: write'), file).to.equal(file.endsWith('release.yml'));
    }
  });
});
