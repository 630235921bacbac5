/** The guides as a stranger follows them: an empty directory, what they say to install, each of their programs a file. */
import { expect } from 'chai';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import * as ts from 'typescript';
import { asPattern, documents } from '../../../examples/test/documents';
import { emptyProject, inProject, MANAGERS, type Project } from './managers';
import { packed } from './pack';
import { startRegistry, usualRegistry, type Registry } from './registry';

// docs/write-a-backend.md is followed by the tests of the conformance suite.
const guides = documents().filter(({ file }) => /^(?:README|docs\/(?!write-a-backend|decisions)[^/]+)\.md$/.test(file));
const commands = new Set(
  guides.flatMap(({ blocks }) => blocks.flatMap(({ code }) => code.match(/^\$ npm install .+$/gm) ?? [])),
);

describe('the guides, on what is published', function () {
  this.timeout(300_000);
  if (process.platform !== 'linux' || process.arch !== 'x64') return;

  const manager = MANAGERS.npm;
  if (manager === undefined) throw new Error('there is no npm');
  let project: Project;
  let registry: Registry;
  before(async () => {
    registry = await startRegistry(await packed(), await usualRegistry());
    const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'vircommand-guides-')));
    project = { directory, registry: registry.url, node: process.execPath };
    emptyProject(project, manager);
    for (const command of commands) {
      const wanted = command.split(' ').slice(3);
      await inProject(project, manager, [...manager.add(project), ...wanted]).run({ timeout: 120_000 });
    }
  });
  after(async () => {
    await registry[Symbol.asyncDispose]();
    rmSync(project.directory, { recursive: true, force: true });
  });

  it('say what to install', () => {
    expect(commands).to.include('$ npm install vircommand');
  });

  for (const { blocks } of guides) {
    for (const [index, { info, code, where }] of blocks.entries()) {
      if (info !== 'ts run') continue;
      it(`do what they say: ${where}`, async () => {
        const { outputText } = ts.transpileModule(code, {
          compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
        });
        writeFileSync(path.join(project.directory, 'example.mjs'), outputText);
        const example = inProject(project, manager, ['example.mjs']).addEnvPass('PATH');
        const { stdout } = await example.run({ timeout: 60_000 });
        expect(stdout).to.match(asPattern(blocks[index + 1]?.code ?? ''));
      });
    }
  }
});
