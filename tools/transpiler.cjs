'use strict';
// What ts-node runs is transpiled once and kept: hundreds of the processes that tests start load the same sources, and each
// would take two seconds of a processor for it. Kept by file, so that it does not grow; what is there for another text, for
// other options or by another TypeScript is made anew.
const { createHash } = require('node:crypto');
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const ts = require('typescript');

const root = path.join(__dirname, '..');
const kept = path.join(root, 'node_modules', '.cache', 'transpiled');
const hash = (...texts) => createHash('sha256').update(texts.join('\0')).digest('hex');
// The process.pid of threads is the same.
let count = 0;
const own = `${process.pid}-${require('node:worker_threads').threadId}`;

function read(file, wanted) {
  try {
    const { of, ...output } = JSON.parse(readFileSync(file, 'utf8'));
    return of === wanted ? output : undefined;
  } catch {
    return undefined;
  }
}

/** Another user may not, and a process without descriptors cannot: they do without. */
function keep(file, content) {
  const temporary = `${file}.${own}-${count++}`;
  try {
    mkdirSync(kept, { recursive: true });
    writeFileSync(temporary, JSON.stringify(content));
    renameSync(temporary, file);
  } catch {
    // As said.
  }
}

/** A transpiler as ts-node wants it. */
exports.create = ({ service }) => {
  const compilerOptions = service.config.options;
  // Without what differs by the package that loads a file, so that all have it from one.
  const relevant = { ...compilerOptions, configFilePath: undefined, outDir: undefined };
  const options = hash(ts.version, JSON.stringify(relevant));
  return {
    transpile(input, { fileName }) {
      const file = path.join(kept, `${path.basename(fileName)}-${hash(fileName, options).slice(0, 32)}`);
      const of = hash(input, fileName, options);
      const known = read(file, of);
      if (known !== undefined) return known;
      const output = ts.transpileModule(input, { fileName, compilerOptions, reportDiagnostics: true });
      const { outputText, sourceMapText, diagnostics } = output;
      if (diagnostics.length === 0) keep(file, { of, outputText, sourceMapText });
      return output;
    },
  };
};
