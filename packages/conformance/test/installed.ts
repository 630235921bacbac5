/** A directory elsewhere in which packages of this project are installed, as a third party has them: what is built. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import * as ts from 'typescript';

const packages = path.join(__dirname, '..', '..');

/** As the build does, but for the types. `.cts`, so that `import()` stays what it is. */
export function transpile(source: string): string {
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.Node16 };
  return ts.transpileModule(source, { compilerOptions, fileName: 'module.cts' }).outputText;
}

/** A new directory with these packages in `node_modules/@vircommand`; `others` are links, by name. */
export function install(
  names: readonly string[],
  others: Readonly<Record<string, string>> = {},
): { readonly directory: string; readonly remove: () => void } {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'installed-')));
  const modules = path.join(directory, 'node_modules');
  mkdirSync(path.join(modules, '@vircommand'), { recursive: true });
  writeFileSync(path.join(directory, 'package.json'), '{}\n');
  for (const name of names) symlinkSync(path.join(packages, name), path.join(modules, '@vircommand', name));
  for (const [name, target] of Object.entries(others)) symlinkSync(target, path.join(modules, name));
  return {
    directory,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** The environment without what this runner and its loaders put into it. */
export const cleanEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NODE_|TS_NODE_|MOCHA|SUBJECT)/.test(name)));
