/** Packages that everybody uses: each rule goes over all of their files, and their use of child_process is found. */
import { expect } from 'chai';
import plugin from 'eslint-plugin-vircommand';
import { Linter } from 'eslint';
import { readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import tseslint from 'typescript-eslint';

/** The files that load `node:child_process`, as reading them shows. */
const packages: Record<string, { readonly sourceType: 'module' | 'commonjs'; readonly use: readonly string[] }> = {
  'cross-spawn': { sourceType: 'commonjs', use: ['index.js'] },
  execa: {
    sourceType: 'module',
    use: [
      'lib/methods/main-async.js',
      'lib/methods/main-sync.js',
      'lib/methods/template.js',
      'lib/return/early-error.js',
    ],
  },
  shelljs: { sourceType: 'commonjs', use: ['src/exec-child.js', 'src/exec.js'] },
};

function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((file) => file.split(path.sep).join('/'))
    .filter((file) => /\.c?js$/.test(file) && !file.includes('node_modules'))
    .sort();
}

for (const [name, { sourceType, use }] of Object.entries(packages)) {
  const directory = path.join(__dirname, '..', 'node_modules', name);

  for (const parser of ['espree', 'typescript-eslint']) {
    it(`${name} is gone over, and its child_process found (${parser})`, () => {
      const linter = new Linter();
      const found = filesOf(directory).flatMap((file) => {
        const messages = linter.verify(
          readFileSync(path.join(directory, file), 'utf8'),
          [
            plugin.configs.strict,
            {
              languageOptions: { sourceType, ...(parser === 'espree' ? {} : { parser: tseslint.parser }) },
              linterOptions: { reportUnusedDisableDirectives: 'off' },
            },
          ],
          { filename: file },
        );
        expect(
          messages.filter(({ fatal }) => fatal === true),
          file,
        ).to.deep.equal([]);
        return messages.flatMap(({ ruleId }) =>
          ruleId?.startsWith('vircommand/') === true ? [`${file} ${ruleId}`] : [],
        );
      });
      expect(Array.from(new Set(found))).to.deep.equal(use.map((file) => `${file} vircommand/no-child-process`));
    });
  }
}
