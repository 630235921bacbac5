/** What goes wrong in a test itself, as opposed to in the program that it fakes. Codes are API, messages are not. */
import { printable } from '@vircommand/core/backend';

/** Codes of {@link MockError}. */
export type MockErrorCode =
  /** `createMock()`, `on()`, `reply()` … were called in a wrong way. */
  | 'ERR_MOCK_USAGE'
  /** A program was run that no expectation fits, or once more than expected. */
  | 'ERR_MOCK_UNEXPECTED_CALL'
  /** A function that should give the answer threw. The error is the `cause`. */
  | 'ERR_MOCK_ANSWER'
  /** `expectDone()`: answers are unused, or there were unexpected calls. */
  | 'ERR_MOCK_NOT_DONE'
  /** `onlyCall()`: there was no call, or more than one. */
  | 'ERR_MOCK_CALL_COUNT'
  /** A synchronous run of a program that never ends, without a deadline. */
  | 'ERR_MOCK_NEVER_ENDS'
  /** Not a mistake: `exec()` did what it should, and a real process would be the program now. */
  | 'ERR_MOCK_EXECUTED';

/**
 * A mistake in a test, or the failure that the test is there to find. If a run meets it, the code under test gets a
 * `CommandStartError` of stage `backend` with the same code, and this is the `cause`; only
 * `ERR_MOCK_EXECUTED` comes as it is.
 */
export class MockError extends Error {
  /** The class's name. */
  override readonly name = 'MockError';

  constructor(
    /** What is wrong. */
    readonly code: MockErrorCode,
    message: string,
    options?: { readonly cause: unknown },
  ) {
    super(printable(message), options);
  }
}

/** For calls that are wrong: which one and why. */
export const usage = (call: string, reason: string): MockError => new MockError('ERR_MOCK_USAGE', `${call}: ${reason}`);

/** What a secret shows as. */
export const MASK = '***';
