/** Scripted answers: which calls are expected, how often, in which order. */
import { types } from 'node:util';
import type { Bytes } from '@vircommand/core';
import type { SignalName } from '@vircommand/core/backend';
import { compile, isOutput, toBytes, type Answer, type Ending, type Part } from './answer';
import { shown, type Call, type MockCall } from './calls';
import { MASK, MockError, usage } from './errors';
import { absent, argumentDifferences, explain, show, type Candidate, type Difference } from './explain';
import type { Director } from './fake-backend';
import { argsHold, checkArgs, holds, isPattern, isRest, label, type Pattern } from './match';
import { isSecretInput, withoutSecrets } from './secrets';

/** What a call must be like. What is left out may be anything. */
export interface Expectation {
  /** All arguments. */
  readonly args?: readonly Pattern[] | undefined;
  /** These variables; with an inherited environment those of this process. */
  readonly env?: Readonly<Record<string, Pattern>> | undefined;
  /** The working directory that the command says. */
  readonly cwd?: Pattern | undefined;
  /** All of stdin, as text. The program then answers when its stdin has ended. */
  readonly stdin?: Pattern | undefined;
}

/** The answers to what an `on()` expects. */
export interface Script {
  /**
   * What the program does, once. A function is called when the program starts, or, if somebody writes its stdin, when
   * that has ended; it may return a promise, but not for `runSync()`. Several calls: several answers, one after another.
   */
  reply(answer: Answer | ((call: MockCall) => Answer | Promise<Answer>)): Script;
  /** The program is this asynchronous function; it ends with what the function returns (default: exit code 0). Not for `runSync()`. */
  program(body: (process: FakeProgram) => Promise<ProgramEnd>): Script;
  program(body: (process: FakeProgram) => Promise<void>): Script;
  /** The last answer is for `n` calls. */
  times(n: number): Script;
  /** The last answer is for any number of calls, none included. */
  always(): Script;
}

/** How a {@link FakeProgram} ends: its exit code, or an {@link Answer} of an end. */
export type ProgramEnd = number | undefined | Pick<Answer, 'exitCode' | 'signal' | 'coreDumped' | 'usage'>;

type ProgramBody = (process: FakeProgram) => Promise<ProgramEnd> | Promise<void>;

/** A program in JavaScript, for conversations. When it is killed, its promises resolve and what it does is in vain. */
export interface FakeProgram {
  /** How it was called. */
  readonly call: MockCall;
  /** Its stdin, piece by piece. */
  readonly stdin: AsyncIterable<Buffer>;
  /** Resolves when there is room in the pipe; `false`: the program is over. */
  write(stream: 'stdout' | 'stderr', data: Bytes): Promise<boolean>;
  /** Milliseconds of the mock's time; `false`: the program is over. */
  sleep(ms: number): Promise<boolean>;
  /** Traps a signal, or ignores it. */
  onSignal(name: SignalName, handler: 'ignore' | (() => void)): void;
}

/** Order of the calls. */
export type Order = 'per-program' | 'strict';

type Giver = (call: Call) => Part | Promise<Part>;

interface Reply {
  readonly give: Giver;
  /** A function wants to see all of stdin first. */
  readonly needsStdin: boolean;
  times: number;
  used: number;
}

/** One `on()`. */
class Expected implements Script {
  readonly replies: Reply[] = [];
  /** The first reply that is not used up. */
  current = 0;
  private readonly where: string | undefined;

  constructor(
    readonly of: Pattern,
    readonly expectation: Expectation,
    /** It may have answers again. */
    private readonly renewed: (expected: Expected) => void,
  ) {
    this.where = callerOf(new Error().stack);
  }

  reply(answer: Answer | ((call: MockCall) => Answer | Promise<Answer>)): this {
    if (typeof answer === 'function') return this.add((call) => computed(answer, call), true);
    const part = compile(answer);
    if (part.startError !== undefined && this.expectation.stdin !== undefined) {
      throw usage('reply()', 'a start that fails cannot depend on stdin, which comes later');
    }
    return this.add(() => part, false);
  }

  program(body: ProgramBody): this {
    if (typeof body !== 'function') throw usage('program()', 'takes a function');
    return this.add((call) => ({ steps: [], body: (host) => runBody(body, host, call) }), false);
  }

  private add(give: Giver, needsStdin: boolean): this {
    this.replies.push({ give, needsStdin, times: 1, used: 0 });
    return this.renew();
  }

  /** What was used up may have been passed over. */
  private renew(): this {
    this.current = 0;
    this.renewed(this);
    return this;
  }

