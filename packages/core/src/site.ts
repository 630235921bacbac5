/** Where a caller called: errors that are made later, out of the event loop, begin their stack there. */

/** The place of a call. */
export interface Site {
  readonly stack: string;
}

/** The place where `called` was called; without it, this place. */
export function siteOf(called: ((...args: never[]) => unknown) | undefined): Site {
  const site = { stack: '' };
  Error.captureStackTrace(site, called);
  return site;
}

/** Lets the stack of an error begin at a place. */
export function placeAt(error: Error, site: Site): void {
  // `Error.prepareStackTrace` may make anything of it.
  const stack: unknown = site.stack;
  const frames = typeof stack === 'string' ? stack.indexOf('\n    at ') : -1;
  error.stack = `${error.name}: ${error.message}${frames < 0 ? '' : String(stack).slice(frames)}`;
}
