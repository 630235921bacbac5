/** ESLint rules for programs that are run with vircommand. */
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import type { ESLint, Linter, Rule } from 'eslint';
import { noChildProcess } from './rules/no-child-process';
import { noFloatingRun } from './rules/no-floating-run';
import { noPlainSecret } from './rules/no-plain-secret';
import { noShellString } from './rules/no-shell-string';
import { noUndisposedRunning } from './rules/no-undisposed-running';

const rules = {
  'no-child-process': noChildProcess,
  'no-floating-run': noFloatingRun,
  'no-plain-secret': noPlainSecret,
  'no-shell-string': noShellString,
  'no-undisposed-running': noUndisposedRunning,
} satisfies Record<string, Rule.RuleModule>;

/**
 * The plugin: its rules, and the presets `recommended` and `strict` for flat configuration.
 *
 * @example
 * ```ts
 * import vircommand from 'eslint-plugin-vircommand';
 *
 * export default [vircommand.configs.recommended];
 * ```
 */
interface Plugin extends ESLint.Plugin {
  meta: { name: string; version: string; namespace: string };
  /** By name, without the prefix `vircommand/`. */
  rules: Record<keyof typeof rules, Rule.RuleModule>;
  configs: {
    /** Every rule; what it finds is wrong, or nearly always so. */
    recommended: Linter.Config;
    /** Every rule with its strict options: no types of child_process, no `void`, `await using` for all that runs. */
    strict: Linter.Config;
  };
}

/** A release changes the manifest only. The sources and what is built of them lie at the same depth below it. */
const { name, version } = JSON.parse(readFileSync(path.join(__dirname, '..', 'package.json'), 'utf8')) as {
  readonly name: string;
  readonly version: string;
};
const meta = { name, version, namespace: 'vircommand' };

const configs = {
  recommended: preset('recommended', {
    'vircommand/no-child-process': ['error', { allowTypeImports: true }],
    'vircommand/no-floating-run': 'error',
    'vircommand/no-plain-secret': 'error',
    'vircommand/no-shell-string': 'error',
    'vircommand/no-undisposed-running': 'error',
  }),
  strict: preset('strict', {
    'vircommand/no-child-process': 'error',
    'vircommand/no-floating-run': ['error', { ignoreVoid: false }],
    'vircommand/no-plain-secret': 'error',
    'vircommand/no-shell-string': ['error', { unknown: true }],
    'vircommand/no-undisposed-running': ['error', { requireUsing: true }],
  }),
};

/** A preset names the plugin that it is a part of: the very object, or a configuration that names it too is refused. */
function preset(name: string, settings: Linter.RulesRecord): Linter.Config {
  return {
    name: `vircommand/${name}`,
    get plugins() {
      return { vircommand: module.exports as Plugin };
    },
    rules: settings,
  };
}

// A literal, so that the names can be imported from an ES module too.
export = { meta, rules, configs } as Plugin;
