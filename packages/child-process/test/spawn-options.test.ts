import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { backend, Command } from '@vircommand/child-process';
import { failure, holdings, pipe, planOf, requestOf, textOf, unchanged } from './plans';
import { program } from './programs';

/** What the program says of itself, NUL between words. */
const showArgs = `process.stdout.write(JSON.stringify([process.argv0, ...process.argv.slice(1)]))`;
/** The raw environment; Node's own would hide doubles. */
const showEnv = ['cat', '/proc/self/environ'];

async function environmentOf(env: readonly (readonly [string, string])[]): Promise<string[]> {
  const child = await backend.start(planOf(showEnv, { env, stdout: pipe }));
  const text = await textOf(child.stdout);
  await child.exited;
  const sync = backend.startAndWaitSync?.(planOf(showEnv, { env, stdout: pipe }), requestOf());
  expect(Buffer.from(sync?.stdout ?? []).toString()).to.equal(text);
  return text.split('\0').slice(0, -1);
}

const linux = process.platform === 'linux' ? it : it.skip;

describe('what the program gets', () => {
  let held: string[] = [];
  beforeEach(() => {
    held = holdings();
  });
  afterEach(() => unchanged(held));

  it('arguments, whatever they are, one for one', async function () {
    this.timeout(60_000);
    const argument = fc
      .string({ unit: 'binary', maxLength: 30 })
      .filter((word) => word.isWellFormed() && !word.includes('\0'));
    await fc.assert(
      fc.asyncProperty(fc.array(argument, { maxLength: 8 }), async (words) => {
        const child = await backend.start(planOf(['printf', '%s\\0', ...words], { stdout: pipe }));
        const text = await textOf(child.stdout);
        await child.exited;
        // printf prints its format once when there is nothing to print.
        expect(text).to.equal(words.length === 0 ? '\0' : words.map((word) => word + '\0').join(''));
      }),
      { numRuns: 150 },
    );
  });

  it('argv[0], also the empty one', async () => {
    for (const argv0 of ['something else', '']) {
      const plan = planOf([argv0, '-e', showArgs, 'x'], { program: process.execPath, stdout: pipe });
      const child = await backend.start(plan);
      expect(JSON.parse(await textOf(child.stdout)))
        .to.include(argv0)
        .and.to.include('x');
      await child.exited;
    }
  });

  linux('exactly the environment that was listed, whatever its names', async function () {
    this.timeout(60_000);
    expect(await environmentOf([])).to.deep.equal([]);
    const names = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'a', 'A', 'with space', '%x', 'ünïcode'];
    const entries = names.map((name) => [name, `value of ${name}=\n`] as const);
    expect((await environmentOf(entries)).sort()).to.deep.equal(entries.map((entry) => entry.join('=')).sort());
    const word = fc
      .string({ unit: 'binary', maxLength: 12 })
      .filter((text) => text.isWellFormed() && !text.includes('\0'));
    const name = word.filter((text) => text !== '' && !text.includes('='));
    const list = fc.uniqueArray(fc.tuple(name, word), { selector: ([first]) => first, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(list, async (env) => {
        expect((await environmentOf(env)).sort()).to.deep.equal(env.map((entry) => entry.join('=')).sort());
      }),
      { numRuns: 60 },
    );
  });

  linux('nothing that Node adds by itself', async () => {
    const before = process.env.NODE_V8_COVERAGE;
    process.env.NODE_V8_COVERAGE = '/nowhere';
    try {
      expect(await environmentOf([['A', '1']])).to.deep.equal(['A=1']);
      expect(await environmentOf([['NODE_V8_COVERAGE', 'mine']])).to.deep.equal(['NODE_V8_COVERAGE=mine']);
    } finally {
      if (before === undefined) delete process.env.NODE_V8_COVERAGE;
      else process.env.NODE_V8_COVERAGE = before;
    }
  });

  it('everything at the time of the start, if the environment is inherited', async () => {
    process.env.VIRCOMMAND_TEST = 'set later';
    const child = await backend.start(planOf(['sh', '-c', 'echo $VIRCOMMAND_TEST'], { stdout: pipe }));
    delete process.env.VIRCOMMAND_TEST;
    expect(await textOf(child.stdout)).to.equal('set later\n');
    await child.exited;
  });

  describe('the program itself', () => {
    let directory = '';
    const script = (name: string, says: string, mode = 0o755): void => {
      writeFileSync(join(directory, name), `#!/bin/sh\necho ${says}\n`);
      chmodSync(join(directory, name), mode);
    };
    const said = async (name: string, cwd?: string, path?: string): Promise<string> => {
      const saved = process.env.PATH;
      if (path !== undefined) process.env.PATH = path;
      try {
        const env = [['PATH', '/no/such/path']] as const;
        const child = await backend.start(planOf([name], { cwd, env, stdout: pipe }));
        process.env.PATH = saved;
        const text = await textOf(child.stdout);
        await child.exited;
        return text.trim();
      } finally {
        process.env.PATH = saved;
      }
    };

    before(() => {
      directory = realpathSync(mkdtempSync(join(tmpdir(), 'programs-')));
      for (const name of ['first', 'second', 'second/deep', 'cwd']) mkdirSync(join(directory, name));
      script('first/tool', 'first', 0o644);
      script('second/tool', 'second');
      script('cwd/tool', 'cwd');
      script('second/up', 'right');
      script('up', 'wrong');
      symlinkSync(join(directory, 'second/deep'), join(directory, 'link'));
    });
    after(() => rmSync(directory, { recursive: true, force: true }));

    it('is looked for in our PATH, not in the program’s, past what is not executable', async () => {
      expect(await said('tool', undefined, `${directory}/first:${directory}/second:/bin`)).to.equal('second');
    });

    it('is relative to our working directory, not to the program’s', async () => {
      const saved = process.cwd();
      process.chdir(join(directory, 'second'));
      try {
        expect(await said('./tool', join(directory, 'cwd'))).to.equal('second');
      } finally {
        process.chdir(saved);
      }
    });

    describe('where the working directory has lost its name', () => {
      const saved = { cwd: process.cwd(), path: process.env.PATH };
      const merged = (script: string, cwd?: string): Promise<string> =>
        new Command('sh', ['-c', script], { stdout: 'text', stderr: 'stdout', cwd }).run().then(({ stdout }) => stdout);
      const enter = (name: string): string => {
        mkdirSync(join(directory, name, 'below'), { recursive: true });
        process.chdir(join(directory, name));
        return process.cwd();
      };
      afterEach(() => {
        process.chdir(saved.cwd);
        process.env.PATH = saved.path;
      });

      linux('is found past relative entries of PATH when that was deleted', async () => {
        const deleted = enter('deleted');
        // Node forgets the name.
        process.chdir('.');
        rmSync(deleted, { recursive: true });
        process.env.PATH = `:.:x:${saved.path ?? ''}`;
        for (const cwd of [undefined, '/']) {
          await new Command('true', [], { cwd }).run();
          new Command('true', [], { cwd }).runSync();
        }
      });

      linux('begins there also with merged output, which makes the start a later one', async () => {
        const named = enter('named');
        const renamed = join(directory, 'renamed');
        renameSync(named, renamed);
        mkdirSync(named);
        const here = [merged('pwd -P'), merged('pwd -P', 'below')];
        expect(await Promise.all(here)).to.deep.equal([`${renamed}\n`, `${renamed}/below\n`]);
        const then = [merged('pwd -P'), merged('pwd -P', 'below')];
        process.chdir('/');
        expect(await Promise.all(then)).to.deep.equal([`${renamed}\n`, `${renamed}/below\n`]);
      });

      linux('does not begin in another one that has the name by then', async () => {
        const taken = enter('taken');
        const run = merged('pwd -P');
        process.chdir('/');
        renameSync(taken, join(directory, 'left'));
        mkdirSync(taken);
        expect(await failure(run)).to.include({ stage: 'cwd' });
      });
    });

    it('behind a link and `..` is what the system finds there', async () => {
      expect(await said(join(directory, 'link') + '/../up')).to.equal('right');
    });
  });

  it('is not changed by a polluted Object.prototype', async () => {
    const { file, args } = program('polluted');
    const { stdout } = await new Command(file, args, { stdout: 'text' }).run();
    expect(JSON.parse(stdout)).to.deep.equal(['$HOME', '/', '$HOME', '/']);
  });

  it('user and group, where this process may give them', async function () {
    if (process.getuid?.() !== 0) this.skip();
    const plan = planOf(['sh', '-c', 'echo $(id -u) $(id -g) $(id -G)'], {
      privileged: { uid: 12345, gid: 54321 },
      stdout: pipe,
    });
    const child = await backend.start(plan);
    expect(await textOf(child.stdout)).to.equal('12345 54321 54321\n');
    await child.exited;
    expect(Buffer.from(backend.startAndWaitSync?.(plan, requestOf()).stdout ?? []).toString()).to.equal(
      '12345 54321 54321\n',
    );
  });
});
