import { test, vi } from 'vitest';
import { register, registerWithFakeTimers } from './suite.cjs';

register(test);
registerWithFakeTimers(
  test,
  () => vi.useFakeTimers(),
  () => vi.useRealTimers(),
);
