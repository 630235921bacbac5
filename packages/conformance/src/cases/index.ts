/** All cases, in the order in which they run: what others build on comes first. */
import type { ConformanceCase } from '../types';

export const cases: readonly ConformanceCase[] = [];
