import assert from "node:assert/strict";
import { openFiles } from "./file_modes.ts";

Deno.test("openFiles() names mode and owner, and what to do", () => {
  const file = { path: "/k", namedBy: "--kubeconfig", mostMode: 0o600 };
  assert.deepEqual(openFiles([{ ...file, mode: 0o100600, uid: 0 }]), []);
  assert.deepEqual(openFiles([{ ...file, mode: 0o100400, uid: 0 }]), []);
  assert.deepEqual(openFiles([{ ...file, mode: 0o100644, uid: 1000 }]), [
    "/k (--kubeconfig) has mode 0644, and 0600 or less is wanted: " +
    "chmod 0600 /k",
    "/k (--kubeconfig) belongs to user 1000, and root is wanted: " +
    "chown root:root /k",
  ]);
  const ca = { path: "/ca", namedBy: "clientCAFile", mostMode: 0o644 };
  assert.deepEqual(openFiles([{ ...ca, mode: 0o100644, uid: 0 }]), []);
  assert.equal(openFiles([{ ...ca, mode: 0o100666, uid: 0 }]).length, 1);
});
