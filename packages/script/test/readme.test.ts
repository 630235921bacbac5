import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import * as ts from 'typescript';

/** What each column of the table begins with. */
const imports: Readonly<Record<string, string>> = {
  child_process: `import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';`,
  execa: `import { execa, execaSync } from 'execa';`,
  zx: `import { $ } from 'zx';`,
  here: `import { Command } from '@vircommand/child-process';
import { createScript } from '@vircommand/script';
const { $, run } = createScript(Command);`,
};
const common = `const list = ['a', 'b c'];
const soon = () => AbortSignal.timeout(50);`;

interface Cell {
  readonly column: string;
  readonly code: string;
}

/** The rows between the marks. */
function table(): { readonly title: string; readonly cells: readonly Cell[] }[] {
  const text = readFileSync(path.join(__dirname, '..', 'README.md'), 'utf8');
  const [, inside = ''] = /<!-- table -->\n([^]*)<!-- \/table -->/.exec(text) ?? [];
  const rows = inside
    .trim()
    .split('\n')
    .map((line) => line.replace(/^\|\s*|\s*\|$/g, '').split(/\s*\|\s*/));
  const [header = [], , ...body] = rows;
  return body.map(([title = '', ...columns]) => ({
    title,
    cells: columns.flatMap((cell, index) => {
      const code = /^(`+)(.*)\1$/.exec(cell)?.[2];
      return code === undefined ? [] : [{ column: header.at(index - columns.length) ?? '', code }];
    }),
  }));
}

const sourceOf = ({ column, code }: Cell): string =>
  `${imports[column] ?? ''}\n${common}\nexport const value: unknown = ${code};\n`;

/** What the compiler has to say of each cell. */
function complaints(cells: readonly Cell[]): string[] {
  const config = path.join(__dirname, '..', 'tsconfig.json');
  const { config: given } = ts.readConfigFile(config, (name) => ts.sys.readFile(name)) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(given, ts.sys, path.dirname(config));
  const modules = new Map(cells.map((cell, index) => [path.join(__dirname, `cell-${index}.mts`), sourceOf(cell)]));
  const host = ts.createCompilerHost(options);
  const getSourceFile = host.getSourceFile.bind(host);
  host.fileExists = (file) => modules.has(file) || ts.sys.fileExists(file);
  host.readFile = (file) => modules.get(file) ?? ts.sys.readFile(file);
  host.getSourceFile = (file, version, ...rest) => {
    const text = modules.get(file);
    return text === undefined ? getSourceFile(file, version, ...rest) : ts.createSourceFile(file, text, version, true);
  };
  const program = ts.createProgram(Array.from(modules.keys()), options, host);
  return Array.from(modules.keys()).flatMap((file) =>
    [
      ...program.getSyntacticDiagnostics(program.getSourceFile(file)),
      ...program.getSemanticDiagnostics(program.getSourceFile(file)),
    ].map(({ messageText }) => `${modules.get(file) ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`),
  );
}

type Body = (require: NodeJS.Require, exports: { value?: unknown }) => Promise<void>;
const AsyncFunction = (async () => Promise.resolve()).constructor as new (...parts: string[]) => Body;

async function valueOf(cell: Cell): Promise<string> {
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.CommonJS };
  const { outputText } = ts.transpileModule(sourceOf(cell), { compilerOptions });
  const exported: { value?: unknown } = {};
  await new AsyncFunction('require', 'exports', outputText)(createRequire(__filename), exported);
  const { value } = exported;
  const plain = value instanceof Uint8Array ? `bytes ${Buffer.from(value).toString()}` : value;
  // Where others leave the newline at the end, it is the same output.
  return JSON.stringify(typeof plain === 'string' ? plain.trimEnd() : plain);
}

describe('the table of the README', function () {
  this.timeout(120_000);
  if (process.platform !== 'linux') return;
  const rows = table();

  it('compiles, every cell', () => {
    expect(rows.length).to.be.above(10);
    expect(complaints(rows.flatMap(({ cells }) => cells))).to.deep.equal([]);
  });

  for (const { title, cells } of rows) {
    it(`has one answer: ${title}`, async () => {
      expect(cells.at(-1)?.column).to.equal('here');
      const answers: Record<string, string> = {};
      for (const cell of cells) answers[cell.column] = await valueOf(cell);
      for (const [column, answer] of Object.entries(answers)) expect(answer, column).to.equal(answers.here);
      expect(answers.here).to.have.length.above(0);
    });
  }
});
