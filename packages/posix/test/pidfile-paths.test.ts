import { CommandUsageError } from '@vircommand/core';
import { expect } from 'chai';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildPath, constructPath } from '../src/pidfile';

describe('the path of a pid file', () => {
  const before = process.env;
  beforeEach(() => (process.env = { ...before }));
  let directory = '';
  beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), 'vircommand-runtime-'))));
  afterEach(() => {
    process.env = before;
    rmSync(directory, { recursive: true });
  });
  const user = { program: 'mydaemon', stateDirectory: '/run', privileged: false } as const;

  it('is a directory and a name', () => {
    expect(buildPath('/run/libvirt', 'network')).to.equal('/run/libvirt/network.pid');
    expect(buildPath('.', 'a b')).to.equal('a b.pid');
  });

  it('refuses a name that leads elsewhere', () => {
    for (const name of ['', '../etc/passwd', 'a/b', 'a\0b']) {
      expect(() => buildPath('/run', name)).to.throw(CommandUsageError, /one part of a path/);
    }
  });

  it('refuses a place that is not one, and takes none from a prototype', () => {
    const wrong: [place: object, reason: RegExp][] = [
      [{ program: 'p' }, /option 'stateDirectory' is missing/],
      [{ stateDirectory: '/run' }, /option 'program' is missing/],
      [{ ...user, program: 1 }, /'program' must be a string, not the number 1/],
      [{ ...user, privileged: 'no' }, /'privileged' must be a boolean/],
      [{ ...user, priviledged: true }, /no option 'priviledged'; did you mean 'privileged'/],
      [Object.create(user) as object, /option 'program' is missing/],
    ];
    for (const [place, reason] of wrong) {
      expect(() => constructPath(place as typeof user)).to.throw(CommandUsageError, reason);
    }
  });

  it('is below the state directory for the machine', () => {
    expect(constructPath({ ...user, privileged: true })).to.equal('/run/mydaemon.pid');
    process.env.XDG_RUNTIME_DIR = directory;
    const usual = constructPath({ program: 'mydaemon', stateDirectory: '/run' });
    expect(usual === '/run/mydaemon.pid').to.equal(process.geteuid?.() === 0);
  });

  it('is in the runtime directory for a user, which is made for him alone', () => {
    const runtime = path.join(directory, 'run');
    process.env.XDG_RUNTIME_DIR = runtime;
    expect(constructPath(user)).to.equal(path.join(runtime, 'mydaemon.pid'));
    expect(statSync(runtime).mode & 0o777).to.equal(0o700);
  });

  it('is among the user’s caches where there is no runtime directory', () => {
    process.env.XDG_RUNTIME_DIR = 'relative';
    process.env.XDG_CACHE_HOME = path.join(directory, 'caches');
    expect(constructPath(user)).to.equal(path.join(directory, 'caches', 'mydaemon.pid'));
    delete process.env.XDG_CACHE_HOME;
    const { HOME } = before;
    // The real one: libc has its own look.
    before.HOME = directory;
    const atHome = constructPath(user);
    if (HOME === undefined) delete before.HOME;
    else before.HOME = HOME;
    expect(atHome).to.equal(path.join(directory, '.cache', 'mydaemon.pid'));
  });
});
