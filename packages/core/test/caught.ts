/** Errors as values, to be looked at. */
type ErrorClass<T> = abstract new (...args: never[]) => T;

/** The error of this class that a promise rejects with. */
export async function rejection<T>(promise: PromiseLike<unknown>, kind: ErrorClass<T>): Promise<T> {
  try {
    await promise;
  } catch (error) {
    return ofKind(error, kind);
  }
  throw new Error(`expected a rejection with ${kind.name}`);
}

/** The error of this class that a function throws. */
export function thrown<T>(body: () => unknown, kind: ErrorClass<T>): T {
  try {
    body();
  } catch (error) {
    return ofKind(error, kind);
  }
  throw new Error(`expected ${kind.name} to be thrown`);
}

function ofKind<T>(error: unknown, kind: ErrorClass<T>): T {
  if (error instanceof kind) return error;
  throw error;
}
