import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { backend as childProcess } from '@vircommand/child-process';
import { backend as posix, whyNot } from '@vircommand/posix';
import { Command, chooseBackend, overrideBackend, type Backend } from 'vircommand';

/** What a fresh process prints: the choice is made once in each. */
function fresh(code: string, env: NodeJS.ProcessEnv): { stdout: string; stderr: string } {
  const args = [...process.execArgv, '-e', code];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: __dirname,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { stdout, stderr };
}
const load = `require('ts-node/register/transpile-only'); const { Command, chooseBackend } = require('vircommand');`;

describe('the choice of a backend', () => {
  it('is posix where a driver loads, else child-process, and is made once', () => {
    expect(chooseBackend()).to.equal(whyNot() === undefined ? posix : childProcess);
    expect(chooseBackend()).to.equal(chooseBackend());
    expect(Command.backend).to.equal(chooseBackend());
  });

  it('runs a real program', async () => {
    const { stdout } = await new Command(process.execPath, ['-e', 'process.stdout.write(String(6 * 7))'], {
      stdout: 'text',
    }).run();
    expect(stdout).to.equal('42');
  });

  it('is forced by VIRCOMMAND_BACKEND', () => {
    const { stdout } = fresh(`${load} console.log(chooseBackend().name)`, { VIRCOMMAND_BACKEND: 'child-process' });
    expect(stdout).to.equal('child-process\n');
  });

  it('says what is wrong with a name that does not exist', () => {
    const code = `${load} new Command('true').run().catch((e) => console.log(e.name, e.code, e.message))`;
    const { stdout } = fresh(code, { VIRCOMMAND_BACKEND: 'nonsense' });
    expect(stdout).to.match(/^CommandUsageError ERR_COMMAND_USAGE .*'nonsense'.*posix, child-process/);
  });

  it('says why the one that is forced cannot be used', () => {
    const code = `${load} new Command('true').run().catch((e) => console.log(e.name, e.code, e.message))`;
    const { stdout } = fresh(code, { VIRCOMMAND_BACKEND: 'posix', VIRCOMMAND_FFI: 'nonsense' });
    expect(stdout).to.match(/^CommandUsageError ERR_COMMAND_USAGE .*'posix' cannot be used: .*nonsense/);
  });

  /** With backends that cannot be loaded: somebody did not install or bundle them. */
  const without = (...names: string[]): string => `
    const Module = require('node:module');
    const resolve = Module._resolveFilename;
    Module._resolveFilename = function (name, ...rest) {
      if (${JSON.stringify(names)}.includes(name)) throw new Error(\`Cannot find module '\${name}'\\nRequire stack:\`);
      return resolve.call(this, name, ...rest);
    };
    ${load}`;

  it('is child-process where posix cannot be loaded', () => {
    const code = `${without('@vircommand/posix')} console.log(chooseBackend().name)`;
    const { stdout, stderr } = fresh(code, { NODE_DEBUG: 'vircommand' });
    expect(stdout).to.equal('child-process\n');
    expect(stderr).to.match(/not backend posix: Error: Cannot find module '@vircommand\/posix'\n/);
  });

  it('says why one that is forced cannot be loaded, and that there is none', () => {
    const say = `try { chooseBackend() } catch (e) { console.log(e.name, e.message) }`;
    const none = without('@vircommand/posix', '@vircommand/child-process');
    const code = `${none} ${say} delete process.env.VIRCOMMAND_BACKEND; ${say}`;
    const [forced, any] = fresh(code, { VIRCOMMAND_BACKEND: 'child-process' }).stdout.split('\n');
    expect(forced).to.match(/^CommandUsageError .*'child-process' cannot be used: Error: Cannot find module '[^']+'$/);
    expect(any).to.match(/^CommandUsageError .*no backend can be used here$/);
  });

  it('logs why it did not take the better one', () => {
    const code = `${load} console.log(chooseBackend().name)`;
    const { stdout, stderr } = fresh(code, { NODE_DEBUG: 'vircommand', VIRCOMMAND_FFI: 'nonsense\x1b[K' });
    expect(stdout).to.equal('child-process\n');
    expect(stderr).to.match(/not backend posix: .*nonsense\\x1b\[K'/);
    expect(stderr).to.match(/backend child-process\n/);
  });

  it('says why it did not take the better one to who misses that', () => {
    const missing = `(options) => new Command('x', [], { umask: 0o27, ...options }).run().catch((e) => e.message)`;
    const other = `{ contract: 1, name: 'other', features: [], start() {} }`;
    const code = `${load} const missing = ${missing};
      Promise.all([missing(), missing({ backend: ${other} })]).then((said) => console.log(said.join('\\n')));`;
    const [own, given] = fresh(code, { VIRCOMMAND_FFI: 'nonsense' }).stdout.split('\n');
    expect(own).to.match(/^The backend child-process .*; use the backend posix, which was not taken: .*nonsense.*: x$/);
    expect(given).to.match(/^The backend other .*; use the backend posix: x$/);
    const forced = fresh(code, { VIRCOMMAND_FFI: 'nonsense', VIRCOMMAND_BACKEND: 'child-process' }).stdout;
    expect(forced).to.match(/^The backend child-process .*; use the backend posix: x\n/);
  });

  it('is not made while no descriptor is free, and is the best one afterwards', function () {
    if (process.platform === 'win32') this.skip();
    const code = `
      ${load}
      const { closeSync, openSync } = require('node:fs');
      const run = () => new Command('true').run().then(() => 'ran', ({ name, code, stage }) => [name, code, stage].join());
      (async () => {
        const taken = [];
        try {
          for (;;) taken.push(openSync('/dev/null'));
        } catch {}
        const said = [await run(), await run()];
        for (const fd of taken) closeSync(fd);
        console.log(said.join(), await run(), chooseBackend().name);
      })();`;
    const argv = ['-c', 'ulimit -n 200; exec "$@"', 'sh', process.execPath, ...process.execArgv, '-e', code];
    const { stdout, stderr } = spawnSync('sh', argv, { cwd: __dirname, encoding: 'utf8' });
    const lack = 'CommandStartError,EMFILE,backend';
    expect(stdout, stderr).to.equal(`${lack},${lack} ran ${chooseBackend().name}\n`);
  });

  it('yields to an override', async () => {
    const calls: string[] = [];
    const spy: Backend = {
      contract: 1,
      name: 'spy',
      features: [],
      start(plan) {
        calls.push(plan.text);
        return Promise.reject(new Error('not started'));
      },
    };
    const override = overrideBackend(spy);
    const error: unknown = await new Command('true').run().catch((reason: unknown) => reason);
    override[Symbol.dispose]();
    expect(error).to.have.property('stage', 'backend');
    expect(calls).to.deep.equal(['true']);
  });
});
