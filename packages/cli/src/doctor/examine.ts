/** Looks at everything, and makes the report. */
import { Command, type Backend } from '@vircommand/core';
import { FEATURES, FEATURE_INFO } from '@vircommand/core/backend';
import { createPosixBackend, type DriverName } from '@vircommand/posix';
import { candidates } from '../backends';
import * as machine from './machine';
import { whyMissing } from './missing';
import type { FeatureReport, Named, Report, Verdict } from './report';
import { tryFeature } from './trials';

const driverNames = ['koffi', 'ffi-napi', 'node'] as const satisfies readonly DriverName[];
const usualDriver = (): string => (process.env.VIRCOMMAND_FFI ?? '') || 'koffi';

/** The errors of drivers end with what to do, in parentheses. */
function refusal(error: unknown): Verdict {
  const message = error instanceof Error ? error.message : String(error);
  const [, reason = message, remedy] = /^(.*) \(([^()]*(?:\([^()]*\)[^()]*)*)\)$/s.exec(message) ?? [];
  return { state: 'no', reason, remedy: remedy ?? 'the backend child-process works everywhere' };
}

/** Loaded, and a program started through it. */
function driver(name: DriverName): Named {
  const usual = name === usualDriver();
  try {
    new Command(machine.programOf('true'), [], { backend: createPosixBackend({ driver: name }) }).runSync();
    return { name, usual, state: 'yes' };
  } catch (error) {
    return { name, usual, ...refusal(error) };
  }
}

function backendReports(usual: Backend | undefined): Named[] {
  return candidates.map(({ name, whyNot }) => {
    const reason = whyNot();
    const verdict: Verdict = reason === undefined ? { state: 'yes' } : refusal(new Error(reason));
    return { name, usual: usual?.name === name, ...verdict };
  });
}

async function features(reports: readonly Named[], capabilities: Report['capabilities']): Promise<FeatureReport[]> {
  const all: FeatureReport[] = [];
  const usable = candidates.filter(({ name }) => reports.find((report) => report.name === name)?.state === 'yes');
  for (const feature of FEATURES) {
    const backends: Record<string, Verdict> = {};
    for (const { name, backend } of candidates) {
      if (!usable.some((candidate) => candidate.name === name)) {
        backends[name] = { state: 'no', reason: 'the backend cannot be used here', remedy: 'see above' };
      } else if (backend().features.includes(feature)) {
        backends[name] = await tryFeature(backend(), feature, capabilities);
      } else {
        const other = usable.find((candidate) => candidate.backend().features.includes(feature));
        backends[name] = whyMissing(feature, name, other?.name);
      }
    }
    all.push({ name: feature, summary: FEATURE_INFO[feature].summary, backends });
  }
  return all;
}

/** Takes a second or two: what can be refused is tried. */
export async function examine(version: string, usual: () => Backend): Promise<Report> {
  // node:ffi warns that it is experimental, which is no answer to a question about all drivers.
  process.removeAllListeners('warning');
  let chosen: Backend | undefined;
  try {
    chosen = usual();
  } catch {
    // VIRCOMMAND_BACKEND names one that cannot be used; the report says why.
  }
  const backends = backendReports(chosen);
  const capabilities = machine.capabilities();
  return {
    ok: chosen !== undefined,
    vircommand: version,
    system: machine.system(),
    drivers: driverNames.map(driver),
    backends,
    features: await features(backends, capabilities),
    limits: machine.limits(),
    capabilities,
  };
}
