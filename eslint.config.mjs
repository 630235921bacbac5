import tseslint from 'typescript-eslint';
import vircommand from './packages/eslint-plugin/dist/index.js';

// Where programs are run without this library, by path, and why they must be.
const withoutCommand = {
  'packages/child-process/src/{start,sync}.ts': 'the backend over node:child_process',
  'packages/conformance/src/pipe.ts': 'mkfifo, for the cases, whatever the backend under test does',
  'packages/conformance/src/programs/report.js': 'the program under test, which starts descendants',
  'examples/src/elsewhere/backend.ts': 'the backend of somebody else, over node:child_process',
  'packages/*/test/**': 'tests start what looks at us from outside, and compare with what Node does',
  'tools/bench/**': 'what is measured against, and programs that must not disturb the measurement',
  'tools/soak/test/**': 'tests start what looks at us from outside',
  'tools/{workspace,commits}.cjs': 'runs before anything is built',
  'tools/release/publish.cjs': 'runs where what is published must not be needed',
};

// Where a rule of ours is broken on purpose, since what then happens is what is tested.
const onPurpose = {
  'packages/conformance/src/cases/lines.ts': ['no-floating-run'],
  'packages/conformance/src/cases/preparation.ts': ['no-undisposed-running'],
  'packages/core/test/types.test.ts': ['no-floating-run', 'no-undisposed-running'],
  'packages/mock/test/engine.test.ts': ['no-undisposed-running'],
};

const off = (rules) => Object.fromEntries(rules.map((rule) => [`vircommand/${rule}`, 'off']));

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '.nx/**'] },
  vircommand.configs.recommended,
  { files: Object.keys(withoutCommand), rules: off(['no-child-process']) },
  Object.entries(onPurpose).map(([file, rules]) => ({ files: [file], rules: off(rules) })),
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Numbers in messages are what they look like.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // An overload per stream is how the result's type says what was asked for.
      '@typescript-eslint/unified-signatures': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['packages/eslint-plugin/**/*.ts'],
    rules: {
      // The types of nodes are an enum of typescript-eslint's, which the plugin has as types only.
      '@typescript-eslint/no-unsafe-enum-comparison': 'off',
    },
  },
  {
    files: ['**/test/**/*.ts'],
    rules: {
      // chai's assertions are property accesses.
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-floating-promises': ['error', { ignoreIIFE: true }],
    },
  },
);
