/** The suite is tested by backends that are broken on purpose: each is caught by the case that is meant for it. */
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import type { Backend, ChildHandle } from '@vircommand/core/backend';
import { cases } from '../src';
import { dumpInShell } from '../src/cases/status';
import { caseBound, runCase } from '../src/harness';
import type { CaseResult, ConformanceSubject } from '../src/types';
import { goodBackend } from './backends/good';
import { mutants, type Mutant } from './mutants';
import { declaring } from './mutants/mutant';

function run(subject: ConformanceSubject, id: string, bound: number): Promise<CaseResult> {
  const testCase = cases.find((candidate) => candidate.id === id);
  if (testCase === undefined) throw new Error(`there is no case ${id}`);
  return runCase(subject, testCase, bound);
}

/** BusyBox has one that does not tell of the signal. */
function hasSetpriv(): boolean {
  const { stdout } = spawnSync('setpriv', ['--dump'], { env: { ...process.env, LC_ALL: 'C' } });
  return String(stdout).includes('Parent death signal');
}

function dumpsCore(): boolean {
  const cwd = mkdtempSync(path.join(tmpdir(), 'dumps-'));
  try {
    const { stderr } = spawnSync('/bin/sh', ['-c', dumpInShell], { cwd, env: { LC_ALL: 'C' } });
    return String(stderr).includes('core dumped');
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

/** What the broken backends started: some of them forget it, and it would keep this process from ending. */
const started = new Set<ChildHandle>();

const remembered = (good: Backend): Backend => ({
  ...good,
  async start(plan) {
    const handle = await good.start(plan);
    started.add(handle);
    return handle;
  },
});

/** The harness warms up with the first backend that it gets: a good one that says of itself what the broken one says. */
function subjectOf(mutant: Mutant): ConformanceSubject {
  let warm = false;
  const create = (): Backend => {
    const broken = mutant.break(remembered(goodBackend()));
    if (warm) return broken;
    warm = true;
    return { ...goodBackend(), features: broken.features };
  };
  return { name: mutant.does, create };
}

describe('a backend that', function () {
  if (process.platform !== 'linux') return;
  let killed = 0;
  const there = { setpriv: hasSetpriv(), root: process.getuid?.() === 0, coreDumps: dumpsCore() };

  for (const mutant of mutants) {
    const test = mutant.needs === undefined || there[mutant.needs] ? it : it.skip;
    test(`${mutant.does}: caught by ${mutant.caughtBy}`, async () => {
      try {
        const { status, detail } = await run(subjectOf(mutant), mutant.caughtBy, mutant.bound ?? caseBound);
        expect(status, detail ?? 'the mutant lives').to.equal('failed');
        expect(detail).to.match(/\nWhy it matters: /);
        killed++;
      } finally {
        mutant.cleanUp?.();
        for (const handle of started) handle.dispose();
        started.clear();
      }
    });
  }

  after(() => {
    console.log(`\n    mutants killed ${killed}/${mutants.length}\n`);
  });
});

describe('a good backend', () => {
  const subject: ConformanceSubject = { name: 'good', create: goodBackend };
  const declared: readonly string[] = goodBackend().features;

  // What catches everything catches nothing.
  for (const id of new Set(mutants.map(({ caughtBy }) => caughtBy))) {
    const testCase = cases.find((candidate) => candidate.id === id);
    if (testCase?.without !== undefined || testCase?.requires.every((name) => declared.includes(name)) !== true)
      continue;
    it(`passes ${id}`, async () => {
      const { status, detail } = await run(subject, id, caseBound);
      expect(status, detail).to.equal('passed');
    });
  }
});

describe('a backend that has no listener of the exit', () => {
  it('shows nothing by leaving none', async () => {
    const create = () => declaring('kill-on-parent-exit')(goodBackend());
    expect((await run({ name: 'silent', create }, 'parent-exit.over', caseBound)).status).to.equal('not-checked');
  });
});
