import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { expect } from 'chai';
import { CommandStartError } from '@vircommand/core';
import { directoryError, execError, interpreterOf, resolveProgram, resolveProgramOf } from '@vircommand/core/backend';
import { thrown } from '../caught';

describe('on this machine', () => {
  let root = '';
  const at = (...parts: string[]): string => path.join(root, ...parts);
  const script = (file: string, text: string, mode = 0o755): void => {
    writeFileSync(file, text);
    chmodSync(file, mode);
  };
  before(function () {
    if (process.platform === 'win32') this.skip();
    root = realpathSync(mkdtempSync(path.join(tmpdir(), 'resolve-')));
    for (const name of ['a', 'b', 'a/dir']) mkdirSync(at(name));
    script(at('b', 'tool'), '#!/bin/sh\n');
    script(at('a', 'plain'), 'text', 0o644);
    script(at('b', 'plain'), '#!/bin/sh\n');
    script(at('a', 'only'), 'text', 0o644);
    script(at('b', 'lost'), '#!/no/such/interpreter -x\n');
    script(at('b', 'odd'), 'neither');
    symlinkSync('loop', at('a', 'loop'));
    // A name that no text can hold.
    writeFileSync(Buffer.concat([Buffer.from(at('b') + '/'), Buffer.from([0xff])]), '#!/bin/sh\n', { mode: 0o755 });
  });
  after(() => {
    if (root !== '') rmSync(root, { recursive: true, force: true });
  });

  describe('resolveProgram()', () => {
    const find = (program: string, more: Partial<{ path: string; cwd: string }> = {}): string =>
      resolveProgram(program, { path: `${at('none')}:${at('a')}:${at('b')}`, cwd: root, ...more });

    it('takes the first of PATH that can be executed', () => {
      expect([find('tool'), find('plain')]).to.deep.equal([at('b', 'tool'), at('b', 'plain')]);
    });

    it('an empty entry and a relative one are of the working directory', () => {
      expect(find('tool', { path: ':/x', cwd: at('b') })).to.equal(at('b', 'tool'));
      expect(find('tool', { path: 'b' })).to.equal(at('b', 'tool'));
    });

    it('takes paths as they are, relative ones from the working directory', () => {
      expect([find('/x/../y'), find('./b/tool'), find('b/../tool')]).to.deep.equal([
        '/x/../y',
        root + '/./b/tool',
        root + '/b/../tool',
      ]);
    });

    it('says what is missing, and what is there but cannot be executed', () => {
      expect(thrown(() => find('nothing'), CommandStartError)).to.include({
        stage: 'resolve',
        code: 'ENOENT',
        path: 'nothing',
      });
      expect(thrown(() => find('only'), CommandStartError)).to.include({ stage: 'resolve', code: 'EACCES' });
      expect(thrown(() => find('dir'), CommandStartError)).to.include({ stage: 'resolve', code: 'EACCES' });
    });

    it('without PATH looks where execvp(3) does', () => {
      expect(resolveProgram('sh', { path: undefined, cwd: root })).to.match(/^\/(usr\/)?bin\/sh$/);
    });

    it('without a name of the working directory passes relative entries over, and has no relative programs', () => {
      const nameless = (program: string, search: string): string =>
        resolveProgram(program, { path: search, cwd: undefined });
      expect(nameless('tool', `:b:${at('b')}`)).to.equal(at('b', 'tool'));
      expect(nameless('/x', '')).to.equal('/x');
      for (const program of ['b/tool', 'tool'])
        expect(thrown(() => nameless(program, 'b'), CommandStartError)).to.include({
          stage: 'resolve',
          code: 'ENOENT',
          path: program,
        });
      const bytes = { base64: Buffer.from([0x62, 0x2f, 0xff]).toString('base64') };
      expect(() => resolveProgram(bytes, { path: at('b'), cwd: undefined })).to.throw('relative to');
    });

    it('finds names that are no text', () => {
      const name = { base64: Buffer.from([0xff]).toString('base64') };
      const found = resolveProgram(name, { path: at('b'), cwd: root });
      expect(found).to.deep.equal({
        base64: Buffer.concat([Buffer.from(at('b') + '/'), Buffer.from([0xff])]).toString('base64'),
      });
      thrown(() => resolveProgram(name, { path: at('a'), cwd: root }), CommandStartError);
    });

    it('says of an empty PATH that it is empty, of whatever name', () => {
      for (const name of ['no-such-tool', { base64: Buffer.from([0xff]).toString('base64') }]) {
        expect(() => resolveProgram(name, { path: '', cwd: root })).to.throw(' was not found in an empty PATH');
      }
    });
  });

  (process.platform === 'linux' ? describe : describe.skip)('resolveProgramOf()', () => {
    const home = process.cwd();
    afterEach(() => {
      process.chdir(home);
    });
    const plan = { program: './tool', cwd: undefined, daemon: false };

    it('has relative programs from where this process is, whatever it was called when Node asked', () => {
      mkdirSync(at('place'));
      process.chdir(at('place'));
      expect(resolveProgramOf(plan)).to.equal(at('place') + '/./tool');
      renameSync(at('place'), at('renamed'));
      expect(resolveProgramOf(plan)).to.equal(at('renamed') + '/./tool');
      mkdirSync(at('place'));
      expect(resolveProgramOf({ ...plan, cwd: '/' })).to.equal(at('renamed') + '/./tool');
    });

    it('where no path leads to that, only if the program begins there', () => {
      mkdirSync(at('gone'));
      process.chdir(at('gone'));
      rmdirSync(at('gone'));
      expect(resolveProgramOf(plan)).to.equal('/proc/self/cwd/./tool');
      expect(() => resolveProgramOf({ ...plan, cwd: '/' })).to.throw('no path leads to');
      expect(() => resolveProgramOf({ ...plan, daemon: true })).to.throw('no path leads to');
    });
  });

  describe('interpreterOf()', () => {
    const named = (text: string): string | undefined => {
      const head = Buffer.alloc(256);
      head.write(text, 'latin1');
      return interpreterOf(head)?.toString('latin1');
    };
    const long = '/' + 'a'.repeat(252);

    it('is what the kernel takes for the path', () => {
      expect(['#!/i', '#! \t/i \t-x y\n', '#!i\n', '#!/i\r\n', '#!/i\0/j\n'].map(named)).to.deep.equal([
        '/i',
        '/i',
        'i',
        '/i\r',
        '/i',
      ]);
      // It may be empty, and arguments may be cut off.
      expect(['#!', '#! \0/i', `#!/i ${'x'.repeat(300)}`].map(named)).to.deep.equal(['', '', '/i']);
      expect([`#!${long}\n`, `#!${long} x`, `#!${long}`].map(named)).to.deep.equal([long, long, long]);
    });

    it('is none where the line is blank, or the path may go on', () => {
      const none = ['', 'text', ' #!/i', '#!\n/i', '#! \t\n', `#!${long}a`, `#!${' '.repeat(300)}/i`];
      expect(none.map(named)).to.deep.equal(none.map(() => undefined));
    });
  });

  describe('execError()', () => {
    const failed = (code: string, program: string) =>
      execError(Object.assign(new Error(code), { code, errno: -1 }), program);

    it('says which of the things that one number means it was', () => {
      expect(failed('ENOENT', at('gone')).message).to.contain('there is no program');
      const interpreter = failed('ENOENT', at('b', 'lost'));
      expect(interpreter).to.include({ stage: 'exec', code: 'ENOENT', path: '/no/such/interpreter' });
      script(at('b', 'dos'), '#!/bin/sh\r\n');
      const dos = failed('ENOENT', at('b', 'dos'));
      expect(dos).to.include({ path: '/bin/sh\r' });
      expect(dos.message)
        .to.contain(String.raw`'/bin/sh\r' does not exist: its lines end in CRLF`)
        .and.not.contain('\r');
      // Of an interpreter that is there, what that needs.
      script(at('b', 'nested'), `#!${at('b', 'lost')}\n`);
      expect(failed('ENOENT', at('b', 'nested'))).to.include({ path: '/no/such/interpreter' });
      script(at('b', 'found'), `#!${at('b', 'odd')}\n`);
      expect(failed('ENOENT', at('b', 'found'))).to.include({ path: at('b', 'found') });
      expect(failed('ENOENT', at('b', 'odd')).message).to.contain('the loader that it names does not');
      expect(failed('EACCES', at('a')).message).to.contain('is a directory');
      expect(failed('EACCES', at('a', 'plain')).message).to.contain('may not be executed');
      expect(failed('ENOEXEC', at('b', 'odd')).message).to.contain("nor a script with '#!'");
      for (const code of ['ENOTDIR', 'ELOOP', 'E2BIG', 'ETXTBSY', 'EPERM'])
        expect(failed(code, '/p')).to.include({ code, stage: 'exec' });
    });
  });

  it('directoryError() says why a directory cannot be entered', () => {
    expect(directoryError(root)).to.equal(undefined);
    expect(directoryError(root + '/')).to.equal(undefined);
    expect(directoryError(at('gone'))).to.include({ stage: 'cwd', code: 'ENOENT', path: at('gone') });
    expect(directoryError(at('b', 'tool'))).to.include({ code: 'ENOTDIR' });
    expect(directoryError(at('a', 'loop'))).to.include({ code: 'ELOOP' });
  });

  it('directoryError() says nothing of a directory whose path is as long as the system takes', () => {
    const longest = process.platform === 'linux' ? 4095 : 1023;
    const long = (length: number): string => {
      let deep = at('deep');
      while (length - deep.length > 202) deep += '/' + 'd'.repeat(100);
      return deep + '/' + 'd'.repeat(length - deep.length - 1);
    };
    for (const length of [longest - 1, longest]) {
      mkdirSync(long(length), { recursive: true });
      expect(directoryError(long(length))).to.equal(undefined);
    }
    expect(directoryError(long(longest + 1))).to.include({ code: 'ENAMETOOLONG' });
  });
});
