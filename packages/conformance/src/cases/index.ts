/** All cases, in the order in which they run: what others build on comes first. */
import type { ConformanceCase } from '../types';
import { argumentCases } from './arguments';
import { closedCases, passedCases, sendBufferCases } from './descriptors';
import { abortCases, drainCases, killCases, timeoutCases } from './endings';
import { environmentCases } from './environment';
import { concurrencyCases, disposalCases, reuseCases } from './lifecycle';
import { outputLimitCases } from './limits';
import { lineCases, rowCases } from './lines';
import { pipeCases } from './pipes';
import { directoryCases, programCases, startErrorCases } from './programs';
import { descriptorStdioCases, fileStdioCases } from './redirections';
import { defaultCases, inputCases, mergedCases, outputCases } from './standard-streams';
import { statusCases } from './status';

export const cases: readonly ConformanceCase[] = [
  argumentCases,
  environmentCases,
  defaultCases,
  inputCases,
  outputCases,
  mergedCases,
  statusCases,
  directoryCases,
  programCases,
  startErrorCases,
  pipeCases,
  descriptorStdioCases,
  fileStdioCases,
  passedCases,
  closedCases,
  sendBufferCases,
  abortCases,
  killCases,
  timeoutCases,
  drainCases,
  outputLimitCases,
  disposalCases,
  reuseCases,
  concurrencyCases,
  lineCases,
  rowCases,
].flat();
