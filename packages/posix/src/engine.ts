/** What starts programs and waits for them, in one place, since it is loaded only when a backend is made. */
export { chosenDriver } from './ffi';
export { makeHandle } from './handle';
export { libcThrough } from './libc';
export { Pace } from './pace';
export { waitSync } from './poll';
export { execErrorsAreLost, startProcess } from './spawn';
