import { expect } from 'chai';
import * as path from 'node:path';
import { packed, type Packed } from './pack';
import { packages } from './packages';

/** Where what is published has no source map, and why. */
const withoutMap: Readonly<Record<string, RegExp>> = {
  // Minified, since its size is what an import of it costs.
  '@vircommand/core': /^dist\/(?:core|index|backend)\.js$/,
  // Two lines.
  '@vircommand/child-process': /^dist\/index\.js$/,
  // Two lines; and what is read at every start of them.
  '@vircommand/posix': /^dist\/(?:index\.js|pidfile\.js|vircommand-[\w-]+\.cjs)$/,
  // Read at every start of the command.
  '@vircommand/cli': /^dist\/[\w-]+\.c?js$/,
};
const never = /^(?!README|CHANGELOG|LICENSE|docs\/).*\.(?:test\.|tsbuildinfo|tgz|log|md)|^test\/|node_modules|\/\.[^/]/;

describe('every tarball', () => {
  let all: readonly Packed[] = [];
  before(async function () {
    this.timeout(120_000);
    all = await packed();
  });

  for (const { manifest } of packages) {
    describe(manifest.name, () => {
      const files = (): ReadonlyMap<string, Buffer> =>
        all.find((one) => one.manifest.name === manifest.name)?.files ?? new Map<string, Buffer>();

      it('has what its manifest names', () => {
        const { main, types, exports = {}, bin = {} } = manifest;
        const targets = Object.values(exports).flatMap((target) =>
          typeof target === 'string' ? [target] : [target.types, target.default],
        );
        for (const target of [main, types, ...targets, ...Object.values(bin)]) {
          expect(Array.from(files().keys())).to.include(String(target).replace(/^\.\//, ''));
        }
        expect(files().get('LICENSE')?.toString()).to.contain('MIT License');
      });

      it('has maps whose sources are there, and no file without its map', () => {
        for (const [name, content] of files()) {
          if (name.endsWith('.map')) {
            const { sources, sourcesContent } = JSON.parse(content.toString()) as Record<string, string[] | undefined>;
            for (const source of sourcesContent === undefined ? (sources ?? []) : []) {
              expect(files().has(path.posix.join(path.posix.dirname(name), source)), `${source} of ${name}`).to.equal(
                true,
              );
            }
          } else if (/^dist\/.*\.c?js$/.test(name)) {
            const exempt = withoutMap[manifest.name]?.test(name) === true;
            expect(files().has(`${name}.map`), name).to.equal(!exempt);
          }
          const named = /^\/\/# sourceMappingURL=(.*)$/m.exec(
            /\.(?:c?js|d\.ts)$/.test(name) ? content.toString() : '',
          )?.[1];
          if (named !== undefined && !named.startsWith('data:')) {
            expect(files().has(path.posix.join(path.posix.dirname(name), named)), `${named} of ${name}`).to.equal(true);
          }
        }
      });

      it('is unpacked, by those who would not, where it starts files of its own', () => {
        const starts = Array.from(files().keys()).some((name) =>
          /(?:^|\/)(?:vircommand-launcher\.cjs$|programs\/)/.test(name),
        );
        expect(manifest.preferUnplugged === true || !starts).to.equal(true);
      });

      it('has nothing of the workspace', () => {
        expect(Array.from(files().keys()).filter((name) => never.test(name))).to.deep.equal([]);
        expect(files().get('package.json')?.toString()).to.not.contain('workspace:');
      });
    });
  }
});
