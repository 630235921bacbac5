/** The page of each rule: what it calls wrong is reported by the rule, what it calls right is clean, and nothing is left out. */
import { expect } from 'chai';
import plugin from 'eslint-plugin-vircommand';
import { Linter } from 'eslint';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import tseslint from 'typescript-eslint';

const root = path.join(__dirname, '..');
const pages = path.join(root, 'docs', 'rules');

interface Block {
  readonly line: number;
  readonly language: string;
  readonly verdict: string;
  readonly options: string;
  readonly code: string;
}

function blocksOf(file: string): Block[] {
  const text = readFileSync(file, 'utf8');
  return Array.from(text.matchAll(/^```(\w+)(?: (\w+))?(?: (\{.*\}))?\n([^]*?)^```$/gm), (match) => {
    const { index, 1: language = '', 2: verdict = '', 3: options = '{}', 4: code = '' } = match;
    return { line: text.slice(0, index).split('\n').length, language, verdict, options, code };
  });
}

function lint(rule: string, { language, options, code }: Block): (string | null)[] {
  const messages = new Linter().verify(code, {
    plugins: { vircommand: plugin },
    languageOptions: {
      ecmaVersion: 2026,
      sourceType: 'module',
      ...(language === 'ts' ? { parser: tseslint.parser } : {}),
    },
    rules: { [`vircommand/${rule}`]: ['error', JSON.parse(options) as object] },
  });
  return messages.map(({ ruleId, message }) => ruleId ?? message);
}

describe('docs', () => {
  it('has a page for each rule, and none for others', () => {
    expect(readdirSync(pages).sort()).to.deep.equal(Object.keys(plugin.rules).map((name) => `${name}.md`));
  });

  for (const [name, rule] of Object.entries(plugin.rules)) {
    describe(name, () => {
      const blocks = blocksOf(path.join(pages, `${name}.md`));

      it('has wrong and right code, all of it marked', () => {
        const verdicts = new Set(blocks.map(({ verdict }) => verdict));
        expect(Array.from(verdicts).sort()).to.deep.equal(['right', 'wrong']);
      });

      for (const block of blocks) {
        it(`line ${String(block.line)} is ${block.verdict}`, () => {
          const found = lint(name, block);
          if (block.verdict === 'right') expect(found).to.deep.equal([]);
          else expect(new Set(found)).to.deep.equal(new Set([`vircommand/${name}`]));
        });
      }

      it('tells of every option', () => {
        const text = readFileSync(path.join(pages, `${name}.md`), 'utf8');
        const [schema] = rule.meta?.schema as [{ properties: object }];
        for (const option of Object.keys(schema.properties)) expect(text).to.contain(`* \`${option}\``);
      });

      it('is where the rule says it is', () => {
        expect(rule.meta?.docs?.url).to.match(new RegExp(`/packages/eslint-plugin/docs/rules/${name}\\.md$`));
      });
    });
  }

  it('is linked from the README', () => {
    const text = readFileSync(path.join(root, 'README.md'), 'utf8');
    const links = Array.from(text.matchAll(/\]\((docs\/[^)]+)\)/g), ([, link = '']) => link);
    expect(links.sort()).to.deep.equal(Object.keys(plugin.rules).map((name) => `docs/rules/${name}.md`));
    for (const link of links) expect(existsSync(path.join(root, link)), link).to.equal(true);
  });
});
