/** What the suite registers, as seen by the runner, without one. */
import { expect } from 'chai';
import type { Backend, Feature } from '@vircommand/core/backend';
import { register } from '../src/register';
import { runConformance } from '../src/runner';
import type { ConformanceCase, ConformanceSubject, TestAdapter } from '../src/types';

/** Starts nothing: the cases here need no program. */
const backend = (features: readonly Feature[] = []): Backend => ({
  contract: 1,
  name: 'none',
  features: Object.freeze(features),
  start: () => Promise.reject(new Error('nothing can be started here')),
});

const define = (id: string, run: ConformanceCase['run'], more: Partial<ConformanceCase> = {}): ConformanceCase => ({
  id,
  title: `the title of ${id}`,
  why: `the reason of ${id}`,
  requires: [],
  since: 1,
  run,
  ...more,
});
const pass = (): Promise<void> => Promise.resolve();
const fail = (): Promise<void> => Promise.reject(new Error('it does not hold'));

interface Registered {
  readonly path: readonly string[];
  readonly skip: string | undefined;
  readonly timeout: number;
  run(): Promise<{ skipped: string | undefined }>;
}

/** A test runner that keeps what is registered. */
class Collector implements TestAdapter {
  readonly tests: Registered[] = [];
  private path: string[] = [];

  describe(title: string, body: () => void): void {
    this.path.push(title);
    body();
    this.path.pop();
  }

  it(...[title, body, { skip, timeout }]: Parameters<TestAdapter['it']>): void {
    const path = [...this.path, title];
    const run = async (): Promise<{ skipped: string | undefined }> => {
      let skipped: string | undefined;
      await body((reason) => (skipped = reason));
      return { skipped };
    };
    this.tests.push({ path, skip, timeout, run });
  }
}

function registered(cases: readonly ConformanceCase[], subject: Partial<ConformanceSubject> = {}): Registered[] {
  const collector = new Collector();
  register({ name: 'nothing', create: () => backend(), ...subject }, cases, collector);
  return collector.tests;
}

const failure = async (test: Registered | undefined): Promise<Error> => {
  try {
    await test?.run();
  } catch (error) {
    return error as Error;
  }
  throw new Error('it passed');
};

describe('register()', () => {
  it('registers every case, in groups, by title and id', () => {
    const tests = registered([define('exit.code', pass), define('exit.signal', pass), define('env.order', pass)]);
    expect(tests.map(({ path }) => path.join(' > '))).to.deep.equal([
      'nothing conformance > exit > the title of exit.code [exit.code]',
      'nothing conformance > exit > the title of exit.signal [exit.signal]',
      'nothing conformance > env > the title of env.order [env.order]',
    ]);
    expect(tests.every(({ timeout }) => timeout >= 30_000)).to.equal(true);
  });

  it('passes what passes; what fails has id, stack and the reason why it matters', async () => {
    const [good, bad] = registered([define('a.good', pass), define('a.bad', fail)]);
    expect(await good?.run()).to.deep.equal({ skipped: undefined });
    const { stack } = await failure(bad);
    expect(stack).to.match(/^a\.bad: Error: it does not hold\n +at .*register\.test/);
    expect(stack).to.match(/Why it matters: the reason of a\.bad$/);
  });

  it('skips with the reason before the run, where the features are known at once', () => {
    const cases = [
      define('cwd.works', pass, { requires: ['cwd'] }),
      define('cwd.refused', pass, { without: 'cwd' }),
      define('other', pass),
    ];
    const skips = (features: readonly Feature[]): unknown[] =>
      registered(cases, { create: () => backend(features) }).map(({ skip }) => skip);
    expect(skips([])).to.deep.equal(['does not declare cwd', undefined, undefined]);
    expect(skips(['cwd'])).to.deep.equal([undefined, 'declares cwd', undefined]);
  });

  it('skips with the reason during the run, where they are not', async () => {
    const [test] = registered([define('cwd.works', fail, { requires: ['cwd'] })], {
      create: () => Promise.resolve(backend()),
    });
    expect(test?.skip).to.equal(undefined);
    expect(await test?.run()).to.deep.equal({ skipped: 'does not declare cwd' });
  });

  it('never shows as passed what is not proven', async () => {
    const cases = [
      define('a.known', fail),
      define('a.advisory', fail, { advisory: true }),
      define('a.unclear', (t) => t.notChecked('no such machine')),
    ];
    const reasons: unknown[] = [];
    for (const test of registered(cases, { knownFailures: { 'a.known': 'https://example.org/1' } })) {
      reasons.push((await test.run()).skipped?.split('\n')[0]);
    }
    expect(reasons).to.deep.equal([
      'known failure: https://example.org/1',
      'fails, advisory until the next version of the contract: Error: it does not hold',
      'not checked: no such machine',
    ]);
  });

  it('fails a known failure that passes', async () => {
    const [test] = registered([define('a.b', pass)], { knownFailures: { 'a.b': 'issue 7' } });
    expect((await failure(test)).message).to.contain('passes, but is in knownFailures (issue 7): take it out');
  });

  it('refuses what is no subject', () => {
    const wrong = (subject: object): void => {
      registered([define('a.b', pass)], subject);
    };
    expect(() => wrong({ name: '' })).to.throw(TypeError, 'the subject has no name');
    expect(() => wrong({ create: undefined })).to.throw(TypeError, "'nothing' has no create()");
    expect(() => wrong({ knownFailures: { 'a.c': 'typo' } })).to.throw(TypeError, 'names no case of the suite: a.c');
    expect(() => wrong({ knownFailure: { 'a.b': 'x' } })).to.throw(
      TypeError,
      "conformance: there is no option 'knownFailure'; did you mean 'knownFailures'?",
    );
    expect(() => wrong({ programs: 'helper' })).to.throw(TypeError, "must be 'any' or 'helper-only', not the string");
    expect(() => register(null as never, [], new Collector())).to.throw(
      TypeError,
      'conformance: the subject must be an object, not null',
    );
  });

  it('refuses wrong options of a run without a test runner, before anything runs', async () => {
    const subject = { name: 'nothing', create: () => backend() };
    for (const [options, message] of [
      [{ onlyy: /./ }, "runConformance(): there is no option 'onlyy'; did you mean 'only'?"],
      [{ only: 'status' }, "runConformance(): option 'only' must be a regular expression, not the string 'status'"],
      [
        { bound: '5' },
        "runConformance(): option 'bound' must be a number of milliseconds, 0 or more, not the string '5'",
      ],
      [{ onCase: true }, "runConformance(): option 'onCase' must be a function, not the boolean true"],
    ] as const) {
      const error: unknown = await runConformance(subject, options as never).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(TypeError).with.property('message', message);
    }
  });

  it('does not ask what the object of a class has besides', () => {
    class Remote {
      readonly host = 'localhost';
      readonly name = 'remote';
      create(): Backend {
        return backend();
      }
    }
    const collector = new Collector();
    register(new Remote(), [define('a.b', pass)], collector);
    expect(collector.tests).to.have.length(1);
  });

  it('a create() that throws fails every case, not the registration', async () => {
    const [test] = registered([define('a.b', pass)], {
      create: () => {
        throw new Error('no host');
      },
    });
    expect((await failure(test)).message).to.contain('no host');
  });
});
