/**
 * Timers as they were when this package was loaded. Everything else is loaded with the first start, and that may be in a test
 * which fakes the time: programs must start and be reaped all the same, then and afterwards.
 */
import * as timers from 'node:timers';

export const { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } = timers;
