/** What the harness does with a backend that does not even come or go. */
import { expect } from 'chai';
import type { Backend } from '@vircommand/core/backend';
import { runCase } from '../src/harness';
import type { CaseResult, ConformanceCase } from '../src/types';

const never = (): Promise<never> => new Promise(() => undefined);

const backend: Backend = Object.freeze({
  contract: 1 as const,
  name: 'none',
  features: Object.freeze([]),
  start: () => Promise.reject(new Error('nothing can be started here')),
});

const pass = (): Promise<void> => Promise.resolve();

const testCase: ConformanceCase = {
  id: 'a.case',
  title: 'a case',
  why: 'it matters',
  requires: [],
  since: 1,
  run: pass,
};

const resultWith = (
  create: () => Backend | Promise<Backend>,
  run: ConformanceCase['run'] = pass,
): Promise<CaseResult> => runCase({ name: 'none', create }, { ...testCase, run }, 50);

describe('the harness', () => {
  it('passes a case that passes', async () => {
    expect(await resultWith(() => backend)).to.include({ id: 'a.case', status: 'passed' });
  });

  it('ends a case, a create() and a dispose() that hang', async () => {
    let made = 0;
    const hung = [
      await resultWith(() => backend, never),
      // Before the first case there is a warm-up.
      await resultWith(() => (made++ === 0 ? backend : never())),
      await resultWith(() => ({ ...backend, dispose: never })),
    ];
    for (const { status, detail } of hung) {
      expect(status).to.equal('failed');
      expect(detail).to.match(/hung: not over after 50 ms[^]*Why it matters: it matters$/);
    }
  });

  it('ends runs that hang, also those before the first case', async () => {
    const hanging = { ...backend, start: never };
    const { status, detail } = await resultWith(
      () => hanging,
      async (t) => {
        await t.helper('exit:0').run();
      },
    );
    expect(status).to.equal('failed');
    expect(detail).to.match(/hung: not over after 50 ms/);
  });

  it('tells of errors that nobody caught, and of listeners that stay', async () => {
    const listener = (): void => undefined;
    const { status, detail } = await resultWith(
      () => backend,
      () => {
        process.on('SIGWINCH', listener);
        void Promise.reject(new Error('stray'));
        return Promise.resolve();
      },
    );
    process.off('SIGWINCH', listener);
    expect(status).to.equal('failed');
    expect(detail)
      .to.match(/nobody caught: Error: stray/)
      .and.to.match(/left behind: listener of process 'SIGWINCH'/);
  });

  it('tells of features that change', async () => {
    const features = ['cwd' as const];
    const { detail } = await resultWith(
      () => ({ ...backend, features }),
      () => {
        features.pop();
        return Promise.resolve();
      },
    );
    expect(detail).to.match(/^its features changed/);
  });
});
