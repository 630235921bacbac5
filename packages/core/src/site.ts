/** Where a caller called: errors that are made later, out of the event loop, begin their stack there. */

/** The place of a call. */
export interface Site {
  readonly stack?: string | undefined;
}

/** The place where `called` was called; without it, this place. */
export function siteOf(called: ((...args: never[]) => unknown) | undefined): Site {
  // `Error.prepareStackTrace` may ask for what errors have. A real one would take a stack of its own first: twice the time.
  const site = Object.create(Error.prototype) as Error;
  Error.captureStackTrace(site, called);
  return site;
}

/** Lets the stack of an error begin at a place. */
export function beginStackAt<T extends Error>(error: T, site: Site): T {
  const stack = stackOf(site);
  const frames = stack.indexOf('\n    at ');
  error.stack = `${error.name}: ${error.message}${frames < 0 ? '' : stack.slice(frames)}`;
  return error;
}

/** `Error.prepareStackTrace` may make anything of it, and throw. */
function stackOf(site: Site): string {
  try {
    const stack: unknown = site.stack;
    return typeof stack === 'string' ? stack : '';
  } catch {
    return '';
  }
}
