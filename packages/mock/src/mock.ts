/** The scripted mock, and the dry run: a backend and what a test asks it. */
import {
  FEATURE_INFO,
  GivenOptions,
  type Backend,
  type CommandConstructor,
  type Feature,
} from '@vircommand/core/backend';
import type { MockCall } from './calls';
import { FakeBackend, MOCK_FEATURES, type Director, type TimeMode } from './fake-backend';
import { MockError, usage } from './errors';
import type { Pattern } from './match';
import { ScriptBook, type Expectation, type Order, type Script } from './script';

/** What every mock can be asked. */
export interface MockView extends Backend, Disposable {
  /** Bound to this mock. */
  readonly Command: CommandConstructor;
  /** All calls, in the order of the starts, the unexpected ones included. */
  readonly calls: readonly MockCall[];
  /** @throws MockError unless there was exactly one call. */
  onlyCall(): MockCall;
  /** The calls as redacted shell text, a line each. */
  transcript(): string;
  /** Every command of every package in this process uses the mock until the returned object, or the mock, is disposed. */
  install(): Disposable;
}

/** A backend whose programs do what a test says. */
export interface MockBackend extends MockView {
  /**
   * Says what is expected, and then what happens: `on('git', ['fetch']).reply({ exitCode: 1 })`. An array is the arguments.
   */
  on(program: Pattern, expectation?: Expectation | readonly Pattern[]): Script;
  /** @throws MockError if an answer is unused or a call was unexpected. */
  expectDone(): void;
}

/** How a mock is. */
export interface MockOptions {
  /**
   * `'per-program'` (default): the first expectation that fits and is not used up answers. `'strict'`: calls must come in
   * the order in which they were registered.
   */
  readonly order?: Order | undefined;
  /** `'virtual'` (default): deadlines and answers of ten seconds take no time. */
  readonly time?: TimeMode | undefined;
  /** Instead of {@link MOCK_FEATURES}; `'local-pid'` gives made-up pids, which no process has. */
  readonly features?: readonly Feature[] | undefined;
}

/** Calls as a test sees them, whatever directs them. */
export class ObservedBackend extends FakeBackend {
  onlyCall(): MockCall {
    const [call, ...others] = this.calls;
    if (call !== undefined && others.length === 0) return call;
    const count = this.calls.length === 0 ? 'no call' : `${this.calls.length} calls`;
    throw new MockError('ERR_MOCK_CALL_COUNT', `Expected one call, there was ${count}:\n${this.transcript()}`);
  }

  transcript(): string {
    return this.calls.map(({ text }) => `${text}\n`).join('');
  }
}

function whyNot(feature: Feature): string {
  const what = `'${feature}' (${FEATURE_INFO[feature].summary})`;
  return MOCK_FEATURES.includes(feature)
    ? `This mock was made without ${what}; name it in the features of createMock()`
    : `No mock can do ${what}; createDryRun() notes such a command, and can answer it`;
}

class ScriptedBackend extends ObservedBackend implements MockBackend {
  constructor(
    private readonly book: ScriptBook & Director,
    options: Pick<MockOptions, 'features' | 'time'>,
  ) {
    super('mock', book, { ...options, whyNot });
  }

  on(program: Pattern, expectation?: Expectation | readonly Pattern[]): Script {
    return this.book.on(program, expectation);
  }

  expectDone(): void {
    this.book.expectDone();
  }
}

/** What a scripted program can do besides, if somebody asks for it: made-up pids. */
const onRequest: readonly Feature[] = ['local-pid'];

const isArray = (value: unknown): value is readonly Feature[] => Array.isArray(value);

/**
 * A backend for tests: nothing is started, programs do what the test says.
 *
 * @throws MockError for wrong options
 *
 * @example
 * ```ts
 * const mock = createMock();
 * mock.on('git', ['status', '--short']).reply({ stdout: ' M README.md\n' });
 * const { stdout } = await new mock.Command('git', ['status', '--short'], { stdout: 'text' }).run();
 * mock.expectDone();
 * ```
 */
export function createMock(options: MockOptions = {}): MockBackend {
  const given = new GivenOptions('createMock()', options, ['order', 'time', 'features'], usage);
  const order = given.oneOf('order', ['per-program', 'strict']) ?? 'per-program';
  const time = given.oneOf('time', ['virtual', 'real']);
  const features = given.read('features', isArray, 'an array of features');
  const beyond = features?.find((feature) => !MOCK_FEATURES.includes(feature) && !onRequest.includes(feature));
  if (beyond !== undefined) throw usage('features', `no mock can do '${beyond}'; what it can is in MOCK_FEATURES`);
  return new ScriptedBackend(new ScriptBook(order), { features, time });
}
