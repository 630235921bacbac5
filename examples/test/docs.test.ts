import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import * as core from '@vircommand/core/backend';
import { compile, run } from './code-blocks';
import { anchors, asPattern, documents, links, root, type Block } from './documents';

const all = documents();

describe('the documents', function () {
  this.timeout(120_000);

  describe('their code', () => {
    let wrong = new Map<Block, string>();
    before(() => {
      wrong = compile(all);
    });

    for (const document of all) {
      for (const [index, block] of document.blocks.entries()) {
        if (/^ts\b/.test(block.info)) {
          it(`compiles: ${block.where}`, () => {
            expect(wrong.get(block)).to.equal(undefined);
          });
        }
        if (block.info !== 'ts run') continue;
        it(`prints what it says: ${block.where}`, async function () {
          if (process.platform !== 'linux') this.skip();
          const expected = document.blocks[index + 1];
          expect(expected?.info, 'the block behind it').to.equal('text output');
          expect(await run(block, document)).to.match(asPattern(expected?.code ?? ''));
        });
      }
    }
  });

  describe('their links', () => {
    for (const document of all) {
      const targets = links(document).filter((target) => !/^[a-z]+:/.test(target));
      if (targets.length === 0) continue;
      it(`lead somewhere: ${document.file}`, () => {
        for (const target of targets) {
          const [to = '', anchor] = target.split('#');
          const file = path.normalize(
            path.join(path.dirname(document.file), to === '' ? path.basename(document.file) : to),
          );
          expect(existsSync(path.join(root, file)), `${target} in ${document.file}`).to.equal(true);
          if (anchor === undefined) continue;
          const there = all.find((candidate) => candidate.file === file);
          expect(there === undefined ? [] : anchors(there), `${target} in ${document.file}`).to.include(anchor);
        }
      });
    }
  });

  describe('their tables', () => {
    const text = (file: string): string => readFileSync(path.join(root, file), 'utf8').replace(/ +\|/g, ' |');
    const source = (file: string): string => text(path.join('packages', 'core', 'src', file));

    it('name every method of a command, and every function of libvirt that one of them stands for', () => {
      const told = text('docs/from-libvirt.md');
      const declared = source('command.ts');
      const methods = Array.from(declared.matchAll(/^ {2}([a-z][A-Za-z0-9]+)\(/gm), ([, name]) => name);
      expect(methods.length).to.be.above(60);
      for (const method of methods)
        if (method !== 'constructor') expect(told).to.match(new RegExp(`\`.*\\b${method}\\b`));
      const functions = `${declared}${source('running.ts')}`.match(/virCommand[A-Z]\w+/g) ?? [];
      expect(functions.length).to.be.above(50);
      for (const name of functions) expect(told, name).to.contain(`\`${name}\``);
    });

    it('name every stage, with its words', () => {
      const told = text('docs/errors.md');
      for (const [stage, what] of Object.entries(core.STAGES)) expect(told).to.contain(`| \`${stage}\` | ${what} |`);
      const [section = ''] = /^## Stages$[\s\S]*?^## /m.exec(told) ?? [];
      const rows = section.match(/^\| `.*$/gm) ?? [];
      expect(rows).to.have.lengthOf(Object.keys(core.STAGES).length);
      for (const row of rows) expect(row, 'what it means, and what to do').to.match(/^(\| [^|]+ ){4}\|$/);
    });

    it('name every class of errors and every code', () => {
      const told = text('docs/errors.md');
      const declared = source('errors.ts');
      const codes = new Set(declared.match(/ERR_COMMAND_[A-Z_]+/g));
      const classes = Array.from(declared.matchAll(/^export (?:abstract )?class (\w+)/gm), ([, name]) => name);
      expect(codes.size).to.be.above(9);
      expect(classes.length).to.be.above(9);
      const mocks = ['errors.ts', 'recording-error.ts']
        .map((file) => text(path.join('packages/mock/src', file)))
        .join('');
      const theirs = new Set(mocks.match(/ERR_(?:MOCK|RECORDING)_[A-Z_]+/g));
      expect(theirs.size).to.be.above(15);
      for (const name of [...codes, ...classes, ...theirs]) expect(told).to.contain(`\`${name ?? ''}\``);
    });
  });

  it('have the table of features that core has', () => {
    const tool = createRequire(__filename)('../../tools/feature-table.cjs') as {
      document(from: typeof core): { readonly before: string; readonly after: string };
    };
    const { before, after } = tool.document(core);
    expect(before).to.equal(after);
  });
});
