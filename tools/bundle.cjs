'use strict';
// How a package is published whose modules would cost an import, or a first start: all of them in one file, and for each entry
// point a small one that names what it gives of it, so that they share every class and every state.
// See docs/decisions/one-file.md.
const { readdirSync, rmSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { buildSync } = require('esbuild');
const { version } = require('../packages/posix/package.json');

/** What all bundles of this repository have in common: options of esbuild. */
const always = (exports.always = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  legalComments: 'none',
});

/**
 * Of packages whose size is not what counts: stacks show names and, with maps, sources, and a first start is quicker than fully
 * minified.
 */
exports.readable = { minifyWhitespace: true, sourcemap: 'linked', sourcesContent: false };

/** For what starts the programs of posix: an option `define`. Whose version is another one is not started. */
const posixVersion = (exports.posixVersion = { POSIX_VERSION: JSON.stringify(version) });

const posixSources = path.join(__dirname, '..', 'packages', 'posix', 'src');

/** The programs that posix starts, each a file whose name nobody else has and whose first line says what it is: options of esbuild. */
exports.posixPrograms = (directory) =>
  Object.entries({ launcher: ['launcher', 'main.ts'], 'spawner-thread': ['spawner', 'worker.ts'] }).map(
    ([name, source]) => ({
      ...always,
      entryPoints: [path.join(posixSources, ...source)],
      outfile: path.join(directory, `vircommand-${name}.cjs`),
      banner: { js: `// @vircommand/posix ${name} ${version}` },
      conditions: ['@vircommand/source'],
      define: posixVersion,
      minify: true,
    }),
  );

/**
 * Node's own modules are asked for in this way, since there is no `require` in a bundle of ES modules that somebody makes of it.
 * The name is as long as that, so that maps stay right.
 */
const builtinBanner = { js: 'var builtin=process.getBuiltinModule;' };
const withBuiltins = (text) => text.replaceAll('require("node:', 'builtin("node:');

/**
 * @param directory of the package
 * @param file its name in `dist`, without an ending
 * @param first entry points that are evaluated when any is loaded: their paths in `src`, and the names of their values
 * @param later entry points that are evaluated when they are loaded themselves
 * @param options of esbuild
 */
exports.bundlePackage = ({ directory, file, first, later = {}, options }) => {
  const imports = new Map();
  for (const [entry, names] of Object.entries(first)) for (const name of names) imports.set(name, entry);
  const importOf = (entry) => {
    const names = Array.from(imports.keys()).filter((name) => imports.get(name) === entry);
    return `import { ${names.join(', ')} } from './${entry}';`;
  };
  const latter = Object.keys(later).map((entry) => `'${entry}': () => require('./${entry}')`);
  // Plain assignment, since a getter for each name would take a tenth of the time of an import.
  const given = [...imports.keys(), ...(latter.length > 0 ? [`later: { ${latter.join(', ')} }`] : [])].join(', ');
  const contents = `${Object.keys(first).map(importOf).join('\n')}\nmodule.exports = { ${given} };`;
  const { outputFiles } = buildSync({
    ...always,
    banner: builtinBanner,
    // A map names it as the source, so it must be a file that is published.
    stdin: { contents, resolveDir: path.join(directory, 'src'), sourcefile: '../dist/index.js' },
    logOverride: { 'commonjs-variable-in-esm': 'silent' },
    outfile: path.join(directory, 'dist', `${file}.js`),
    ...options,
    write: false,
  });
  for (const { path: file, text } of outputFiles) writeFileSync(file, file.endsWith('.js') ? withBuiltins(text) : text);
  for (const [entry, names] of Object.entries(first)) writeEntry(directory, entry, names, `require('./${file}.js')`);
  for (const [entry, names] of Object.entries(later)) {
    writeEntry(directory, entry, names, `require('./${file}.js').later['${entry}']()`);
  }
};

/** `pidfile/index` is published as `pidfile`. Shorthand names are what Node's ES module loader finds without running the file. */
function writeEntry(directory, entry, names, source) {
  const list = names.join(', ');
  const text = `'use strict';\nconst { ${list} } = ${source};\nmodule.exports = { ${list} };\n`;
  writeFileSync(path.join(directory, 'dist', `${entry.replace(/\/index$/, '')}.js`), text);
}

/** The names of the values that a module gives, as tsc has built it. */
exports.namesOf = (directory, entry) => Object.keys(require(path.join(directory, 'dist', 'modules', entry)));

/** Empties `dist`, but for tsc's own output, which is for project references and declarations. */
exports.clearDist = (directory) => {
  const dist = path.join(directory, 'dist');
  for (const name of readdirSync(dist)) if (name !== 'modules') rmSync(path.join(dist, name), { recursive: true });
};
