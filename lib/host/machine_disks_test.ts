import assert from "node:assert/strict";
import { diskActivities, diskMounts } from "./machine_disks.ts";
import { mountEntries } from "./mount_table.ts";

Deno.test("diskMounts() takes each device once, where it is nearest the root", () => {
  const table = mountEntries([
    "1 0 0:5 / /proc rw - proc proc rw",
    "2 0 254:1 /sub /var/lib/sub rw - ext4 /dev/vda1 rw",
    "3 0 254:1 / / rw - ext4 /dev/vda1 rw",
    "4 0 254:2 / /data rw shared:1 - xfs /dev/mapper/data rw",
    "5 0 7:0 / /snap/a ro - squashfs /dev/loop0 ro",
    "6 0 0:30 / /run/pods/rootfs rw - overlay overlay rw",
    "7 0 0:31 / /mnt rw - nfs4 server:/dev/x rw",
  ].join("\n"));
  assert.deepEqual(
    diskMounts(table).map(({ source, path }) => [source, path]),
    [["/dev/vda1", "/"], ["/dev/mapper/data", "/data"]],
  );
});

Deno.test("diskActivities() reads the kernel's counts, and leaves out what is no count", () => {
  const found = diskActivities(
    " 254       0 vda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n" +
      "   8       0 sda 1 2 3\n   9 0 odd a b c d e f g h i j k\n",
  );
  assert.deepEqual([...found.keys()], ["254:0"]);
  const vda = found.get("254:0");
  assert.deepEqual(
    [vda?.reads, vda?.readMs, vda?.writes, vda?.busyMs, vda?.weightedMs],
    [1n, 4n, 5n, 10n, 11n],
  );
});
