/** What binds libc, and says by which way programs are started: all that a backend needs before its first start. */
export { chosenDriver, DRIVER_NAMES } from './ffi';
export { libcThrough } from './libc';
export { forcedWay, possibleWays } from './ways';