  private last(call: string): Reply {
    const last = this.replies.at(-1);
    if (last === undefined) throw usage(call, 'comes after reply()');
    return last;
  }

  times(n: number): this {
    if (!Number.isInteger(n) || n < 1) throw usage('times()', 'takes an integer, 1 or more');
    this.last('times()').times = n;
    return this.renew();
  }

  always(): this {
    this.last('always()').times = Infinity;
    return this.renew();
  }

  /** The next answer, or `undefined` if all are used up. */
  get next(): Reply | undefined {
    for (;;) {
      const reply = this.replies[this.current];
      if (reply === undefined || reply.used < reply.times) return reply;
      this.current++;
    }
  }

  get used(): number {
    return this.replies.reduce((sum, reply) => sum + reply.used, 0);
  }

  /** How often it must be used still. */
  get missing(): number {
    return this.replies.reduce((sum, { times, used }) => sum + (times === Infinity ? 0 : times - used), 0);
  }

  get title(): string {
    return this.titleFor(undefined);
  }

  /** One line; where the call has secrets, what was expected there is none of a message's business either. */
  titleFor(call: Call | undefined): string {
    const { args, env, cwd, stdin } = this.expectation;
    const { secret } = call?.plan ?? { secret: undefined };
    const variables = Object.entries(env ?? {}).map(
      ([name, value]) => `${name}=${secret?.env.includes(name) === true ? MASK : masked(label(value), call)}`,
    );
    const circumstances = [
      ...variables,
      ...(cwd === undefined ? [] : [`cwd ${masked(label(cwd), call)}`]),
      ...(stdin === undefined ? [] : [`stdin ${hasSecretStdin(call) ? MASK : show(masked(label(stdin), call))}`]),
    ];
    const argument = (pattern: Pattern, index: number): string =>
      secret?.argv.includes(index + 1) === true ? MASK : masked(label(pattern), call);
    const words = [label(this.of), ...(args?.map(argument) ?? ['<rest>'])].map((word) => (word === '' ? "''" : word));
    const note = circumstances.length > 0 ? ` with ${circumstances.join(', ')}` : '';
    return `${words.join(' ')}${note}${this.where === undefined ? '' : `   (${this.where})`}`;
  }

  /** Without a look at stdin, which comes later. */
  takes(call: Call): boolean {
    const { args, cwd, env } = this.expectation;
    if (args !== undefined && !argsHold(args, call.args)) return false;
    if (cwd !== undefined && (call.cwd === undefined || !holds(cwd, call.cwd))) return false;
    return env === undefined || Object.entries(env).every(([name, pattern]) => holdsVariable(call, name, pattern));
  }

  takesStdin(call: Call): boolean {
    const { stdin } = this.expectation;
    return stdin === undefined || holds(stdin, call.stdin.toString('utf8'));
  }

  differences(call: Call, stdinKnown: boolean): Difference[] {
    const { args, env, cwd, stdin } = this.expectation;
    const differences: Difference[] = [];
    const differ = (field: string, expected: Pattern, actual: string | undefined): void => {
      if (actual !== undefined && holds(expected, actual)) return;
      differences.push({
        field,
        expected: shownPattern(expected, call),
        actual: actual === undefined ? absent : show(masked(actual, call)),
      });
    };
    differ('program', this.of, call.program);
    if (args !== undefined && !argsHold(args, call.args)) differences.push(...argumentsThatDiffer(args, call));
    if (cwd !== undefined) differ('cwd', cwd, call.cwd);
    for (const [name, pattern] of Object.entries(env ?? {})) {
      if (call.plan.secret.env.includes(name)) {
        if (!holdsVariable(call, name, pattern))
          differences.push({ field: `env ${name}`, expected: MASK, actual: MASK });
      } else differ(`env ${name}`, pattern, variable(call, name));
    }
    if (stdin !== undefined && stdinKnown) {
      if (!hasSecretStdin(call)) differ('stdin', stdin, call.stdin.toString('utf8'));
      else if (!this.takesStdin(call)) differences.push({ field: 'stdin', expected: MASK, actual: MASK });
    }
    return differences;
  }
}

/** Text for messages; what a call has as a secret in one place can be in another as well. */
const masked = (text: string, call: Call | undefined): string =>
  call === undefined ? text : withoutSecrets(text, call.plan);

const shownPattern = (pattern: Pattern, call: Call): string =>
  typeof pattern === 'string' ? show(masked(pattern, call)) : masked(label(pattern), call);

const hasSecretStdin = (call: Call | undefined): boolean => call !== undefined && isSecretInput(call.plan, 0);

