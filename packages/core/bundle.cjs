'use strict';
// What is published: all of core in one minified file that both entry points re-export, so that they share every class, and
// its declarations in another. tsc's own output in dist/modules is for project references and tests, and is not published.
// See docs/decisions/core-size.md.
const { writeFileSync } = require('node:fs');
const path = require('node:path');
const { generateDtsBundle } = require('dts-bundle-generator');
const ts = require('typescript');
const { bundlePackage, clearDist } = require('../../tools/bundle.cjs');

const dist = path.join(__dirname, 'dist');
const entries = ['index', 'backend'];
const sourceOf = (name) => path.join(__dirname, 'src', `${name}.ts`);
const write = (name, text) => writeFileSync(path.join(dist, name), text);

clearDist(__dirname);

/** The names that a module exports: those of values, and those of types alone. */
function exportsOf(program, name) {
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(sourceOf(name)));
  const [values, types] = [[], []];
  for (const symbol of checker.getExportsOfModule(module)) {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    (target.flags & ts.SymbolFlags.Value ? values : types).push(symbol.name);
  }
  return { values, types };
}

const project = path.join(__dirname, 'tsconfig.build.json');
const { options } = ts.getParsedCommandLineOfConfigFile(
  project,
  {},
  { ...ts.sys, onUnRecoverableConfigFileDiagnostic },
);
function onUnRecoverableConfigFileDiagnostic({ messageText }) {
  throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'));
}
const program = ts.createProgram([...entries, 'core'].map(sourceOf), options);
const given = {};
for (const name of entries) {
  const { values, types } = exportsOf(program, name);
  given[name] = values;
  write(
    `${name}.d.ts`,
    `export { ${[...values, ...types.map((type) => `type ${type}`)].join(', ')} } from './core';\n`,
  );
}
bundlePackage({ directory: __dirname, file: 'core', first: given, options: { minify: true } });

const [declarations] = generateDtsBundle([{ filePath: sourceOf('core'), output: { noBanner: true } }], {
  preferredConfigPath: project,
});
// Since TypeScript 6 nothing is taken from @types that no file asks for.
write('core.d.ts', `/// <reference types="node" />\n${declarations}`);
