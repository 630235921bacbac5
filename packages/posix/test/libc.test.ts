import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { Worker } from 'node:worker_threads';
import { chosenDriver, loadDriver } from '../src/ffi';
import { errnoName, systemError } from '../src/errno';
import { libcThrough } from '../src/libc';
import { LINUX } from '../src/linux';
import { cString, SIZE } from '../src/struct';
import { onEachDriver, usableDrivers } from './drivers';

const { ENOENT, EBADF, EINVAL } = constants.errno;

describe('libc', () => {
  onEachDriver((libc) => {
    it('returns results, and the negative errno of a failure', () => {
      expect(libc.getppid()).to.equal(process.ppid);
      expect(libc.kill(process.pid, 0)).to.equal(0);
      expect(libc.openat(LINUX.AT_FDCWD, cString('/nonexistent'), 0, 0)).to.equal(-ENOENT);
      expect(libc.close(-1)).to.equal(-EBADF);
      expect(libc.fcntl(-1, LINUX.F_GETFD, 0)).to.equal(-EBADF);
      expect(libc.syscall(LINUX.SYS_pidfd_open, -1, 0, 0, 0, 0)).to.equal(-EINVAL);
    });

    it('reads and writes through buffers, at their offsets', () => {
      const pair = Buffer.alloc(8);
      expect(libc.pipe2(pair, LINUX.O_CLOEXEC)).to.equal(0);
      const [read, write] = [pair.readInt32LE(0), pair.readInt32LE(4)];
      expect(libc.fcntl(read, LINUX.F_GETFD, 0)).to.equal(LINUX.FD_CLOEXEC);
      const sent = Buffer.from('..hello');
      expect(libc.write(write, sent.subarray(2), 5)).to.equal(5);
      const got = Buffer.alloc(10, 0x2e);
      expect(libc.read(read, got.subarray(3), 5)).to.equal(5);
      expect(got.toString()).to.equal('...hello..');
      for (const fd of [read, write]) expect(libc.close(fd)).to.equal(0);
    });

    it('passes numbers of 64 bits whole', () => {
      const limit = Buffer.alloc(SIZE.rlimit);
      expect(libc.getrlimit(LINUX.RLIMIT_NOFILE, limit)).to.equal(0);
      expect(Number(limit.readBigUInt64LE(8))).to.be.greaterThan(0);
      // An address in a register: what lies there is read through it.
      const text = cString('/dev/null');
      const fd = libc.openat(LINUX.AT_FDCWD, text, LINUX.O_CLOEXEC, 0);
      expect(fd).to.be.greaterThan(2);
      libc.close(fd);
      const { driver } = libc;
      const view = driver.view(driver.address(text), 9);
      expect(Buffer.from(view).toString()).to.equal('/dev/null');
      expect(driver.address(text.subarray(4)) - driver.address(text)).to.equal(4);
    });

    it('views memory that another array buffer had before', () => {
      const before = new Uint8Array(4);
      const address = libc.driver.address(before);
      const moved = structuredClone(before, { transfer: [before.buffer] });
      moved.set([1, 2, 3, 4]);
      expect(libc.driver.address(moved)).to.equal(address);
      expect(Array.from(libc.driver.view(address, 4))).to.deep.equal([1, 2, 3, 4]);
      expect(before.byteLength).to.equal(0);
    });

    it('knows which functions there are', () => {
      expect(libc.has('posix_spawn')).to.equal(true);
      expect(libc.driver.bind('vircommand_no_such_function', 'int', [])).to.equal(undefined);
      expect(libc.driver.symbol('vircommand_no_such_function')).to.equal(undefined);
    });

    it('finds errno undisturbed by garbage collections', () => {
      const path = cString('/nonexistent');
      const seen = new Map<number, number>();
      let garbage: unknown[] = [];
      for (let round = 0; round < 50_000; round++) {
        garbage.push(`${round}${garbage.length}`, [round]);
        if (garbage.length > 10_000) garbage = [];
        const result = libc.openat(LINUX.AT_FDCWD, path, 0, 0);
        seen.set(result, (seen.get(result) ?? 0) + 1);
      }
      expect(Array.from(seen)).to.deep.equal([[-ENOENT, 50_000]]);
    });
  });

  it('serves who kept a function from before its first call', () => {
    const { getppid } = libcThrough('koffi');
    expect([getppid(), getppid()]).to.deep.equal([process.ppid, process.ppid]);
  });
});

