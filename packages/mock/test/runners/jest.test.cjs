const { register, registerWithFakeTimers } = require('./suite.cjs');

register(test);
registerWithFakeTimers(
  test,
  () => jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] }),
  () => jest.useRealTimers(),
);
