/** The presets, as a configuration takes them. */
import { expect } from 'chai';
import plugin from 'eslint-plugin-vircommand';
import { Linter } from 'eslint';
import { defineConfig } from 'eslint/config';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';

const rulesOf = (code: string, preset: 'recommended' | 'strict'): (string | null)[] =>
  new Linter()
    .verify(code, [{ languageOptions: { ecmaVersion: 2026 } }, plugin.configs[preset]])
    .map(({ ruleId }) => ruleId);

const head = "import { Command } from 'vircommand'; ";

/** What the presets differ in. */
const differences: Record<string, string> = {
  'no-floating-run': "void new Command('ls').run();",
  'no-shell-string': "new Command('sh', ['-c', script]).runSync();",
  'no-undisposed-running': "const a = await new Command('ls').runAsync(); await a.wait();",
};

describe('presets', () => {
  it('have every rule, as an error', () => {
    for (const { rules = {} } of Object.values(plugin.configs)) {
      expect(Object.keys(rules)).to.deep.equal(Object.keys(plugin.rules).map((name) => `vircommand/${name}`));
      for (const setting of Object.values(rules)) expect([setting].flat()[0]).to.equal('error');
    }
  });

  for (const [rule, code] of Object.entries(differences)) {
    it(`${rule} is stricter in strict`, () => {
      expect(rulesOf(head + code, 'recommended')).to.deep.equal([]);
      expect(rulesOf(head + code, 'strict')).to.deep.equal([`vircommand/${rule}`]);
    });
  }

  it('can be taken by name', () => {
    const config = defineConfig({ plugins: { vircommand: plugin }, extends: ['vircommand/recommended'] });
    const messages = new Linter().verify("import 'child_process';", config);
    expect(messages.map(({ ruleId }) => ruleId)).to.deep.equal(['vircommand/no-child-process']);
  });

  it('can stand beside the plugin itself', () => {
    const config = [{ plugins: { vircommand: plugin } }, plugin.configs.recommended, plugin.configs.strict];
    const messages = new Linter().verify("import 'child_process';", config);
    expect(messages.map(({ ruleId }) => ruleId)).to.deep.equal(['vircommand/no-child-process']);
  });

  it('say the version of the package', () => {
    const { version } = JSON.parse(readFileSync(path.join(__dirname, '..', 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(plugin.meta.version).to.equal(version);
  });
});
