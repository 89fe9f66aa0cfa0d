/** Names for the parts of a pod that the rules are about; types only. */
import type { V1Container, V1PodSpec } from "../api/types.ts";

export type Volume = NonNullable<V1PodSpec["volumes"]>[number];
export type SpecSecurity = NonNullable<V1PodSpec["securityContext"]>;
export type Toleration = NonNullable<V1PodSpec["tolerations"]>[number];
export type Affinity = NonNullable<V1PodSpec["affinity"]>;
export type DnsConfig = NonNullable<V1PodSpec["dnsConfig"]>;
export type Spread = NonNullable<
  V1PodSpec["topologySpreadConstraints"]
>[number];
export type EnvSource = NonNullable<
  NonNullable<V1Container["env"]>[number]["valueFrom"]
>;
export type VolumeMount = NonNullable<V1Container["volumeMounts"]>[number];
export type Seccomp = NonNullable<SpecSecurity["seccompProfile"]>;
export type AppArmor = NonNullable<SpecSecurity["appArmorProfile"]>;
export type Projection = NonNullable<
  NonNullable<Volume["projected"]>["sources"]
>[number];
export type DownwardItem = NonNullable<
  NonNullable<Volume["downwardAPI"]>["items"]
>[number];
export type FieldRef = NonNullable<EnvSource["fieldRef"]>;
export type ResourceRef = NonNullable<EnvSource["resourceFieldRef"]>;

/** What every rule that looks past its own container may need to know. */
export interface Surroundings {
  readonly spec: V1PodSpec;
  /** The volumes that are in order, by name. */
  readonly volumes: ReadonlyMap<string, Volume>;
}
