/**
 * The benchmarks, each of which prints one table:
 *
 *   deno task bench [node] [--rounds N] [--batches N] [--pods N]
 *                   [--idle SECONDS]
 *   deno task bench cluster [same]
 *   deno task bench views [PATTERN]
 *   deno task bench answers
 *   deno task bench victims [CASE…]
 *   deno task bench probes [--pods N] [--seconds N]
 *   deno task bench scrape [--pods N] [--times N]
 *   deno task bench streams [--mib N]
 *   deno task bench start [--rounds N] [--pods N]
 *
 * `node`: pods from a folder, against raw CRI calls. `cluster`: pods from an
 * API server, against the real kubelet. `views`: what containers see, against
 * the real kubelet; fails on a difference that is not on its list. `answers`:
 * what the node's API tells of figures and pods, likewise. `victims`:
 * who goes when something is short, against the real kubelet; memory, disk,
 * inodes, pids, limits, preemption. `probes`: how punctual they are. `scrape`:
 * what it costs to look at a node. `streams`: what exec and port-forward move
 * and cost; both against the real kubelet. `start`: size, time and memory of
 * each form of the program, against the real kubelet.
 */
import { benchAnswers } from "./answers.ts";
import { benchCluster } from "./cluster.ts";
import { benchNode } from "./node.ts";
import { benchProbes } from "./probes.ts";
import { benchScrape } from "./scrape.ts";
import { benchStart } from "./start.ts";
import { benchStreams } from "./streams.ts";
import { benchVictims } from "./victims.ts";
import { benchViews } from "./views.ts";

if (import.meta.main) {
  const [first, ...rest] = Deno.args;
  if (first === "cluster") await benchCluster(rest);
  else if (first === "probes") await benchProbes(rest);
  else if (first === "scrape") await benchScrape(rest);
  else if (first === "victims") Deno.exit(await benchVictims(rest));
  else if (first === "streams") await benchStreams(rest);
  else if (first === "start") await benchStart(rest);
  else if (first === "answers") Deno.exit(await benchAnswers());
  else if (first === "views") Deno.exit(await benchViews(...rest));
  else if (first === "node") await benchNode(rest);
  else await benchNode(Deno.args);
}
