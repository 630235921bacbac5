import fs from 'node:fs';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { Descendants, pipesOf } from '@vircommand/core/backend';
import { processTable } from '../../src/system/processes';

describe('the table of processes', () => {
  const { readFileSync, readdirSync } = fs;
  /** Of a kernel that does not count forks. */
  const uncounted = ((file: string, encoding: 'latin1') =>
    file === '/proc/stat' ? '' : readFileSync(file, encoding)) as typeof readFileSync;
  const uptime = process.uptime.bind(process);
  let begun = uptime();
  const stopTime = (after: number): void => {
    process.uptime = () => begun + after;
  };
  /** Who holds it keeps it. */
  let table = processTable();
  let children: ChildProcess[] = [];

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });
  // Also where a test takes longer than what was read is good for.
  beforeEach(() => {
    // The table may be that of the test before, and no time goes backwards.
    begun += 100;
    stopTime(0);
    fs.readFileSync = uncounted;
    table = processTable();
  });
  afterEach(async () => {
    process.uptime = uptime;
    fs.readFileSync = readFileSync;
    fs.readdirSync = readdirSync;
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      process.kill(-(child.pid ?? NaN), 'SIGKILL');
      await once(child, 'exit');
    }
    children = [];
  });

  async function start(command: string, ...args: string[]): Promise<number> {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
    children.push(child);
    await once(child, 'spawn');
    return child.pid ?? 0;
  }
  /** A shell, and its child. */
  async function family(): Promise<[shell: number, child: number]> {
    const shell = await start('sh', '-c', 'sleep 60 & echo $!; wait');
    const [text] = (await once(children.at(-1)?.stdout ?? process.stdin, 'data')) as [Buffer];
    return [shell, Number(text)];
  }
  /** Notes whose `stat` is read, and says instead what `change` makes of it. */
  function spy(change = (_pid: number, text: string): string => text, numbers?: string): number[] {
    const read: number[] = [];
    fs.readFileSync = ((file: string, encoding: 'latin1') => {
      if (file.endsWith('/pid_max') && numbers !== undefined) return numbers;
      const text = uncounted(file, encoding);
      const pid = Number(/^\/proc\/(\d+)\/stat$/.exec(file)?.[1]);
      if (Number.isNaN(pid)) return text;
      read.push(pid);
      return change(pid, text);
    }) as typeof readFileSync;
    return read;
  }
  const pids = (): number[] => Array.from(table.update().keys());

  it('reads nobody twice, whoever has come since, and forgets who is gone', async () => {
    const early = await start('sleep', '60');
    expect(pids()).to.include(early);
    const late = await start('sleep', '60');
    const read = spy();
    expect(pids()).to.include.members([early, late]);
    expect(read).to.include(late).and.not.include(early);
    const [, child] = children;
    child?.kill('SIGKILL');
    await once(child ?? process, 'exit');
    expect(pids()).to.include(early).and.not.include(late);
  });

  it('reads everybody each time where numbers may go round soon', async () => {
    const pid = await start('sleep', '60');
    pids();
    const read = spy((_pid, text) => text, '300\n');
    pids();
    expect(read).to.include(pid);
  });

  it('reads everybody again after a second', async () => {
    const pid = await start('sleep', '60');
    stopTime(10);
    pids();
    const read = spy();
    stopTime(11);
    pids();
    expect(read).to.not.include(pid);
    stopTime(11.01);
    pids();
    expect(read).to.include(pid);
  });

  it('is one for all who look for descendants', async () => {
    const families = [await family(), await family(), await family()];
    pids();
    const read = spy();
    for (const [shell] of families) {
      const descendants = new Descendants(shell, { ownGroup: false, ownPipes: pipesOf(shell, [1]) ?? [] });
      expect([descendants.find(true), descendants.visible, descendants.alive]).to.deep.equal([true, true, true]);
    }
    // The program, and the descendant when it is found and when it is asked for.
    expect(read.filter((pid) => families.flat().includes(pid)).sort()).to.deep.equal(
      families.flatMap(([shell, child]) => [shell, child, child]).sort(),
    );
  });

  /** What `/proc/PID/stat` says with another one of the fields behind the name, the first of which is the state. */
  const withField = (text: string, index: number, value: number): string =>
    text.replace(new RegExp(`(?<=\\) (?:\\S+ ){${index}})-?\\d+`), String(value));
  const [parentField, groupField, startField] = [1, 2, 19];

  it('does not make a descendant of a stranger who has the number by now', async () => {
    const [shell, child] = await family();
    expect(pids()).to.include(child);
    spy((pid, text) => (pid === child ? withField(text, startField, 1) : text));
    const descendants = new Descendants(shell, { ownGroup: false, ownPipes: pipesOf(shell, [1]) ?? [] });
    expect([descendants.find(true), descendants.visible, descendants.alive]).to.deep.equal([false, true, false]);
  });

  for (const [what, field] of [
    ['child', parentField],
    ['member of the group', groupField],
  ] as const) {
    it(`does not make a descendant of who was a ${what} when he was read`, async () => {
      const shell = await start('sleep', '60');
      const stranger = await start('sleep', '60');
      spy((pid, text) => (pid === stranger ? withField(text, field, shell) : text));
      expect(pids()).to.include(stranger);
      fs.readFileSync = uncounted;
      const descendants = new Descendants(shell, { ownGroup: true, ownPipes: [] });
      expect([descendants.find(true), descendants.visible]).to.deep.equal([false, true]);
    });
  }

  it('finds who was adopted since he was read', async () => {
    const [shell, child] = await family();
    const [gone] = [await start('true')];
    await once(children.at(-1) ?? process, 'exit');
    spy((pid, text) => (pid === child ? withField(text, parentField, gone) : text));
    expect(pids()).to.include(child);
    fs.readFileSync = uncounted;
    const descendants = new Descendants(shell, { ownGroup: false, ownPipes: [] });
    expect([descendants.find(true), descendants.alive]).to.deep.equal([true, true]);
  });

  describe('of a machine with many processes', () => {
    let lists = 0;
    let count = '';
    let forks = 123_450;
    /** Old ones that have nothing to do with anything, and a kernel that counts. */
    function crowd(change?: (pid: number, text: string) => string): void {
      spy(change);
      const strangers = Array.from({ length: 300 }, (_, index) => String(5_000_000 + index));
      const { readFileSync: spied } = fs;
      fs.readFileSync = ((file: string, encoding: 'latin1') => {
        if (file === '/proc/stat') return count.replace('%d', String(forks));
        const [, stranger] = /^\/proc\/(5\d{6})\/stat$/.exec(file) ?? [];
        return stranger === undefined ? spied(file, encoding) : `${stranger} (old) S${' 1'.repeat(30)}`;
      }) as typeof readFileSync;
      fs.readdirSync = ((path: string) => {
        if (path !== '/proc') return readdirSync(path);
        lists++;
        return [...readdirSync(path), ...strangers];
      }) as typeof readdirSync;
    }
    const parents = new Map<number, number>();
    const withParents = (pid: number, text: string): string => {
      const parent = parents.get(pid);
      return parent === undefined ? text : withField(text, parentField, parent);
    };
    async function end(pid: number): Promise<void> {
      const child = children.find((each) => each.pid === pid) ?? children[0];
      child?.kill('SIGKILL');
      if (child !== undefined) await once(child, 'exit');
    }
    /** Has them listed as many. */
    const settle = (): void => {
      pids();
      pids();
      lists = 0;
    };
    beforeEach(() => {
      count = 'cpu  1 2 3\nprocesses %d\nprocs_running 1\n';
      forks++; // The table may be that of the test before.
      parents.clear();
    });

    it('is listed again when there was a fork, and not before', async () => {
      crowd();
      settle();
      const pid = await start('sleep', '60');
      expect(pids()).to.not.include(pid);
      expect(lists).to.equal(0);
      forks += 2;
      expect(pids()).to.include(pid);
      expect(lists).to.equal(1);
      stopTime(2);
      pids();
      expect(lists).to.equal(2);
    });

    for (const [what, says] of [
      ['does not count forks', 'cpu  1 2 3\n'],
      ['only pretends to count forks', 'processes 0\n'],
    ] as const) {
      it(`is listed each time where the kernel ${what}`, () => {
        crowd();
        count = says;
        settle();
        for (let time = 0; time < 4; time++) pids();
        expect(lists).to.equal(4);
      });
    }

    it('shows who was adopted by the program since he was read', async () => {
      const [program, between, child] = [
        await start('sleep', '60'),
        await start('sleep', '60'),
        await start('sleep', '60'),
      ];
      parents.set(between, program).set(child, between);
      crowd(withParents);
      settle();
      await end(between);
      parents.set(child, program);
      const descendants = new Descendants(program, { ownGroup: false, ownPipes: [] });
      expect([descendants.find(true), descendants.alive, lists]).to.deep.equal([true, true, 0]);
    });

    it('shows who was adopted by the program since another one looked', async () => {
      const [program, between] = [await start('sleep', '60'), await start('sleep', '60')];
      parents.set(between, program);
      crowd(withParents);
      settle();
      const descendants = new Descendants(program, { ownGroup: false, ownPipes: [] });
      expect(descendants.find(true)).to.equal(true);
      const child = await start('sleep', '60');
      parents.set(child, between);
      forks++;
      settle();
      await end(between);
      parents.set(child, program);
      expect([descendants.find(true), descendants.alive, lists]).to.deep.equal([true, true, 0]);
    });
  });
});
