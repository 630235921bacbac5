/** What `vircommand doctor` finds: the shape of its `--json`, to which things are added and nothing is taken away. */

/** Whether something can be had here, and if not, why, and what to do about it. */
export interface Verdict {
  /** `limited`: some of it, or not for this user. */
  readonly state: 'yes' | 'limited' | 'no';
  readonly reason?: string | undefined;
  readonly remedy?: string | undefined;
}

/** Something with a name, and its verdict. */
export interface Named extends Verdict {
  readonly name: string;
  /** It is the one that is used when nothing else is said. */
  readonly usual?: boolean | undefined;
}

export interface FeatureReport {
  readonly name: string;
  readonly summary: string;
  readonly backends: Readonly<Record<string, Verdict>>;
}

export interface SystemReport {
  readonly platform: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly libc: string | undefined;
  readonly node: string;
  readonly user: { readonly name: string | undefined; readonly uid: number; readonly gid: number };
  /** `undefined` where `/proc` does not say. */
  readonly noNewPrivs: boolean | undefined;
  readonly seccomp: boolean | undefined;
}

export interface LimitReport {
  readonly name: string;
  readonly soft: string;
  readonly hard: string;
}

export interface Report {
  /** Programs can be started. */
  readonly ok: boolean;
  readonly vircommand: string;
  readonly system: SystemReport;
  readonly drivers: readonly Named[];
  readonly backends: readonly Named[];
  readonly features: readonly FeatureReport[];
  readonly limits: readonly LimitReport[];
  /** By the kernel's names in small letters, without `cap_`; `undefined` where `/proc` does not say. */
  readonly capabilities:
    Readonly<Record<'effective' | 'permitted' | 'bounding' | 'ambient', readonly string[]>> | undefined;
}
