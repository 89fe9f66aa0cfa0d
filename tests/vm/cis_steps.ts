/** The CIS checks 4.1 and 4.2 on the agent that runs in the machine. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { cisRows, cisTable, type FileFacts } from "../contract/cis_checks.ts";
import type { Rig } from "./rig.ts";

const CONFIG = "/var/lib/kubelet/config.yaml";

export async function cisPasses(rig: Rig): Promise<string> {
  const line = await rig.sh(
    "tr '\\0' '\\n' </proc/$(systemctl show denolet --property=MainPID " +
      "--value)/cmdline",
  );
  const unit = "systemctl show denolet --property=FragmentPath --value";
  const service = (await rig.sh(unit)).trim();
  const rows = cisRows({
    words: line.trim().split("\n"),
    config: parse(await rig.sh(`cat ${CONFIG}`)),
    files: {
      service: await factsOf(rig, service),
      proxyKubeconfig: await factsOf(rig, "/var/lib/kube-proxy/kubeconfig"),
      kubeconfig: await factsOf(rig, "/var/lib/kubelet/kubeconfig"),
      clientCa: await factsOf(rig, "/etc/kubernetes/pki/ca.crt"),
      config: await factsOf(rig, CONFIG),
    },
  });
  console.log(cisTable([{ name: "in the machine", rows }]));
  assert.deepEqual(rows.filter(({ isPassed }) => !isPassed), []);
  return `${rows.length} of ${rows.length} checks pass`;
}

async function factsOf(rig: Rig, path: string): Promise<FileFacts | undefined> {
  const text = await rig.sh(
    `stat -L -c '%a %u %g' ${path} 2>/dev/null || true`,
  );
  const [mode, uid, gid] = text.trim().split(" ");
  return mode === undefined || mode === "" ? undefined : {
    mode: Number.parseInt(mode, 8),
    uid: Number(uid),
    gid: Number(gid),
  };
}
