import { mock, test } from 'node:test';
import { register, registerWithFakeTimers } from './suite.cjs';

register(test);
registerWithFakeTimers(
  test,
  () => mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate'] }),
  () => mock.timers.reset(),
);
