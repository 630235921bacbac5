import { expect } from 'chai';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { Command } from '@vircommand/child-process';
import { packed } from './pack';
import { packages, readManifest, root } from './packages';
import { startRegistry, usualRegistry } from './registry';

const within = { timeout: 120_000 };

/** Whether a text has this version in it, and not as a part of another one. */
const holds = (text: string, version: string): boolean =>
  new RegExp(`\\b${version.replaceAll('.', '\\.')}\\b`).test(text);

describe('a release', function () {
  this.timeout(240_000);
  if (process.platform !== 'linux') return;
  let scratch = '';
  before(() => {
    scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'vircommand-release-')));
  });
  after(() => {
    rmSync(scratch, { recursive: true, force: true });
  });

  it('takes its versions, its entry in the changelog and its tag from the change files', async () => {
    const workspace = path.join(scratch, 'workspace');
    const manifests = packages.map(({ directory }) => path.join(directory, 'package.json'));
    for (const file of [
      'package.json',
      'nx.json',
      'pnpm-workspace.yaml',
      'CHANGELOG.md',
      'tools/release',
      ...manifests,
    ]) {
      cpSync(path.join(root, file), path.join(workspace, file), { recursive: true });
    }
    symlinkSync(path.join(root, 'node_modules'), path.join(workspace, 'node_modules'));
    const plans = path.join(workspace, '.nx', 'version-plans');
    mkdirSync(plans, { recursive: true });
    writeFileSync(path.join(plans, 'one.md'), '---\n__default__: minor\n---\n\nposix: a feature\n');
    writeFileSync(path.join(plans, 'two.md'), '---\n__default__: patch\n---\n\ncore: a correction,\nexplained\n');
    writeFileSync(path.join(workspace, '.gitignore'), 'node_modules\n.nx/*\n!.nx/version-plans/\n');

    const identity = {
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@b',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@b',
    };
    const settings = { ...identity, GIT_CONFIG_GLOBAL: '/dev/null', NX_DAEMON: 'false', NX_NO_CLOUD: 'true' };
    const run = async (program: string, ...args: string[]): Promise<string> => {
      const env = { ...settings, NX_WORKSPACE_ROOT_PATH: workspace, HOME: scratch };
      const command = new Command(program, args, { cwd: workspace, stdout: 'text', stderr: 'stdout', env });
      return (await command.addEnvPass('PATH').run(within)).stdout;
    };
    await run('git', 'init', '--quiet', '--initial-branch=main');
    await run('git', 'add', '--all');
    await run('git', 'commit', '--quiet', '--message', 'all: as it is');
    await run(process.execPath, path.join(root, 'node_modules/nx/dist/bin/nx.js'), 'release', '--skip-publish');

    const before = packages[0]?.manifest.version ?? '';
    // Below 1.0 what is new is a patch, since a caret lets that through and nothing else.
    const next = before.replace(
      /^(0\.\d+)\.(\d+)$/,
      (_, minor: string, patch: string) => `${minor}.${Number(patch) + 1}`,
    );
    expect(next).to.not.equal(before);
    for (const { directory, manifest } of packages) {
      expect(readManifest(path.join(workspace, directory))).to.deep.equal({ ...manifest, version: next });
      // Nothing else is changed, so nothing else may hold the version.
      const sources = readdirSync(path.join(root, directory, 'src'), { recursive: true, encoding: 'utf8' });
      const holdsVersion = (file: string): boolean =>
        /\.[cm]?[jt]s$/.test(file) && holds(readFileSync(path.join(root, directory, 'src', file), 'utf8'), before);
      expect(sources.filter(holdsVersion), `sources of ${directory} that hold ${before}`).to.deep.equal([]);
    }
    const changelog = readFileSync(path.join(workspace, 'CHANGELOG.md'), 'utf8');
    const entry = `## ${next} - \\d{4}-\\d\\d-\\d\\d\n\n### Added\n\n- posix: a feature\n\n### Fixed\n\n- core: a correction,\n  explained\n\n## `;
    expect(changelog).to.match(new RegExp(`^# Changelog\n\n${entry}`));
    expect(changelog.match(/^# /gm)).to.have.lengthOf(1);
    expect(await run(process.execPath, 'tools/release/notes.cjs', `v${next}`)).to.equal(
      '### Added\n\n- posix: a feature\n\n### Fixed\n\n- core: a correction,\n  explained\n',
    );
    expect(readdirSync(plans)).to.deep.equal([]);
    expect(await run('git', 'tag')).to.equal(`v${next}\n`);
    expect(await run('git', 'log', '-1', '--format=%s')).to.equal(`release: ${next}\n`);
    expect(await run('git', 'status', '--short')).to.equal('');
  });

  it('publishes every package that the registry has not, what others depend on first', async () => {
    const all = await packed();
    const known = '@vircommand/core';
    const there = all.filter(({ manifest }) => manifest.name === known);
    await using registry = await startRegistry(there, await usualRegistry());
    const config = path.join(scratch, 'npmrc');
    writeFileSync(config, `registry=${registry.url}\n${registry.url.replace('http:', '')}:_authToken=none\n`);
    const command = new Command(process.execPath, [path.join(root, 'tools/release/publish.cjs')], {
      env: { NPM_CONFIG_USERCONFIG: config, npm_config_cache: path.join(scratch, 'npm'), NO_PROXY: '127.0.0.1' },
      stdout: 'text',
    });
    for (const name of ['PATH', 'HOME', 'TMPDIR']) command.addEnvPass(name);
    const { stdout } = await command.run(within);
    expect(stdout).to.contain(`${known}@${all[0]?.manifest.version ?? ''} is published already`);

    const seen = new Set([known]);
    for (const { name, versions, 'dist-tags': tags, _attachments: attachments } of registry.published) {
      const [manifest] = Object.values(versions);
      const { dependencies = {} } = manifest ?? {};
      for (const [dependency, range] of Object.entries(dependencies)) {
        expect(seen, `${dependency} before ${name}`).to.include(dependency);
        expect(range).to.equal(`^${manifest?.version ?? ''}`);
      }
      expect(tags).to.deep.equal({ latest: manifest?.version });
      const [sent] = Object.values(attachments);
      const original = all.find((one) => one.manifest.name === name);
      expect(sent?.data.length).to.be.above((original?.bytes.length ?? Infinity) * 0.9);
      seen.add(name);
    }
    expect(Array.from(seen)).to.have.members(packages.map(({ manifest }) => manifest.name));
  });
});
