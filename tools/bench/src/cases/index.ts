/** All cases, in the order in which they run. */
import type { Case, Settings } from '../case';
import { build } from './build';
import { capture } from './capture';
import { crowd } from './crowd';
import { imports } from './import';
import { lines } from './lines';
import { memory } from './memory';
import { mock } from './mock';
import { overhead } from './overhead';
import { start } from './start';

export const casesFor = (settings: Settings): Case[] =>
  [overhead, start, memory, crowd, capture, lines, build, mock, imports].flatMap((group) => group(settings));
