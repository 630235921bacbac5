/** The examples in the comments of the public interface are compiled, as the documents' are. */
import { expect } from 'chai';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { compile } from './code-blocks';
import { root, type Block, type Document } from './documents';

/** What the examples may take from elsewhere, the package itself first. */
const modules: readonly string[] = [
  '@vircommand/posix',
  '@vircommand/core',
  '@vircommand/core/backend',
  '@vircommand/child-process',
  '@vircommand/posix/pidfile',
  '@vircommand/mock',
  '@vircommand/conformance',
  'vircommand/script',
  'vircommand',
];
const load = createRequire(__filename);

/** What stands for the reader's own code. */
const placeholders: Readonly<Record<string, string>> = {
  applyFirewallRules: '() => Promise<void>',
  backend: "import('@vircommand/core/backend').Backend",
  codeUnderTest: '() => Promise<void>',
  command: "import('vircommand').Command",
  createSshBackend: "() => import('@vircommand/core/backend').Backend",
  deploy: '() => Promise<void>',
  expect: "typeof import('chai').expect",
  file: 'number',
  files: 'string[]',
  host: 'string',
  mock: "ReturnType<typeof import('@vircommand/mock').createMock>",
  passphrase: 'string',
  sshBackend: "(host: string) => import('@vircommand/core/backend').Backend",
  token: 'string',
  use: '(...values: readonly unknown[]) => void',
};

/** A template's `$` is not that of a pattern. */
const uses = (code: string, name: string): boolean =>
  new RegExp(name === '$' ? String.raw`(?<![\w'"$)/])\$[({\`.]` : `(?<![\\w.$'"/-])${name}(?![\\w$:'"])`).test(code);
const declares = (code: string, name: string): boolean =>
  Array.from(code.matchAll(/\b(?:const|let|using|import) ([^=]*?)(?: =| of | from )/g)).some(([, names = '']) =>
    names.split(/[^\w$]+/).includes(name),
  );

/** In one line, so that the compiler's line is the one after the fence. */
function prelude(code: string, own: string): string {
  const lines: string[] = [];
  const known = new Set<string>();
  for (const module of [own, ...modules]) {
    for (const name of Object.keys(load(module) as object)) {
      if (known.has(name) || !uses(code, name) || declares(code, name)) continue;
      known.add(name);
      lines.push(`import { ${name} } from '${module}';`);
    }
  }
  for (const [name, type] of Object.entries(placeholders)) {
    if (!known.has(name) && uses(code, name) && !declares(code, name)) lines.push(`declare const ${name}: ${type};`);
  }
  return lines.join(' ');
}

function sourcesBelow(directory: string): string[] {
  return readdirSync(path.join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.join(directory, name));
}

/** The examples of one file. */
function read(file: string, own: string): Document {
  const text = readFileSync(path.join(root, file), 'utf8');
  const blocks: Block[] = [];
  for (const { index, 1: indent = '', 2: body = '' } of text.matchAll(/^( *\* )```ts\n([^]*?)^ *\* ```$/gm)) {
    const code = body
      .split('\n')
      .map((line) => line.slice(indent.length))
      .join('\n');
    const where = `${file}:${text.slice(0, index).split('\n').length + 1}`;
    blocks.push({ where, info: 'ts', code: `${prelude(code, own)}\n${code}` });
  }
  return { file, blocks, prose: '' };
}

const packages = readdirSync(path.join(root, 'packages')).filter((name) => !['cli', 'eslint-plugin'].includes(name));

describe('the examples in comments', function () {
  this.timeout(120_000);
  const all = packages.flatMap((name) => {
    const manifest = JSON.parse(readFileSync(path.join(root, 'packages', name, 'package.json'), 'utf8')) as {
      name: string;
    };
    return sourcesBelow(path.join('packages', name, 'src')).map((file) => read(file, manifest.name));
  });
  const blocks = all.flatMap((document) => document.blocks);
  let wrong = new Map<Block, string>();
  before(() => {
    wrong = compile(all);
  });

  it('are there', () => {
    expect(blocks.length).to.be.above(30);
  });

  for (const block of blocks) {
    it(`compiles: ${block.where}`, () => {
      expect(wrong.get(block), block.code).to.equal(undefined);
    });
  }
});
