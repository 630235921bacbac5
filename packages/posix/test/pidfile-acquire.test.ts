import { expect } from 'chai';
import { execFileSync, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { acquirePath, readPath, readPathIfAlive, readPathIfLocked, releasePath, deletePath } from '../src/pidfile';
import { endLockers, pidFiles, pythonLocker, seenFromPython, thrown } from './lockers';
import { openDescriptors } from './started';

const inPlace = `pid ${process.pid} from 0 for 1, refused, ${process.pid}`;

describe('acquiring a pid file', () => {
  const file = pidFiles();
  afterEach(endLockers);

  it('holds it until it is released, once', () => {
    const before = openDescriptors();
    const acquired = acquirePath(file());
    expect(acquired.path).to.equal(file());
    expect(seenFromPython(file())).to.equal(inPlace);
    releasePath(acquired);
    expect(existsSync(file())).to.equal(false);
    writeFileSync(file(), 'of somebody else');
    acquired.release();
    acquired[Symbol.dispose]();
    expect(existsSync(file())).to.equal(true);
    expect(openDescriptors()).to.equal(before);
  });

  it('takes a relative path for what it is now', () => {
    const acquired = acquirePath(path.relative('', file()));
    expect(acquired.path).to.equal(file());
    acquired.release();
  });

  it('is not lost by reading the file in the same process', () => {
    const acquired = acquirePath(file());
    for (let round = 0; round < 3; round++) {
      expect(readPath(file())).to.equal(process.pid);
      expect(readPathIfAlive(file())).to.equal(process.pid);
      expect(readPathIfLocked(file(), { executable: process.execPath })).to.equal(process.pid);
    }
    expect(seenFromPython(file())).to.equal(inPlace);
    acquired.release();
  });

  it('is not lost by reading it in a worker thread', async () => {
    const acquired = acquirePath(file());
    const worker = new Worker(
      `process.env.VIRCOMMAND_FFI = 'koffi'; // ffi-napi works in no worker thread.
       require('ts-node').register({ transpileOnly: true });
       const { readPath, readPathIfLocked } = require(${JSON.stringify(require.resolve('../src/pidfile'))});
       const file = ${JSON.stringify(file())};
       require('node:worker_threads').parentPort.postMessage([readPath(file), readPathIfLocked(file)]);`,
      { eval: true },
    );
    const [seen] = (await once(worker, 'message')) as [unknown];
    await worker.terminate();
    expect(seen).to.deep.equal([process.pid, process.pid]);
    expect(seenFromPython(file())).to.equal(inPlace);
    acquired.release();
  });

  it('is refused a second time in the same process, which keeps what it has', () => {
    const acquired = acquirePath(file());
    expect(thrown(() => acquirePath(file()))).to.include({ code: 'EAGAIN', owner: process.pid, path: file() });
    expect(seenFromPython(file())).to.equal(inPlace);
    acquired.release();
    acquirePath(file()).release();
  });

  it('shows what happens without these functions: the lock is lost', () => {
    const acquired = acquirePath(file());
    closeSync(openSync(file(), 'r'));
    expect(seenFromPython(file())).to.equal(`nobody, got it, ${process.pid}`);
    acquired.release();
  });

  it('does not take a descriptor of the parent for a lock of its own', () => {
    const acquired = acquirePath(file());
    const script = `
      require('ts-node').register({ transpileOnly: true });
      const { readPathIfLocked, acquirePath } = require(${JSON.stringify(require.resolve('../src/pidfile'))});
      const file = ${JSON.stringify(file())};
      let code;
      try { acquirePath(file); } catch (error) { code = [error.code, error.owner]; }
      console.log(JSON.stringify([readPathIfLocked(file), code]));`;
    const node = [...process.execArgv, '-e', script];
    const stdio = ['ignore', 'pipe', 'inherit', acquired.fd] as const;
    const seen = execFileSync(process.execPath, node, { encoding: 'utf8', stdio: [...stdio] });
    expect(JSON.parse(seen)).to.deep.equal([process.pid, ['EAGAIN', process.pid]]);
    acquired.release();
  });

  it('ends with the process, however that ends', async () => {
    const { pid, end } = await pythonLocker(file());
    expect(thrown(() => acquirePath(file())).owner).to.equal(pid);
    await end();
    const acquired = acquirePath(file());
    expect(readFileSync(`/proc/self/fd/${acquired.fd}`, 'latin1')).to.equal(String(process.pid));
    acquired.release();
  });

  describe('by two at once', () => {
    let contestants: ChildProcess[] = [];
    afterEach(async () => {
      for (const contestant of contestants) {
        const gone = once(contestant, 'exit');
        contestant.kill('SIGKILL');
        await gone;
      }
      contestants = [];
    });

    it('is granted to one, and the other is told whom, a hundred times', async () => {
      const program = require.resolve('./programs/acquirer');
      const options = {
        execArgv: [...process.execArgv, '--require', 'ts-node/register'],
        env: { ...process.env, TS_NODE_TRANSPILE_ONLY: '1' },
      };
      contestants = [0, 1].map(() => fork(program, [file()], options));
      await Promise.all(contestants.map((contestant) => once(contestant, 'message')));
      const all = async (order: string): Promise<unknown[]> => {
        const answers = contestants.map(async (contestant) => {
          const [answer] = (await once(contestant, 'message')) as unknown[];
          return answer;
        });
        for (const contestant of contestants) contestant.send(order);
        return Promise.all(answers);
      };
      const winners = new Set<number>();
      for (let round = 0; round < 100; round++) {
        const answers = (await all('acquire')) as { readonly got?: number; readonly owner?: number }[];
        const [got] = answers.flatMap((answer) => answer.got ?? []);
        winners.add(got ?? 0);
        expect(answers).to.have.deep.members([{ got }, { owner: got }]);
        expect(readFileSync(file(), 'latin1')).to.equal(String(got));
        await all('release');
        expect(existsSync(file())).to.equal(false);
      }
      expect(contestants.map(({ pid }) => pid)).to.include.members(Array.from(winners));
    });
  });
});

describe('deleting a pid file', () => {
  const file = pidFiles();

  it('says whether there was one', () => {
    writeFileSync(file(), '1');
    expect([deletePath(file()), deletePath(file())]).to.deep.equal([true, false]);
    expect(thrown(() => deletePath(file('.'))).code).to.be.oneOf(['EISDIR', 'EPERM']);
  });
});
