/** The package managers that people have, each in an empty project. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { Command } from '@vircommand/child-process';
import { readManifest, root } from './packages';

/** An empty project, and what it is made with. */
export interface Project {
  readonly directory: string;
  readonly registry: string;
  /** The Node.js that everything in it runs on. */
  readonly node: string;
}

interface Manager {
  /** The program's arguments behind `node` that add packages. */
  readonly add: (project: Project) => readonly string[];
  /** The arguments behind `node` that run a file of the project. */
  readonly run: readonly string[];
  readonly env?: (project: Project) => Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

/** npm's own file: that of the Node.js installation in the PATH. */
const npm = path.join(
  new Command('npm', ['root', '--global'], { stdout: 'text' }).runSync().stdout.trim(),
  'npm/bin/npm-cli.js',
);
const yarn = require.resolve('yarn/bin/yarn.js');
const berry = require.resolve('@yarnpkg/cli-dist/bin/yarn.js');
const pinned = String(readManifest(root).packageManager);

/** What npm trusts beside what Node.js does, as behind a proxy; yarn 4 does not read npm's settings. */
const { stdout: authorities } = new Command('npm', ['config', 'get', 'cafile'], { stdout: 'text' }).runSync();
const trusted: Readonly<Record<string, string>> = authorities.startsWith('/')
  ? { YARN_HTTPS_CA_FILE_PATH: authorities.trim() }
  : {};

const berryEnv = ({ registry, directory }: Project): Readonly<Record<string, string>> => ({
  YARN_NPM_REGISTRY_SERVER: registry.slice(0, -1),
  YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
  YARN_ENABLE_TELEMETRY: '0',
  // Not the machine's cache: what is tried is not what was published.
  YARN_GLOBAL_FOLDER: path.join(directory, '.global'),
  ...trusted,
});

export const MANAGERS: Readonly<Record<string, Manager>> = {
  npm: {
    add: ({ registry }) => [npm, 'install', '--no-audit', '--no-fund', '--registry', registry],
    run: [],
  },
  pnpm: {
    add: ({ registry, directory }) =>
      [npm, 'exec', '--yes', '--package', pinned, '--', 'pnpm', 'add', '--registry', registry, '--store-dir'].concat(
        path.join(directory, '.store'),
      ),
    run: [],
  },
  'yarn 1': {
    add: ({ registry, directory }) =>
      [yarn, 'add', '--non-interactive', '--registry', registry, '--cache-folder'].concat(
        path.join(directory, '.cache'),
      ),
    run: [],
  },
  'yarn 4, with node_modules': {
    add: () => [berry, 'add'],
    run: [],
    env: berryEnv,
    files: { '.yarnrc.yml': 'nodeLinker: node-modules\n', 'yarn.lock': '' },
  },
  'yarn 4, with Plug’n’Play': {
    add: () => [berry, 'add'],
    run: [berry, 'node'],
    // Node.js warns of the only way that there is for ES modules.
    env: (project) => ({ ...berryEnv(project), NODE_NO_WARNINGS: '1' }),
    files: { '.yarnrc.yml': 'pnpEnableEsmLoader: true\n', 'yarn.lock': '' },
  },
};

/** Makes an empty project, with a PATH that has Node.js and what every machine has, and no compiler. */
export function emptyProject(project: Project, manager: Manager): void {
  const bin = path.join(project.directory, '.path');
  mkdirSync(bin, { recursive: true });
  symlinkSync(project.node, path.join(bin, 'node'));
  for (const name of ['sh', 'echo', 'cat']) symlinkSync(`/bin/${name}`, path.join(bin, name));
  const files = { 'package.json': '{ "name": "stranger", "private": true }\n', ...manager.files };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(project.directory, name), text);
}

/** A command in the project, in the environment of a person and not of this test. */
export function inProject(project: Project, manager: Manager, args: readonly string[]): Command<'text'> {
  const { directory, node } = project;
  const all = { stdout: 'text', stderr: 'stdout', cwd: directory } as const;
  const command = new Command(node, args, all).addEnvPass('HOME').addEnvPass('TMPDIR');
  for (const name of ['HTTPS_PROXY', 'https_proxy', 'NODE_EXTRA_CA_CERTS']) command.addEnvPass(name);
  const env = { PATH: path.join(directory, '.path'), NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' };
  for (const [name, value] of Object.entries({ ...env, ...manager.env?.(project) })) command.addEnvPair(name, value);
  return command;
}
