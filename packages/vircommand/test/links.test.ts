import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { expect } from 'chai';
import { backend as childProcess } from '@vircommand/child-process';
import { backend as posix, whyNot } from '@vircommand/posix';
import { Command } from 'vircommand';

describe('packages that are links', () => {
  let root: string;
  before(function () {
    if (process.platform === 'win32') this.skip();
    root = realpathSync(mkdtempSync(path.join(tmpdir(), 'vircommand-links-')));
    mkdirSync(path.join(root, 'node_modules'));
  });
  after(() => {
    rmSync(root, { recursive: true, force: true });
  });
  /** A package where it is not, as pnpm has them. */
  function add(name: string): void {
    mkdirSync(path.join(root, name));
    writeFileSync(path.join(root, name, 'index.js'), '');
    symlinkSync(path.join('..', name), path.join(root, 'node_modules', name));
  }

  const backends = whyNot() === undefined ? [posix, childProcess] : [childProcess];
  for (const backend of backends) {
    it(`are found where they are, also after a program was started by ${backend.name}`, async () => {
      const from = createRequire(path.join(root, 'index.js'));
      const find = (name: string): string => {
        add(name);
        return from.resolve(name);
      };
      const real = (name: string): string => path.join(root, name, 'index.js');
      expect(find(`before-${backend.name}`)).to.equal(real(`before-${backend.name}`));
      const options = { stdin: 'inherit', stdout: 'text', stderr: 'inherit', backend } as const;
      // All that a start asks of descriptors, some of which are pipes.
      await new Command('true', [], options).run();
      expect(find(`run-${backend.name}`)).to.equal(real(`run-${backend.name}`));
      new Command('true', [], options).runSync();
      expect(find(`sync-${backend.name}`)).to.equal(real(`sync-${backend.name}`));
    });
  }
});
