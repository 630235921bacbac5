/** What costs a start something and is not always needed, loaded when it is; in a way that bundlers understand. */

// eslint-disable-next-line @typescript-eslint/no-require-imports -- lazily
export const loadBetween = (): typeof import('./between') => require('./between') as typeof import('./between');

// eslint-disable-next-line @typescript-eslint/no-require-imports -- lazily
export const loadDispatch = (): typeof import('./dispatch') => require('./dispatch') as typeof import('./dispatch');
