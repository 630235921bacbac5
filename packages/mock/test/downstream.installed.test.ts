/**
 * The example of a package that tests with recordings, as its author has it: installed from packed tarballs, recorded
 * once with the real program, and replayed in two test runners after the program is gone.
 */
import { expect } from 'chai';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { Command } from '@vircommand/child-process';
import { cleanEnvironment, install } from '../../conformance/test/installed';

const example = path.resolve(__dirname, '..', '..', '..', 'examples', 'downstream');
const names = ['core', 'child-process', 'mock'] as const;

interface Manifest {
  readonly name: string;
  readonly version: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}
const read = (file: string): Manifest => JSON.parse(readFileSync(file, 'utf8')) as Manifest;
const write = (file: string, manifest: object): void => {
  writeFileSync(file, `${JSON.stringify(manifest, undefined, 2)}\n`);
};

describe('a downstream package', function () {
  this.timeout(180_000);
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'downstream-')));
  const project = path.join(directory, 'project');
  after(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  const run = async (program: string, args: readonly string[], options: { cwd: string; env?: NodeJS.ProcessEnv }) => {
    const env: NodeJS.ProcessEnv = {
      ...cleanEnvironment(),
      CI: undefined,
      VIRCOMMAND_RECORD: undefined,
      ...options.env,
    };
    const command = new Command(program, args, { cwd: options.cwd, stdout: 'text', stderr: 'stdout' }).clearEnv();
    for (const [name, value] of Object.entries(env)) {
      if (value !== undefined) command.addEnvPair(name, value);
    }
    return command.run({ check: false, timeout: 100_000 });
  };

  const expectDone = async (...args: Parameters<typeof run>): Promise<string> => {
    const { exitCode, stdout } = await run(...args);
    expect(exitCode, stdout).to.equal(0);
    return stdout;
  };

  /** As a release does it: what is built, with real versions in the place of the workspace's. */
  async function pack(): Promise<Record<string, string>> {
    const staged = install(names);
    const tarballs: Record<string, string> = {};
    try {
      for (const name of names) {
        const from = path.join(staged.directory, 'node_modules', '@vircommand', name);
        const to = path.join(directory, 'packages', name);
        mkdirSync(to, { recursive: true });
        cpSync(realpathSync(path.join(from, 'dist')), path.join(to, 'dist'), { recursive: true });
        const manifest = read(path.join(from, 'package.json'));
        delete manifest.devDependencies;
        for (const dependency of Object.keys(manifest.dependencies ?? {}))
          manifest.dependencies = { ...manifest.dependencies, [dependency]: `^${manifest.version}` };
        write(path.join(to, 'package.json'), manifest);
        await expectDone('npm', ['pack', '--ignore-scripts', '--pack-destination', directory], { cwd: to });
        const file = readdirSync(directory).find((entry) => entry.endsWith(`-${name}-${manifest.version}.tgz`));
        tarballs[manifest.name] = `file:${path.join(directory, file ?? '')}`;
      }
    } finally {
      staged.remove();
    }
    return tarballs;
  }

  before(async () => {
    cpSync(example, project, { recursive: true, filter: (file) => !/node_modules|recordings/.test(file) });
    const tarballs = await pack();
    const file = path.join(project, 'package.json');
    const manifest = read(file);
    for (const kind of ['dependencies', 'devDependencies'] as const) {
      const own = Object.entries(manifest[kind] ?? {});
      manifest[kind] = Object.fromEntries(own.map(([name, version]) => [name, tarballs[name] ?? version]));
    }
    write(file, manifest);
    const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock'];
    await expectDone('npm', ['install', ...flags], { cwd: project });
  });

  const mocha = ['exec', '--offline', '--', 'mocha', 'test/*.test.js'];
  const vitest = ['exec', '--offline', '--', 'vitest', 'run', '--no-color'];
  const recording = path.join('test', 'recordings', 'stock.json');

  it('without a recording its tests say how to make one', async () => {
    const { exitCode, stdout } = await run('npm', mocha, { cwd: project });
    expect(exitCode).to.not.equal(0);
    expect(stdout).to.contain('there is no recording').and.to.contain('VIRCOMMAND_RECORD=new');
  });

  it('records once, with the real program', async () => {
    const env = { VIRCOMMAND_RECORD: 'new', PATH: `${path.join(project, 'bin')}:${process.env.PATH ?? ''}` };
    expect(await expectDone('npm', mocha, { cwd: project, env })).to.contain('4 passing');
    // What the example shows is what it records.
    const calls = (root: string): unknown => Reflect.get(read(path.join(root, recording)), 'calls');
    expect(calls(project)).to.deep.equal(calls(example));
  });

  it('replays in mocha and in vitest when the program is gone', async () => {
    rmSync(path.join(project, 'bin'), { recursive: true });
    expect(await expectDone('npm', mocha, { cwd: project })).to.contain('4 passing');
    expect(await expectDone('npm', vitest, { cwd: project })).to.contain('3 passed');
  });

  it('and fails, naming the call, when the code runs something else', async () => {
    const source = path.join(project, 'src', 'stock.js');
    writeFileSync(source, readFileSync(source, 'utf8').replace("['count', article]", "['count', '--all', article]"));
    const { exitCode, stdout } = await run('npm', mocha, { cwd: project });
    expect(exitCode).to.not.equal(0);
    expect(stdout).to.contain('inventory count --all bolts is not in the recording');
    expect(stdout).to.contain("argument 2: expected 'bolts', got '--all'");
  });
});
