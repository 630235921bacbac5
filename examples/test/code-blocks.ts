/** Compiles blocks of code as a user's modules, and runs them. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { format } from 'node:util';
import * as ts from 'typescript';
import { root, type Block, type Document } from './documents';

const here = path.join(root, 'examples');

/** Where a document's blocks are modules: packages are found from its directory first, then from here. */
const homes = ({ file }: Pick<Document, 'file'>): string[] => [path.join(root, path.dirname(file)), here];

function compilerOptions(): ts.CompilerOptions {
  const file = path.join(here, 'tsconfig.json');
  const { config } = ts.readConfigFile(file, (name) => ts.sys.readFile(name)) as { config: unknown };
  return { ...ts.parseJsonConfigFileContent(config, ts.sys, here).options, noEmit: true };
}

/** What the compiler has to say of each block; nothing if all is well. */
export function compile(all: readonly Document[]): Map<Block, string> {
  const options = compilerOptions();
  const modules = new Map<string, { readonly block: Block; readonly homes: readonly string[] }>();
  for (const document of all) {
    for (const [index, block] of document.blocks.entries()) {
      if (!/^ts\b/.test(block.info)) continue;
      const [home = here] = homes(document);
      const name = `${path.basename(document.file, '.md')}-${index}.mts`;
      modules.set(path.join(home, name), { block, homes: homes(document) });
    }
  }
  const host = ts.createCompilerHost(options);
  const getSourceFile = host.getSourceFile.bind(host);
  const textOf = (file: string): string | undefined => {
    const module = modules.get(file);
    return module === undefined ? undefined : `${module.block.code}export {};\n`;
  };
  host.fileExists = (file) => modules.has(file) || ts.sys.fileExists(file);
  host.readFile = (file) => textOf(file) ?? ts.sys.readFile(file);
  host.getSourceFile = (file, version, ...rest) => {
    const text = textOf(file);
    if (text === undefined) return getSourceFile(file, version, ...rest);
    return ts.createSourceFile(file, text, version, true);
  };
  host.resolveModuleNameLiterals = (literals, file, _redirected, given, source) =>
    literals.map((literal) => {
      const mode = ts.getModeForUsageLocation(source, literal, given);
      const found = (modules.get(file)?.homes ?? [path.dirname(file)]).map((home) =>
        ts.resolveModuleName(
          literal.text,
          path.join(home, path.basename(file)),
          given,
          host,
          undefined,
          undefined,
          mode,
        ),
      );
      return found.find(({ resolvedModule }) => resolvedModule !== undefined) ?? { resolvedModule: undefined };
    });
  const program = ts.createProgram(Array.from(modules.keys()), options, host);
  const wrong = new Map<Block, string>();
  for (const [file, { block }] of modules) {
    const diagnostics = [
      ...program.getSyntacticDiagnostics(program.getSourceFile(file)),
      ...program.getSemanticDiagnostics(program.getSourceFile(file)),
    ];
    const said = diagnostics.map(({ messageText, start = 0 }) => {
      const line = block.code.slice(0, start).split('\n').length;
      return `line ${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
    if (said.length > 0) wrong.set(block, said.join('\n'));
  }
  return wrong;
}

type Body = (require: NodeJS.Require, console: Pick<Console, 'log'>, exports: object) => Promise<void>;
const AsyncFunction = (async () => Promise.resolve()).constructor as new (...parts: string[]) => Body;

/** Runs a block in this process; what it printed with `console.log`. */
export async function run({ code, where }: Block, document: Pick<Document, 'file'>): Promise<string> {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.CommonJS, esModuleInterop: false },
  });
  const requires = homes(document).map((home) => createRequire(path.join(home, 'block.js')));
  const find = (name: string): unknown => {
    const [first, second] = requires;
    try {
      return first?.(name);
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'MODULE_NOT_FOUND') throw error;
      return second?.(name);
    }
  };
  const lines: string[] = [];
  const print = { log: (...values: unknown[]) => void lines.push(`${format(...values)}\n`) };
  const body = new AsyncFunction('require', 'console', 'exports', `${outputText}\n//# sourceURL=${where}`);
  const env = { ...process.env };
  const cwd = process.cwd();
  // Who reads a guide and tries it is no CI, where nothing may be recorded.
  Reflect.deleteProperty(process.env, 'CI');
  try {
    await body(find as NodeJS.Require, print, {});
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in env)) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, env);
    if (existsSync(cwd)) process.chdir(cwd);
  }
  return lines.join('');
}