describe('the choice of a driver', () => {
  const before = process.env.VIRCOMMAND_FFI;
  afterEach(() => {
    if (before === undefined) delete process.env.VIRCOMMAND_FFI;
    else process.env.VIRCOMMAND_FFI = before;
  });

  it('is the option, then VIRCOMMAND_FFI, then koffi', () => {
    delete process.env.VIRCOMMAND_FFI;
    expect(chosenDriver(undefined)).to.equal('koffi');
    process.env.VIRCOMMAND_FFI = 'ffi-napi';
    expect(chosenDriver(undefined)).to.equal('ffi-napi');
    expect(chosenDriver('node')).to.equal('node');
  });

  it('names what there is when there is no such driver', () => {
    process.env.VIRCOMMAND_FFI = 'libffi';
    expect(() => chosenDriver(undefined)).to.throw(/VIRCOMMAND_FFI.*'libffi'.*koffi, ffi-napi, node/);
  });

  it('says what a driver needs that cannot be had', function () {
    if (usableDrivers.includes('node')) this.skip();
    expect(() => loadDriver('node')).to.throw(/driver node cannot be used.*Node 26/);
  });

  const inWorker = async (driver: string): Promise<unknown> => {
    const worker = new Worker(
      `require('ts-node/register');
       const { libcThrough } = require(${JSON.stringify(require.resolve('../src/libc'))});
       let answer;
       try { answer = libcThrough(${JSON.stringify(driver)}).getppid(); } catch (error) { answer = error.message; }
       require('node:worker_threads').parentPort.postMessage(answer);`,
      { eval: true },
    );
    try {
      return await new Promise((resolve, reject) => {
        worker.once('message', resolve).once('error', reject);
      });
    } finally {
      await worker.terminate();
    }
  };

  it('works in a worker thread with koffi', async () => {
    expect(await inWorker('koffi')).to.equal(process.ppid);
  });

  it('works in a worker thread with node:ffi', async function () {
    if (!usableDrivers.includes('node')) this.skip();
    expect(await inWorker('node')).to.equal(process.ppid);
  });

  it('refuses ffi-napi in a worker thread instead of crashing', async () => {
    expect(await inWorker('ffi-napi')).to.match(/crashes the process \(SIGSEGV\).*worker thread/);
  });

  it('says how to get a driver that is not installed', () => {
    const script = `
      const Module = require('node:module');
      const load = Module._load;
      Module._load = (name, ...rest) => {
        if (name === 'ref-napi') throw new Error("Cannot find module 'ref-napi'\\nRequire stack:");
        return load(name, ...rest);
      };
      require('ts-node/register');
      try { require(${JSON.stringify(require.resolve('../src/ffi'))}).loadDriver('ffi-napi'); }
      catch (error) { console.log(error.message); }`;
    const options = { env: { ...process.env, TS_NODE_TRANSPILE_ONLY: '1' }, encoding: 'utf8' } as const;
    const { stdout } = spawnSync(process.execPath, ['--conditions=@vircommand/source', '-e', script], options);
    expect(stdout.trim()).to.equal(
      "The FFI driver ffi-napi cannot be used: Cannot find module 'ref-napi' " +
        '(install it with: npm install --ignore-scripts ffi-napi@4 ref-napi@3)',
    );
  });
});

describe('errors of libc', () => {
  it('look like those of Node', () => {
    const error = systemError(ENOENT, 'open', '/x', 'not there');
    expect(error.message).to.equal("ENOENT: no such file or directory, open '/x' (not there)");
    expect(error).to.include({ code: 'ENOENT', errno: -ENOENT, syscall: 'open', path: '/x' });
  });

  it('write out control characters of a path in the message', () => {
    const error = systemError(ENOENT, 'open', '/x\x1b[K', 'it is \x07');
    const message = String.raw`ENOENT: no such file or directory, open '/x\x1b[K' (it is \x07)`;
    expect(error).to.include({ message, path: '/x\x1b[K' });
    expect(error.stack).to.contain(message);
  });

  it('have the first name of a number, and a made-up one where there is none', () => {
    expect(errnoName(constants.errno.EAGAIN)).to.equal('EAGAIN');
    expect(errnoName(4095)).to.equal('E4095');
  });
});
