import { expect } from 'chai';
import { build, type BuildOptions } from 'esbuild';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import * as ts from 'typescript';
import { emptyProject, inProject, MANAGERS, type Project } from './managers';
import { nodes } from './nodes';
import { packed } from './pack';
import { root } from './packages';
import { startRegistry, usualRegistry, type Registry } from './registry';

const within = { timeout: 120_000 };
const projects = path.join(__dirname, 'projects');

/** Of yarn: steps, and that its only way to load ES modules is experimental, which is not ours to mend. */
const harmless = /YN00(?:00|13|85|92)/;
/** What frightens: a warning of any kind. */
const frightening = (output: string): string[] =>
  output.split('\n').filter((line) => /warn|error|deprecat|YN\d{4}/i.test(line) && !harmless.test(line));

/** Compiles the TypeScript program of a project as its owner would, and checks our declarations too. */
function compile(
  directory: string,
  file: string,
  module: ts.ModuleKind,
  resolution: ts.ModuleResolutionKind,
): string[] {
  const program = ts.createProgram([path.join(directory, file)], {
    module,
    moduleResolution: resolution,
    ignoreDeprecations: '6.0',
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts'],
    strict: true,
    esModuleInterop: true,
    // The default since TypeScript 6: what is published asks for Node's types itself.
    types: [],
    typeRoots: [path.join(root, 'node_modules', '@types')],
    outDir: directory,
  });
  const { diagnostics } = program.emit();
  return [...ts.getPreEmitDiagnostics(program), ...diagnostics].map(
    ({ file, messageText }) => `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
  );
}

describe('what is published', function () {
  this.timeout(600_000);
  if (process.platform !== 'linux' || process.arch !== 'x64') return;

  let scratch = '';
  let registry: Registry | undefined;
  let versions: ReadonlyMap<string, string> = new Map();
  before(async () => {
    scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'vircommand-install-')));
    registry = await startRegistry(await packed(), await usualRegistry());
    versions = await nodes();
  });
  after(async () => {
    await registry?.[Symbol.asyncDispose]();
    rmSync(scratch, { recursive: true, force: true });
  });

  /** A project in which packages were installed, once for each kind. */
  const made = new Map<string, Project>();
  async function project(name: string, node: string, wanted: readonly string[]): Promise<Project> {
    const key = JSON.stringify([name, node, wanted]);
    const known = made.get(key);
    if (known !== undefined) return known;
    const manager = MANAGERS[name];
    if (manager === undefined || registry === undefined) throw new Error(`there is no manager ${name}`);
    const fresh: Project = { directory: path.join(scratch, String(made.size)), registry: registry.url, node };
    made.set(key, fresh);
    mkdirSync(fresh.directory);
    emptyProject(fresh, manager);
    const { stdout } = await inProject(fresh, manager, [...manager.add(fresh), ...wanted]).run(within);
    expect(frightening(stdout)).to.deep.equal([]);
    return fresh;
  }
  async function run(name: string, at: Project, ...file: readonly string[]): Promise<string> {
    const manager = MANAGERS[name];
    if (manager === undefined) throw new Error(`there is no manager ${name}`);
    const { stdout } = await inProject(at, manager, [...manager.run, ...file]).run(within);
    return stdout;
  }

  for (const name of Object.keys(MANAGERS)) {
    it(`is installed with ${name}, without a compiler and without a warning, and works by require() and import`, async () => {
      for (const node of versions.values()) {
        const at = await project(name, node, ['vircommand']);
        copyFileSync(path.join(projects, 'all.cjs'), path.join(at.directory, 'all.cjs'));
        expect(await run(name, at, 'all.cjs')).to.equal('all\n');
      }
    });
  }

  it('is installed in parts, each with what it needs and nothing else', async () => {
    const expected: Readonly<Record<string, readonly string[]>> = {
      '@vircommand/core': [],
      '@vircommand/child-process': ['@vircommand/core'],
      '@vircommand/mock': ['@vircommand/core'],
      '@vircommand/script': ['@vircommand/core'],
      '@vircommand/posix': ['@vircommand/core', '@koromix/koffi-linux-x64'],
    };
    for (const [name, others] of Object.entries(expected)) {
      const at = await project('npm', process.execPath, [name]);
      const lock = JSON.parse(readFileSync(path.join(at.directory, 'node_modules/.package-lock.json'), 'utf8')) as {
        readonly packages: object;
      };
      const installed = Object.keys(lock.packages).map((place) => place.replace('node_modules/', ''));
      expect(installed).to.have.members([name, ...others]);
    }
  });

  it('brings the command', async () => {
    const at = await project('npm', process.execPath, ['vircommand']);
    const said = await run('npm', at, 'node_modules/.bin/vircommand', 'run', '--', 'echo', 'hello');
    expect(said).to.equal('hello\n');
  });

  const resolutions = {
    node16: [ts.ModuleKind.Node16, ts.ModuleResolutionKind.Node16],
    bundler: [ts.ModuleKind.ESNext, ts.ModuleResolutionKind.Bundler],
  } as const;
  for (const [name, [module, resolution]] of Object.entries(resolutions)) {
    it(`has its types where TypeScript resolves as ${name}, and runs as an ES module`, async () => {
      for (const node of versions.values()) {
        const at = await project('npm', node, ['vircommand']);
        copyFileSync(path.join(projects, 'use.mts'), path.join(at.directory, 'use.mts'));
        expect(compile(at.directory, 'use.mts', module, resolution)).to.deep.equal([]);
        expect(await run('npm', at, 'use.mjs')).to.equal('used\n');
      }
    });
  }

  it('has its types where TypeScript knows no `exports`', async () => {
    const at = await project('npm', process.execPath, ['vircommand']);
    const { exports } = JSON.parse(
      readFileSync(path.join(at.directory, 'node_modules/vircommand/package.json'), 'utf8'),
    ) as { readonly exports: Readonly<Record<string, unknown>> };
    const entries = Object.keys(exports).filter((entry) => entry !== './package.json');
    const text = entries.map(
      (entry, i) => `import * as e${i} from 'vircommand${entry.slice(1)}'; export const v${i} = e${i};`,
    );
    writeFileSync(path.join(at.directory, 'classic.ts'), text.join('\n'));
    const { ModuleKind, ModuleResolutionKind } = ts;
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the default of many projects that compile to CommonJS
    expect(compile(at.directory, 'classic.ts', ModuleKind.CommonJS, ModuleResolutionKind.Node10)).to.deep.equal([]);
  });

  it('is all that the declarations of a library name', async () => {
    const { directory } = await project('npm', process.execPath, ['vircommand']);
    const entries = ['vircommand', '@vircommand/posix', '@vircommand/child-process'];
    for (const [index, entry] of entries.entries()) {
      const library = `import { Command } from '${entry}'; export const git = () => new Command('git', [], { stdout: 'text' });`;
      writeFileSync(path.join(directory, `library${index}.mts`), library);
    }
    const files = entries.map((_, index) => path.join(directory, `library${index}.mts`));
    const { NodeNext: module } = ts.ModuleKind;
    const program = ts.createProgram(files, { module, declaration: true, types: [], skipLibCheck: true });
    const emitted = new Map<string, string>();
    program.emit(undefined, (file, text) => emitted.set(path.basename(file), text), undefined, true);
    const named = entries.map(
      (_, index) => /import\("(.*)"\)\.Command\w*</.exec(emitted.get(`library${index}.d.mts`) ?? '')?.[1],
    );
    expect(named).to.deep.equal(entries);
  });

  describe('bundled by esbuild', () => {
    /** A project without `node_modules`. */
    function alone(name: string): Project {
      const project: Project = { directory: path.join(scratch, name), registry: '', node: process.execPath };
      if (MANAGERS.npm === undefined) throw new Error('there is no npm');
      mkdirSync(project.directory);
      emptyProject(project, MANAGERS.npm);
      return project;
    }
    const bundle = (at: Project, program: string, outfile: string, options: BuildOptions): Promise<unknown> => {
      copyFileSync(path.join(projects, program), path.join(at.directory, program));
      return build({
        entryPoints: [path.join(at.directory, program)],
        outfile,
        bundle: true,
        platform: 'node',
        target: 'node20.19',
        logLevel: 'silent',
        ...options,
      });
    };

    it('runs without node_modules', async () => {
      const there = alone('without');
      await bundle(
        await project('npm', process.execPath, ['vircommand']),
        'use.mts',
        path.join(there.directory, 'bundle.mjs'),
        { format: 'esm' },
      );
      expect(await run('npm', there, 'bundle.mjs')).to.equal('used\n');
    });

    const formats: Readonly<Record<string, BuildOptions>> = {
      'bundle.cjs': {
        format: 'cjs',
        // webpack and what is like it leave nothing of `require()`.
        banner: { js: 'require = undefined;' },
      },
      'bundle.mjs': { format: 'esm' },
    };
    for (const [name, options] of Object.entries(formats)) {
      it(`takes posix where its driver is found from ${name}, and child-process elsewhere`, async () => {
        const at = await project('npm', process.execPath, ['vircommand']);
        const file = path.join(at.directory, name);
        await bundle(at, 'hello.cjs', file, options);
        expect(await run('npm', at, name)).to.equal('posix: hello\n');
        const there = alone(`elsewhere-${name}`);
        copyFileSync(file, path.join(there.directory, name));
        expect(await run('npm', there, name)).to.equal('child-process: hello\n');
      });
    }
  });
});
