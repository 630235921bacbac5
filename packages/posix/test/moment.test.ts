/** What a program gets from this process is what it was when the caller called, also if many starts take turns. */
import { bindCommand, CommandStartError } from '@vircommand/core/backend';
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPosixBackend } from '../src';
import { bundled, bundledEnv, removeBundled } from './bundled';
import { usableDrivers } from './drivers';
import { openFds } from './plans';
import { until } from './started';

const many = 120;

for (const driver of usableDrivers) {
  describe(`a burst of starts, with the driver ${driver}`, () => {
    const backend = createPosixBackend({ driver });
    const Bound = bindCommand(backend);
    const home = process.cwd();
    const path = process.env.PATH;
    let root: string;
    let directories: readonly string[];

    before(() => {
      root = realpathSync(mkdtempSync(join(tmpdir(), 'vircommand-moment-')));
      directories = ['a', 'b', 'c'].map((name) => join(root, name));
      for (const directory of directories) {
        mkdirSync(join(directory, 'below'), { recursive: true });
        copyFileSync('/bin/sh', join(directory, 'shell'));
      }
    });
    afterEach(() => {
      process.chdir(home);
      process.env.PATH = path;
      delete process.env.VIRCOMMAND_MOMENT;
    });
    after(async () => {
      removeBundled();
      await backend.dispose();
      rmSync(root, { recursive: true });
    });

    /** Calls `run` with this process in each of the directories in turn, all at once; then in none of them. */
    async function everywhere(run: (index: number, directory: string) => Promise<string>): Promise<void> {
      const wanted: string[] = [];
      const runs = Array.from({ length: many }, (_, index) => {
        const directory = directories[index % directories.length] ?? '';
        process.chdir(directory);
        process.env.VIRCOMMAND_MOMENT = String(index);
        wanted.push(`${directory} ${index}`);
        return run(index, directory);
      });
      process.chdir('/');
      delete process.env.VIRCOMMAND_MOMENT;
      expect(await Promise.all(runs)).to.deep.equal(wanted);
    }
    const say = 'echo "$(pwd -P) $VIRCOMMAND_MOMENT"';

    it('has directory and environment of the call', async () => {
      // Twice: there is a thread for them the second time, if the driver works in one.
      for (let round = 0; round < 2; round++)
        await everywhere(async () => {
          const { stdout } = await new Bound('sh', ['-c', say], { stdout: 'text' }).run();
          return stdout.trim();
        });
    });

    for (const attributes of [{}, { groups: [] }, { umask: 0o22 }]) {
      const how = Object.keys(attributes).join() || 'nothing more';
      it(`begins in the directory of the call, whatever has its name by then, with ${how}`, async () => {
        const place = join(root, 'place');
        const names = ['first', 'second', 'third'];
        const runs = names.map((name) => {
          mkdirSync(join(place, 'below'), { recursive: true });
          for (const below of ['', 'below']) writeFileSync(join(place, below, 'mark'), name + below);
          process.chdir(place);
          const started = Array.from({ length: 6 }, async (_, index) => {
            const options = {
              ...attributes,
              stdout: { file: `out-${index}` },
              cwd: index % 2 === 0 ? undefined : 'below',
            };
            await new Bound('cat', ['mark'], options).run();
          });
          process.chdir('/');
          renameSync(place, join(root, name));
          return Promise.all(started);
        });
        await Promise.all(runs);
        for (const name of names) {
          const said = Array.from({ length: 6 }, (_, index) => readFileSync(join(root, name, `out-${index}`), 'utf8'));
          expect(said).to.deep.equal(said.map((_, index) => (index % 2 === 0 ? name : `${name}below`)));
          rmSync(join(root, name), { recursive: true });
        }
      });
    }

    it('begins where this process is, also if it may not look at that any more', function () {
      if (process.geteuid?.() !== 0) this.skip();
      const closed = mkdtempSync(join(root, 'closed-'));
      const { stdout, status, stderr } = spawnSync(process.execPath, [bundled('closed-directory'), driver, closed], {
        encoding: 'utf8',
        env: bundledEnv(),
      });
      expect([stdout, status], stderr).to.deep.equal(['done\n', 0]);
    });

    it('finds relative paths, and PATH, where they were', async () => {
      await everywhere(async (index, directory) => {
        if (index % 2 === 0) process.env.PATH = `${directory}:/bin:/usr/bin`;
        const program = index % 2 === 0 ? 'shell' : './shell';
        const options = { stdout: { file: `out-${index}` }, stderr: 'text', cwd: 'below' } as const;
        const run = new Bound(program, ['-c', `pwd -P; ${say} >&2`], options).run();
        process.env.PATH = '/nowhere';
        const { stderr } = await run;
        expect(readFileSync(join(directory, `out-${index}`), 'utf8')).to.equal(`${directory}/below\n`);
        return stderr.trim().replace('/below', '');
      });
    });

    for (const attributes of [{}, { groups: [] }, { umask: 0o22 }]) {
      const how = Object.keys(attributes).join() || 'nothing more';
      it(`names a path that is missing as the caller wrote it, with ${how}`, async () => {
        process.chdir(directories[0] ?? '');
        const wrong = [{ cwd: 'none' }, { stdout: { file: 'none/x' } }, { stdin: { file: 'none' } }];
        const runs = Array.from({ length: 24 }, (_, index) =>
          new Bound('true', [], { ...attributes, ...wrong[index % wrong.length] }).run(),
        );
        process.chdir('/');
        const found = (await Promise.allSettled(runs)).map((result) => {
          if (result.status === 'fulfilled' || !(result.reason instanceof CommandStartError)) return result;
          const { stage, code, path, message } = result.reason;
          return [stage, code, path, message.includes('/proc/')];
        });
        const expected = [
          ['cwd', 'ENOENT', 'none', false],
          ['stdio', 'ENOENT', 'none/x', false],
          ['stdio', 'ENOENT', 'none', false],
        ];
        expect(found).to.deep.equal(runs.map((_, index) => expected[index % expected.length]));
      });
    }

    it('has the descriptors of the call, whatever the caller does with them then', async () => {
      const fds = openFds();
      const files = Array.from({ length: many }, (_, index) => join(root, `said-${index}`));
      const runs = files.map((file, index) => {
        const fd = openSync(file, 'w');
        const passed = openSync(join(root, `passed-${index}`), 'w');
        const command = new Bound('sh', ['-c', `echo ${index}; echo passed ${index} >&7`]).setOutputFd(fd);
        const run = command.passFd(passed, { as: 7 }).run();
        // The next ones have the same numbers.
        closeSync(fd);
        closeSync(passed);
        return run;
      });
      await Promise.all(runs);
      const found = files.map((file, index) => [
        readFileSync(file, 'utf8'),
        readFileSync(join(root, `passed-${index}`), 'utf8'),
      ]);
      expect(found).to.deep.equal(files.map((_, index) => [`${index}\n`, `passed ${index}\n`]));
      // What tells of exits where signals come late is let go of in the next turn.
      await until(() => openFds().length <= fds.length);
    });

    it('goes to launchers as well', async () => {
      process.env.VIRCOMMAND_MOMENT = 'then';
      const runs = directories.map((directory) => {
        process.chdir(directory);
        return new Bound('sh', ['-c', say], { stdout: 'text', groups: process.getgroups?.() }).run();
      });
      process.chdir('/');
      delete process.env.VIRCOMMAND_MOMENT;
      const results = await Promise.all(runs).then((all) => all.map(({ stdout }) => stdout.trim()));
      expect(results).to.deep.equal(directories.map((directory) => `${directory} then`));
    });

    it('has the umask of the call, and files that are made for it no more rights', async () => {
      const umask = process.umask(0o22);
      // A umask that is no longer that of this process takes a launcher where there is no thread.
      const masks = Array.from({ length: 24 }, (_, index) => [0o27, 0o77, 0][index % 3] ?? 0);
      const runs = masks.map(async (mask, index) => {
        process.umask(mask);
        const options = { stdout: { file: `${root}/masked-${index}` }, stderr: 'text' } as const;
        const { stderr } = await new Bound('sh', ['-c', 'umask >&2'], options).run();
        return [parseInt(stderr, 8), statSync(`${root}/masked-${index}`).mode & mask];
      });
      expect(process.umask(0o22)).to.equal(masks.at(-1));
      // What this process makes meanwhile has its own.
      const own = Array.from({ length: 50 }, async (_, index) => {
        await writeFile(`${root}/own-${index}`, '');
        return statSync(`${root}/own-${index}`).mode & 0o777;
      });
      expect(new Set(await Promise.all(own))).to.deep.equal(new Set([0o644]));
      expect(await Promise.all(runs)).to.deep.equal(masks.map((mask) => [mask, 0]));
      expect(process.umask(umask)).to.equal(0o22);
    });

    it('makes files as their directory says, which no umask changes', async function () {
      const shared = join(root, 'shared');
      mkdirSync(shared);
      // A default ACL: the owner and the group may read and write, and nobody else.
      const entries = '[(1, 6), (4, 6), (32, 0)]';
      const acl = `b''.join(struct.pack('<HHI', tag, rights, 2**32 - 1) for tag, rights in ${entries})`;
      const set = `import os, struct; os.setxattr('${shared}', 'system.posix_acl_default', struct.pack('<I', 2) + ${acl})`;
      if (spawnSync('python3', ['-c', set]).status !== 0) this.skip();
      const umask = process.umask(0o77);
      const files = Array.from({ length: 24 }, (_, index) => join(shared, String(index)));
      await Promise.all(files.map((file) => new Bound('true', [], { stdout: { file } }).run()));
      process.umask(umask);
      expect(new Set(files.map((file) => statSync(file).mode & 0o777))).to.deep.equal(new Set([0o660]));
    });

    it('begins in the directory of the call also if that was deleted, or has no name in UTF-8', async () => {
      const odd = Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xfe])]);
      mkdirSync(odd);
      const oddFd = openSync(odd, 'r');
      const deleted = join(root, 'deleted');
      mkdirSync(deleted);
      const inodes = [odd, deleted].map((directory) => statSync(directory).ino);
      const runs = Array.from({ length: many }, async (_, index) => {
        if (index === 0) process.chdir(deleted);
        if (index === 1) rmdirSync(deleted);
        // process.chdir() takes no bytes.
        if (index === many / 2) {
          process.chdir(root);
          process.chdir(`/proc/self/fd/${oddFd}`);
        }
        const { stdout } = await new Bound('stat', ['-L', '-c', '%i', '/proc/self/cwd'], { stdout: 'text' }).run();
        return Number(stdout);
      });
      process.chdir('/');
      closeSync(oddFd);
      const expected = runs.map((_, index) => inodes[index < many / 2 ? 1 : 0]);
      expect(await Promise.all(runs)).to.deep.equal(expected);
    });

    it('is not made when nobody waits for it any longer', async () => {
      for (const options of [
        {},
        { umask: 0o22 },
        { limits: { files: 64 } },
        { killOnParentExit: 'guaranteed' } as const,
      ]) {
        const { killOnParentExit, ...said } = { killOnParentExit: false as const, ...options };
        const directory = mkdtempSync(join(root, 'wanted-'));
        const aborting = new AbortController();
        const { signal } = aborting;
        const runs = Array.from({ length: 40 }, (_, index) =>
          new Bound('touch', [String(index)], { cwd: directory, ...said }).run({ signal, killOnParentExit }),
        );
        aborting.abort();
        const results = await Promise.allSettled(runs);
        expect(results.filter(({ status }) => status === 'rejected')).to.have.length(40);
        // One that comes later is not kept waiting by them, and shows that they have had their turn.
        await new Bound('true', [], said).run({ killOnParentExit });
        // What was started at once, in the turn of the call, may have run.
        expect(readdirSync(directory).length, JSON.stringify(options)).to.be.below(20);
      }
    });

    it('that this process makes as another user is of that user', async function () {
      if (process.geteuid?.() !== 0) this.skip();
      // Only now and then, and first of all: what a thread has been told to start it starts as whoever we are by then.
      const users = [65_534, 0, 65_534, 65_534, 0];
      const runs = users.map((user) => {
        process.seteuid?.(user);
        try {
          return new Bound('/usr/bin/id', ['-u'], { stdout: 'text' }).run();
        } finally {
          process.seteuid?.(0);
        }
      });
      const results = (await Promise.all(runs)).map(({ stdout }) => Number(stdout));
      expect(results).to.deep.equal(users);
    });
  });
}
