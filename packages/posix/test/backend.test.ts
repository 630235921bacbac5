import { CommandStartError, CommandUsageError } from '@vircommand/core';
import { bindCommand, FEATURES } from '@vircommand/core/backend';
import { backend, Command, createPosixBackend, whyNot } from '@vircommand/posix';
import { expect } from 'chai';
import { AsyncLocalStorage } from 'node:async_hooks';
import { spawnSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Pace } from '../src/pace';
import { featuresWith } from '../src/features';
import { libcThrough } from '../src/libc';
import { wayFor } from '../src/ways';
import { usableDrivers } from './drivers';

/** Runs a script that sees the sources, in a process of its own. */
function node(
  script: string,
  env: NodeJS.ProcessEnv = {},
  before: readonly string[] = [],
): { stdout: string; stderr: string } {
  const command = [
    ...before,
    process.execPath,
    '--conditions=@vircommand/source',
    '-r',
    'ts-node/register',
    '-e',
    script,
  ];
  return spawnSync(command[0] ?? '', command.slice(1), {
    env: { ...process.env, TS_NODE_TRANSPILE_ONLY: '1', ...env },
    encoding: 'utf8',
  });
}

describe('the backend', () => {
  it('is one of contract 1, frozen, with known features', () => {
    for (const each of [backend, createPosixBackend()]) {
      expect(each).to.include({ contract: 1, name: 'posix' });
      expect(Object.isFrozen(each) && Object.isFrozen(each.features)).to.equal(true);
      expect(FEATURES).to.include.members([...each.features]);
      expect(structuredClone(each.features)).to.deep.equal(each.features);
    }
    expect(backend.features).to.equal(backend.features);
    expect(whyNot()).to.equal(undefined);
  });

  it('logs each line as one, in which no terminal acts on anything', () => {
    const script = `
      const { Command } = require('@vircommand/posix');
      new Command('true', ['a\\nVIRCOMMAND 1: forged\\x1b[K']).setNice(0).run();`;
    const { stderr } = node(script, { NODE_DEBUG: 'vircommand' });
    expect(stderr).to.match(/: true 'a\\nVIRCOMMAND 1: forged\\x1b\[K': by the way \w+, for nice\n/);
    expect(stderr).not.to.match(/^VIRCOMMAND 1:|[^\P{Cc}\n]/mu);
  });

  it('promises closed descriptors only where no other thread can slip one in', () => {
    const libc = libcThrough('koffi');
    expect(featuresWith(libc)).to.include('close-other-fds');
    const musl = { ...libc, has: (name: string) => !name.includes('closefrom') };
    expect(featuresWith(musl)).not.to.include('close-other-fds');
    expect(featuresWith(musl)).to.have.length(featuresWith(libc).length - 1);
  });

  it('is refused where the permission model denies sockets, and not by a Node without that scope', () => {
    const own = Object.getOwnPropertyDescriptor(process, 'permission');
    const flags = Object.getOwnPropertyDescriptor(process, 'allowedNodeEnvironmentFlags');
    const inNode = (...known: string[]): void => {
      const permission = { has: (scope: string) => scope !== 'net' };
      Object.defineProperty(process, 'permission', { value: permission, configurable: true });
      Object.defineProperty(process, 'allowedNodeEnvironmentFlags', { value: new Set(known), configurable: true });
    };
    try {
      inNode('--allow-net');
      expect(() => createPosixBackend()).to.throw(/permission model .*'--allow-net'/);
      inNode();
      expect(createPosixBackend()).to.have.property('name', 'posix');
    } finally {
      Reflect.deleteProperty(process, 'permission');
      Reflect.deleteProperty(process, 'allowedNodeEnvironmentFlags');
      if (own !== undefined) Object.defineProperty(process, 'permission', own);
      if (flags !== undefined) Object.defineProperty(process, 'allowedNodeEnvironmentFlags', flags);
    }
  });

  for (const driver of usableDrivers) {
    it(`runs programs with the driver ${driver}`, async () => {
      const Bound = bindCommand(createPosixBackend({ driver }));
      const command = new Bound('sh', ['-c', 'echo out; echo err >&2; exit 3'], { stdout: 'text', stderr: 'text' });
      const outcome = { stdout: 'out\n', stderr: 'err\n', exitCode: 3 };
      expect(await command.run({ check: false })).to.include(outcome);
      expect(command.runSync({ check: false })).to.include(outcome);
    });
  }

  it('runs in both ways what was imported', async () => {
    expect(await new Command('true').run()).to.include({ exitCode: 0 });
    expect(new Command('true').runSync()).to.include({ exitCode: 0 });
    const start = await new Command('vircommand-no-such-program').run().catch((error: unknown) => error);
    expect(start)
      .to.be.instanceOf(CommandStartError)
      .and.include({ stage: 'resolve', code: 'ENOENT', backend: 'posix' });
  });

  it('says what is missing where only a spawner thread may start and a start needs the calling one', () => {
    expect(() => wayFor({ requires: [], text: 'true' }, [])).to.throw(/needs the calling thread, and VIRCOMMAND_WAY/);
  });

  it('tells of each of many runs in the context of its call, also where one signal or one timer tells of several', async () => {
    const ways = ['direct', 'launcher', 'thread'] as const;
    const backends = ways.map((way) => {
      process.env.VIRCOMMAND_WAY = way;
      try {
        return createPosixBackend();
      } finally {
        delete process.env.VIRCOMMAND_WAY;
      }
    });
    const ends: readonly { how: string; script: string; options?: object; told: readonly string[] }[] = [
      // Somebody has the pipes for a while longer.
      { how: 'late', script: 'sleep 0.1 &', told: ['start', 'exit'] },
      { how: 'failed', script: 'echo out; exit 3', told: ['start', 'exit', 'error'] },
      {
        how: 'too-much',
        script: 'head -c 99999 /dev/zero; sleep 60',
        options: { outputLimit: 9 },
        told: ['start', 'exit', 'error'],
      },
      { how: 'unstarted', script: '', told: ['error'] },
    ];
    const context = new AsyncLocalStorage<string>();
    const told: string[] = [];
    const listeners = ['start', 'exit', 'error'].map((name) => {
      const listener = (event: unknown): void => {
        const { command } = event as { command: string };
        told.push(`${name} of ${/run-[\w-]+/.exec(command)?.[0]} in ${context.getStore()}`);
      };
      subscribe(`vircommand:${name}`, listener);
      return { name, listener };
    });
    const wanted: string[] = [];
    try {
      const runs = Array.from({ length: 40 }, (_, index) => {
        // A launcher is a whole Node: most are direct.
        const way = index % 8 === 3 ? 1 : index % 4 === 0 ? 2 : 0;
        const end = ends[Math.floor(index / 10)];
        const backend = backends[way];
        if (end === undefined || backend === undefined) throw new Error('there is none');
        const run = `run-${index}-${ways[way]}-${end.how}`;
        wanted.push(...end.told.map((name) => `${name} of ${run} in ${run}`));
        return context.run(run, async () => {
          const argv = ['-c', `: ${run}; ${end.script}`];
          const cwd = end.how === 'unstarted' ? '/nonexistent' : '/';
          const command = new (bindCommand(backend))('sh', argv, { stdout: 'text', cwd });
          await command.run(end.options).catch(() => undefined);
          expect(context.getStore()).to.equal(run);
        });
      });
      await Promise.all(runs);
    } finally {
      for (const { name, listener } of listeners) unsubscribe(`vircommand:${name}`, listener);
      for (const backend of backends) await backend.dispose();
    }
    expect(told.sort()).to.deep.equal(wanted.sort());
  });

  it('can be imported where it cannot work, and says why when something is started', () => {
    const script = `
      Object.defineProperty(process, 'platform', { value: 'win32' });
      const { Command, whyNot } = require('@vircommand/posix');
      console.log(whyNot());
      new Command('true', [], { cwd: '/' }).run().catch((error) => { console.log(error.stage, error.message); });
      try { new Command('true').runSync(); } catch (error) { console.log(error.stage, error.message); }`;
    const { stdout, stderr } = node(script);
    const [why = '', ...failures] = stdout.trim().split('\n');
    expect(why, stderr).to.match(/works on Linux only, not on win32; use child-process/);
    expect(failures).to.have.length(2);
    for (const failure of failures) expect(failure).to.include('backend ').and.include(why);
  });

  it('is refused where the runtime is not Node, and has no launcher where this executable is an application', () => {
    for (const [version, name] of [
      ['bun', 'Bun'],
      ['deno', 'Deno'],
    ]) {
      const { stdout } = node(`
        Object.defineProperty(process, 'versions', { value: { ...process.versions, ${version}: '1.0.0' } });
        console.log(require('@vircommand/posix').whyNot());
      `);
      expect(stdout).to.equal(`the backend posix works on Node.js, not on ${name}; use child-process there\n`);
    }
    const { stdout } = node(`
      const { getBuiltinModule } = process;
      process.getBuiltinModule = (name) => (name === 'node:sea' ? { isSea: () => true } : getBuiltinModule(name));
      const { backend, Command } = require('@vircommand/posix');
      console.log(backend.features.includes('daemon'), backend.features.includes('umask'), new Command('true').runSync().exitCode);
    `);
    expect(stdout).to.equal('false true 0\n');
  });

  it('is tried again where there was no descriptor for its driver', () => {
    const script = `
      const { Command } = require('@vircommand/posix');
      const { openSync, closeSync } = require('node:fs');
      const fds = [];
      try { for (;;) fds.push(openSync('/dev/null')); } catch {}
      const say = () => new Command('true').run().then(() => console.log('ok'), ({ stage, code, message }) => { console.log(stage, code, /--omit/.test(message)); });
      say().then(() => { for (const fd of fds) closeSync(fd); return say(); });`;
    const { stdout, stderr } = node(script, {}, ['prlimit', '--nofile=100:100']);
    expect(stdout, stderr).to.equal('backend EMFILE false\nok\n');
  });

  it('says which limit keeps the launcher from being told', () => {
    const script = `
      const { Command } = require('@vircommand/posix');
      const say = ({ stage, code, message }) => { console.log(stage, code, message); };
      new Command('true').run({ killOnParentExit: 'guaranteed' }).catch(say);`;
    const { stdout, stderr } = node(script, {}, ['prlimit', '--fsize=100:100']);
    expect(stdout, stderr).to.match(
      /^launcher EFBIG .*write \(the limit of the size of files, RLIMIT_FSIZE, is below the \d+ bytes/,
    );
  });

  it('says which driver cannot be had', () => {
    const script = `const { whyNot } = require('@vircommand/posix'); console.log(whyNot());`;
    expect(node(script, { VIRCOMMAND_FFI: 'nothing' }).stdout).to.match(
      /VIRCOMMAND_FFI names no FFI driver: 'nothing'/,
    );
    expect(() => createPosixBackend({ driver: 'nothing' as 'koffi' })).to.throw(
      CommandUsageError,
      /option 'driver' must be 'koffi' or 'ffi-napi' or 'node', not the string 'nothing'/,
    );
  });

  it('loads no driver when it is imported', () => {
    const script = `
      require('@vircommand/posix');
      console.log(String(Object.keys(require.cache).some((path) => /@koromix/.test(path))));`;
    expect(node(script).stdout.trim()).to.equal('false');
  });
});

describe('the pace of starts', () => {
  const busy = (ms: number): void => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  };

  const never = (): never => {
    throw new Error('not this one');
  };

  it('starts the first one at once', () => {
    let started = false;
    void new Pace().take(
      {},
      () => {
        started = true;
      },
      never,
    );
    expect(started).to.equal(true);
  });

  it('spreads a burst over turns of the loop, in order', async () => {
    const pace = new Pace();
    let turn = 0;
    const count = (): void => {
      turn++;
      immediate = setImmediate(count);
    };
    let immediate = setImmediate(count);
    const turns: number[] = [];
    const order: number[] = [];
    const starts = Array.from({ length: 12 }, (_, index) => {
      const start = (): number => {
        busy(0.6);
        turns.push(turn);
        order.push(index);
        return index;
      };
      return Promise.resolve(pace.take({}, start, () => ({ start })));
    });
    expect(await Promise.all(starts)).to.deep.equal(order);
    clearImmediate(immediate);
    const most = Math.max(...turns.map((each) => turns.filter((other) => other === each).length));
    expect(most).to.be.at.most(2);
  });

  it('hands on errors and goes on', async () => {
    const pace = new Pace();
    const wrong = (): never => {
      busy(2);
      throw new Error('wrong');
    };
    expect(() => pace.take({}, wrong, never)).to.throw('wrong');
    const late = pace.take({}, never, () => ({ start: wrong }));
    const right = pace.take({}, never, () => ({ start: () => 'right' }));
    expect(await Promise.resolve(late).catch((error: unknown) => String(error))).to.equal('Error: wrong');
    expect(await right).to.equal('right');
  });

  it('makes no start that is cancelled while it waits', async () => {
    const pace = new Pace();
    await pace.take(
      {},
      () => {
        busy(2);
      },
      never,
    );
    let dropped = 0;
    const drop = (): void => {
      dropped++;
    };
    const keys = [{}, {}, {}];
    const starts = keys.map((key) =>
      Promise.resolve(pace.take(key, never, () => ({ start: never, drop }))).catch((error: unknown) => error),
    );
    for (const key of keys) pace.cancel(key);
    for (const error of await Promise.all(starts)) expect(error).to.be.instanceOf(CommandStartError);
    expect(dropped).to.equal(3);
    const next = pace.take({}, never, () => ({ start: () => 'next' }));
    expect(await next).to.equal('next');
  });
});