function variable(call: Call, name: string): string | undefined {
  const { env } = call.plan;
  if (env === 'inherit') return process.env[name];
  const entry = env.find(([candidate]) => candidate === name);
  return entry === undefined ? undefined : shown(entry[1]);
}

function holdsVariable(call: Call, name: string, pattern: Pattern): boolean {
  const value = variable(call, name);
  return value !== undefined && holds(pattern, value);
}

function argumentsThatDiffer(patterns: readonly Pattern[], call: Call): Difference[] {
  const open = patterns.length > 0 && isRest(patterns.at(-1) ?? '');
  const count = open ? patterns.length - 1 : patterns.length;
  const secret = (index: number): boolean => call.plan.secret.argv.includes(index + 1);
  return argumentDifferences(
    open ? count : Math.max(count, call.args.length),
    (index) => {
      const pattern = patterns[index];
      if (pattern === undefined) return undefined;
      return secret(index) ? MASK : shownPattern(pattern, call);
    },
    (index) => {
      const value = call.args[index];
      if (secret(index)) return MASK;
      return value === undefined ? undefined : masked(value, call);
    },
    (index) => {
      const [pattern, value] = [index < count ? patterns[index] : undefined, call.args[index]];
      return pattern !== undefined && value !== undefined && holds(pattern, value);
    },
  );
}

/** The line of the test that called, for messages. */
function callerOf(stack: string | undefined): string | undefined {
  const lines = stack?.split('\n').slice(1) ?? [];
  const own = lines.findLastIndex((line) => line.includes('.on ('));
  const line = lines[own + 1];
  return own < 0 || line === undefined ? undefined : /\(?((?:file:\/\/)?[^()\s]+:\d+):\d+\)?$/.exec(line)?.[1];
}

function computed(answer: (call: MockCall) => Answer | Promise<Answer>, call: Call): Part | Promise<Part> {
  const failed = (error: unknown): MockError =>
    error instanceof MockError
      ? error
      : new MockError('ERR_MOCK_ANSWER', `the function that answers ${call.text} threw: ${String(error)}`, {
          cause: error,
        });
  try {
    const given = answer(call);
    if (types.isPromise(given)) {
      return given.then(
        (settled) => compile(settled),
        (error: unknown) => {
          throw failed(error);
        },
      );
    }
    return compile(given);
  } catch (error) {
    throw failed(error);
  }
}

async function runBody(body: ProgramBody, host: Parameters<NonNullable<Part['body']>>[0], call: Call): Promise<Ending> {
  const program: FakeProgram = {
    call,
    stdin: {
      async *[Symbol.asyncIterator]() {
        for (let piece = await host.read(); piece !== undefined; piece = await host.read()) yield Buffer.from(piece);
      },
    },
    write: (stream, data) => {
      if (!isOutput(stream)) throw usage('write()', "the stream must be 'stdout' or 'stderr'");
      return host.write(stream, toBytes(data));
    },
    sleep: (ms) => host.sleep(ms),
    onSignal: (name, handler) => {
      host.trap(name, handler === 'ignore' ? undefined : handler);
    },
  };
  const end = await body(program);
  const {
    exitCode,
    signal,
    coreDumped,
    usage: used,
  }: Exclude<ProgramEnd, number | undefined> = typeof end === 'object' ? end : { exitCode: end ?? 0 };
  compile({ exitCode, signal }, 'program()');
  return { exitCode: signal === undefined ? (exitCode ?? 0) : undefined, signal, coreDumped, usage: used };
}

/** All that a mock expects. */
export class ScriptBook implements Director {
  private readonly all: Expected[] = [];
  /** By the exact name of the program, in the order of registration. */
  private readonly byProgram = new Map<string, { readonly expected: Expected[]; first: number }>();
  readonly unexpected: Call[] = [];
  private turn = 0;

  constructor(private readonly order: Order) {}

  on(program: Pattern, given: Expectation | readonly Pattern[] = {}): Script {
    if (!isPattern(program) || isRest(program)) throw usage('on()', 'the program must be a string or a matcher');
    const expectation = Array.isArray(given) ? { args: given } : (given as Expectation);
    for (const [key, value] of Object.entries(expectation)) {
      if (!['args', 'env', 'cwd', 'stdin'].includes(key)) throw usage('on()', `there is no '${key}' in an expectation`);
      if (value === undefined) continue;
      if (key === 'args') checkArgs(value as readonly unknown[], 'on()');
      else if (key === 'env') checkEnv(value);
      else if (!isPattern(value)) throw usage('on()', `${key} must be a string or a matcher`);
    }
    const expected = new Expected(program, { ...expectation }, this.renewed);
    this.all.push(expected);
    this.byProgram.clear();
    return expected;
  }

