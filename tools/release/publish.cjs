'use strict';
// Publishes what is built: pnpm packs every package, which puts versions in the place of `workspace:`, and npm publishes the
// tarballs, what others depend on first. What the registry has already is left out, so that a release that broke off can be
// finished by the same command. Arguments are npm's: `--provenance` in CI, `--dry-run` to see what would happen.
const { execFileSync } = require('node:child_process');
const { mkdtempSync, readFileSync, readdirSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');
const { packageManager } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const windows = process.platform === 'win32';
const run = (program, args) => execFileSync(program, args, { cwd: root, stdio: 'inherit', shell: windows });

const manifests = readdirSync(path.join(root, 'packages'))
  .map((name) => JSON.parse(readFileSync(path.join(root, 'packages', name, 'package.json'), 'utf8')))
  .filter((manifest) => manifest.private !== true);

/** Each behind what it depends on. */
function inOrder() {
  const sorted = new Set();
  const add = (manifest) => {
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      const dependency = manifests.find((candidate) => candidate.name === name);
      if (dependency !== undefined) add(dependency);
    }
    sorted.add(manifest);
  };
  manifests.forEach(add);
  return Array.from(sorted);
}

const registry = execFileSync('npm', ['config', 'get', 'registry'], { shell: windows }).toString().trim();

async function isPublished({ name, version }) {
  const response = await fetch(new URL(name.replace('/', '%2f'), registry));
  if (response.status === 404) return false;
  if (!response.ok) throw new Error(`${response.url} answers ${response.status} ${response.statusText}`);
  return Object.hasOwn((await response.json()).versions, version);
}

async function publish(directory) {
  const pack = ['--filter', './packages/*', '--recursive', 'pack', '--pack-destination', directory];
  run('npx', ['--yes', packageManager, ...pack]);
  // Asked before anything is published: a connection that is kept would be closed by the registry while npm blocks this process.
  const published = new Set();
  for (const manifest of manifests) if (await isPublished(manifest)) published.add(manifest);
  for (const manifest of inOrder()) {
    const { name, version } = manifest;
    if (published.has(manifest)) {
      console.log(`${name}@${version} is published already`);
      continue;
    }
    const tarball = path.join(directory, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
    run('npm', ['publish', tarball, ...process.argv.slice(2)]);
  }
}

const directory = mkdtempSync(path.join(tmpdir(), 'vircommand-publish-'));
publish(directory)
  .catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  })
  .finally(() => rmSync(directory, { recursive: true, force: true }));
