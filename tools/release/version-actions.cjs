'use strict';
// How `nx release` reads and writes the versions of the packages. The plugin of nx that does it for npm packages does not exist in
// the pinned version, and does more than is needed here: packages depend on each other by `workspace:^`, which pnpm replaces by the
// version when it packs.
const { VersionActions } = require('nx/release');
const { title } = require('./changelog.cjs');

const collections = ['dependencies', 'optionalDependencies', 'peerDependencies', 'devDependencies'];
const readJson = (tree, file) => JSON.parse(tree.read(file, 'utf-8'));

class PackageVersionActions extends VersionActions {
  validManifestFilenames = ['package.json'];

  async readCurrentVersionFromSourceManifest(tree) {
    const [{ manifestPath }] = this.manifestsToUpdate;
    return { currentVersion: readJson(tree, manifestPath).version, manifestPath };
  }

  async readCurrentVersionFromRegistry() {
    return null;
  }

  async readCurrentVersionOfDependency(tree, projectGraph, dependencyProjectName) {
    const [{ manifestPath }] = this.manifestsToUpdate;
    const manifest = readJson(tree, manifestPath);
    const { root } = projectGraph.nodes[dependencyProjectName].data;
    const { name } = readJson(tree, `${root}/package.json`);
    const dependencyCollection = collections.find((collection) => manifest[collection]?.[name] !== undefined) ?? null;
    const currentVersion = dependencyCollection === null ? null : manifest[dependencyCollection][name];
    return { currentVersion, dependencyCollection };
  }

  async updateProjectVersion(tree, newVersion) {
    // The new entry brings the title again: see changelog.cjs.
    const changelog = tree.read('CHANGELOG.md', 'utf-8');
    if (changelog.startsWith(title)) tree.write('CHANGELOG.md', changelog.slice(title.length));
    return this.manifestsToUpdate.map(({ manifestPath }) => {
      const manifest = { ...readJson(tree, manifestPath), version: newVersion };
      tree.write(manifestPath, `${JSON.stringify(manifest, null, 2)}\n`);
      return `${manifestPath} has version ${newVersion}`;
    });
  }

  async updateProjectDependencies() {
    return [];
  }
}

module.exports = { default: PackageVersionActions };