  private readonly renewed = (expected: Expected): void => {
    this.byProgram.clear();
    this.turn = Math.min(this.turn, this.all.indexOf(expected));
  };

  /** Those for a program that are not used up; what is used up at the front is not looked at again. */
  private *candidates(program: string): Generator<Expected> {
    let list = this.byProgram.get(program);
    if (list === undefined) {
      list = { expected: this.all.filter((expected) => holds(expected.of, program)), first: 0 };
      this.byProgram.set(program, list);
    }
    const { expected } = list;
    while (expected[list.first] !== undefined && isUsedUp(expected[list.first])) list.first++;
    for (let at = list.first; at < expected.length; at++) {
      const one = expected[at];
      if (one !== undefined && !isUsedUp(one)) yield one;
    }
  }

  direct(call: Call, stdinComplete: boolean): Part | Promise<Part> | 'after-stdin' {
    const expected =
      this.order === 'strict' ? this.nextInOrder(call, stdinComplete) : this.firstFor(call, stdinComplete);
    if (expected === 'after-stdin') return expected;
    const reply = expected?.next;
    if (expected === undefined || reply === undefined) throw this.unmatched(call, stdinComplete);
    if (reply.needsStdin && !stdinComplete) return 'after-stdin';
    reply.used++;
    return reply.give(call);
  }

  private firstFor(call: Call, stdinComplete: boolean): Expected | undefined | 'after-stdin' {
    for (const expected of this.candidates(call.program)) {
      if (!expected.takes(call)) continue;
      if (expected.expectation.stdin === undefined) return expected;
      if (!stdinComplete) return 'after-stdin';
      if (expected.takesStdin(call)) return expected;
    }
    return undefined;
  }

  /** The first that is not done; one that may be called any number of times gives way to the next. */
  private nextInOrder(call: Call, stdinComplete: boolean): Expected | undefined | 'after-stdin' {
    for (; this.turn < this.all.length; this.turn++) {
      const expected = this.all[this.turn];
      if (expected === undefined || isUsedUp(expected)) continue;
      if (holds(expected.of, call.program) && expected.takes(call)) {
        if (expected.expectation.stdin !== undefined && !stdinComplete) return 'after-stdin';
        if (expected.takesStdin(call)) return expected;
      }
      if (expected.missing > 0) return undefined;
    }
    return undefined;
  }

  private unmatched(call: Call, stdinComplete: boolean): MockError {
    this.unexpected.push(call);
    const current = this.order === 'strict' ? this.all.find((expected) => !isUsedUp(expected)) : undefined;
    const candidates = this.all.map((expected): Candidate => {
      const differences = expected.differences(call, stdinComplete);
      return { title: expected.titleFor(call), differences, note: this.noteOn(expected, differences, current) };
    });
    const where = call.cwd === undefined ? '' : ` (cwd ${call.cwd})`;
    return new MockError(
      'ERR_MOCK_UNEXPECTED_CALL',
      `Unexpected call: ${call.text}${where}\n${explain(candidates, 'expectation')}`,
    );
  }

  private noteOn(
    expected: Expected,
    differences: readonly Difference[],
    current: Expected | undefined,
  ): string | undefined {
    if (expected.replies.length === 0) return 'it has no answer; add .reply()';
    if (isUsedUp(expected)) {
      const { used } = expected;
      return `used ${used} of ${used} times; add .times(n) or .always()`;
    }
    if (current === undefined || differences.length > 0) return undefined;
    return `not its turn: first comes ${current.title}`;
  }

  /** Throws if answers are unused or calls were unexpected. */
  expectDone(): void {
    const unused = this.all.filter((expected) => expected.missing > 0 || expected.replies.length === 0);
    if (unused.length === 0 && this.unexpected.length === 0) return;
    const lines = [
      ...unused.map((expected) =>
        expected.replies.length === 0
          ? `  has no answer: ${expected.title}`
          : `  used ${expected.used} of ${expected.used + expected.missing} times: ${expected.title}`,
      ),
      ...this.unexpected.map((call) => `  unexpected call: ${call.text}`),
    ];
    throw new MockError('ERR_MOCK_NOT_DONE', `The mock is not done:\n${lines.join('\n')}`);
  }
}

const isUsedUp = (expected: Expected | undefined): boolean =>
  expected !== undefined && expected.replies.length > 0 && expected.next === undefined;

function checkEnv(env: unknown): void {
  if (typeof env !== 'object' || env === null) throw usage('on()', 'env must be an object');
  for (const [name, pattern] of Object.entries(env)) {
    if (!isPattern(pattern)) throw usage('on()', `env ${name} must be a string or a matcher`);
  }
}
