/** All cases, in the order in which they run: what others build on comes first. */
import type { ConformanceCase } from '../types';
import { argumentCases } from './arguments';
import { closedCases, passedCases, sendBufferCases } from './descriptors';
import { environmentCases } from './environment';
import { pipeCases } from './pipes';
import { descriptorStdioCases, fileStdioCases } from './redirections';
import { defaultCases, inputCases, mergedCases, outputCases } from './standard-streams';

export const cases: readonly ConformanceCase[] = [
  argumentCases,
  environmentCases,
  defaultCases,
  inputCases,
  outputCases,
  mergedCases,
  pipeCases,
  descriptorStdioCases,
  fileStdioCases,
  passedCases,
  closedCases,
  sendBufferCases,
].flat();
