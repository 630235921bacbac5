/** ESLint's own rule tester, with the parser of JavaScript and with that of TypeScript. */
import { RuleTester, type Rule } from 'eslint';
import tseslint from 'typescript-eslint';

interface Cases {
  readonly valid: (string | RuleTester.ValidTestCase)[];
  readonly invalid: RuleTester.InvalidTestCase[];
}

const parsers = [
  { name: 'espree', languageOptions: {} },
  { name: 'typescript-eslint', languageOptions: { parser: tseslint.parser } },
];

/** Runs the cases with both parsers, and those that are TypeScript with its own. */
export function test(name: string, rule: Rule.RuleModule, cases: Cases, typescript: Cases): void {
  for (const { name: parser, languageOptions } of parsers) {
    describe(`${name}, ${parser}`, () => {
      const options = { ecmaVersion: 2026 as const, sourceType: 'module' as const, ...languageOptions };
      new RuleTester({ languageOptions: options }).run(name, rule, cases);
      if (parser === 'typescript-eslint')
        new RuleTester({ languageOptions: options }).run(`${name}, types`, rule, typescript);
    });
  }
}
