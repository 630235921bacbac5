/** All cases, in the order in which they run: what others build on comes first. */
import type { ConformanceCase } from '../types';
import { argumentCases } from './arguments';
import { becomingCases } from './becoming';
import { contractCases } from './contract';
import { daemonCases, pidFileCases } from './daemons';
import { closedCases, passedCases, sendBufferCases } from './descriptors';
import { abortCases, drainCases, killCases, timeoutCases } from './endings';
import { environmentCases } from './environment';
import { concurrencyCases, disposalCases, reuseCases } from './lifecycle';
import { outputLimitCases } from './limits';
import { lineCases, rowCases } from './lines';
import { eventCases, knowledgeCases, secretCases } from './observation';
import { parentExitCases } from './parent-exit';
import { pipeCases } from './pipes';
import { precedenceCases } from './precedence';
import { handshakeCases, hookCases } from './preparation';
import { idCases, privilegeCases } from './privileges';
import { directoryCases, programCases, startErrorCases } from './programs';
import { descriptorStdioCases, fileStdioCases } from './redirections';
import { refusalCases } from './refusals';
import { defaultCases, inputCases, mergedCases, outputCases } from './standard-streams';
import { stateCases } from './states';
import { statusCases } from './status';
import { groupCases, treeCases } from './trees';

/** Every case of the suite. Ids never change. */
export const cases: readonly ConformanceCase[] = [
  contractCases,
  argumentCases,
  environmentCases,
  defaultCases,
  inputCases,
  outputCases,
  mergedCases,
  statusCases,
  knowledgeCases,
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
  precedenceCases,
  outputLimitCases,
  disposalCases,
  reuseCases,
  stateCases,
  concurrencyCases,
  lineCases,
  rowCases,
  groupCases,
  treeCases,
  parentExitCases,
  idCases,
  privilegeCases,
  hookCases,
  handshakeCases,
  daemonCases,
  pidFileCases,
  becomingCases,
  eventCases,
  secretCases,
  refusalCases,
].flat();
