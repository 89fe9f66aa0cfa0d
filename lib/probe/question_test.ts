/** What each kind of probe asks, and how it judges. */
import assert from "node:assert/strict";
import { AgentError } from "../base/errors.ts";
import { containerId } from "../api/id.ts";
import { expandAll } from "../pod/env.ts";
import { aContainer } from "../../tests/build.ts";
import { execQuestion, judgeExec, judgeExecError } from "./exec.ts";
import { grpcQuestion, judgeGrpc, judgeGrpcError } from "./grpc.ts";
import { httpQuestion, judgeHttp, judgeHttpError } from "./http.ts";
import type { Outcome } from "./outcome.ts";
import { judgeTcpError, tcpQuestion } from "./tcp.ts";

const AROUND = { podIp: "10.0.0.7", timeoutMs: 1000 };
const SUCCESS: Outcome = { kind: "success" };
const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("httpQuestion() asks the pod as kube-probe, for 10 KiB", () => {
  const ports = [{ name: "web", containerPort: 8080 }];
  const container = aContainer({ ports });
  const action = { port: "web", path: "/healthz" };
  const question = httpQuestion(action, container, AROUND);
  assert(question.kind === "understood");
  assert.equal(question.host, "10.0.0.7");
  assert.equal(question.port, 8080);
  assert.equal(question.limitBytes, 10_240);
  assert.equal(question.timeoutMs, 1000);
  assert.deepEqual(question.headers[0], ["User-Agent", "kube-probe/1.36"]);
});

const STATUSES: readonly [number, Outcome][] = [
  [200, SUCCESS],
  [299, SUCCESS],
  [302, {
    kind: "success",
    warning: "Probe terminated redirects, Response body: said",
  }],
  [304, {
    kind: "success",
    warning: "Probe terminated redirects, Response body: said",
  }],
  [101, {
    kind: "failure",
    message: "HTTP probe failed with statuscode: 101",
  }],
  [400, {
    kind: "failure",
    message: "HTTP probe failed with statuscode: 400",
  }],
  [503, {
    kind: "failure",
    message: "HTTP probe failed with statuscode: 503",
  }],
];

for (const [status, outcome] of STATUSES) {
  Deno.test(`judgeHttp() takes ${status} for a ${outcome.kind}`, () => {
    const answer = { status, body: bytes("said"), elsewhere: undefined };
    assert.deepEqual(judgeHttp(answer), outcome);
  });
}

Deno.test("judgeHttpError() fails without an answer, and errs at half of one", () => {
  const late = new AgentError("Get: late", {
    next: "retry",
    reason: "TimedOut",
  });
  assert.deepEqual(judgeHttpError(late), {
    kind: "failure",
    message: "Get: late",
  });
  const half = new AgentError("eof", { next: "retry", reason: "BodyBroken" });
  assert.deepEqual(judgeHttpError(half), {
    kind: "error",
    state: "failure",
    message: "eof",
  });
});

Deno.test("tcpQuestion() connects to the pod, or where it is told", () => {
  const own = tcpQuestion({ port: 53 }, aContainer(), AROUND);
  assert.deepEqual(own, {
    kind: "understood",
    host: "10.0.0.7",
    port: 53,
    timeoutMs: 1000,
  });
  const other = tcpQuestion({ port: 53, host: "dns" }, aContainer(), AROUND);
  assert(other.kind === "understood");
  assert.equal(other.host, "dns");
  const unknown = tcpQuestion({ port: "no" }, aContainer(), AROUND);
  assert.equal(unknown.kind, "invalid");
  const refused = new AgentError("dial tcp: refused", { next: "retry" });
  assert.deepEqual(judgeTcpError(refused), {
    kind: "failure",
    message: "dial tcp: refused",
  });
});

Deno.test("grpcQuestion() asks for a service of the pod; only SERVING is well", () => {
  assert.deepEqual(grpcQuestion({ port: 5000, service: "db" }, AROUND), {
    host: "10.0.0.7",
    port: 5000,
    service: "db",
    timeoutMs: 1000,
  });
  assert.equal(grpcQuestion({ port: 5000 }, AROUND).service, "");
  assert.deepEqual(judgeGrpc("SERVING"), SUCCESS);
  assert.deepEqual(judgeGrpc("NOT_SERVING"), {
    kind: "failure",
    message: 'service unhealthy (responded with "NOT_SERVING")',
  });
  const error = new AgentError("timeout: late", { next: "retry" });
  assert.deepEqual(judgeGrpcError(error), {
    kind: "failure",
    message: "timeout: late",
  });
});

Deno.test("execQuestion() knows the literal variables of the container only", () => {
  const env = [
    { name: "PORT", value: "80" },
    { name: "FROM", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
  ];
  const command = ["nc", "$(PORT)", "[$(FROM)]", "$(NO)", "$$(PORT)"];
  const question = execQuestion({ command }, aContainer({ env }), {
    id: containerId("c1"),
    timeoutSeconds: 3,
    expand: expandAll,
  });
  assert.deepEqual(question, {
    id: "c1",
    command: ["nc", "80", "[]", "$(NO)", "$(PORT)"],
    timeoutSeconds: 3,
    outputLimitBytes: 10_240,
  });
});

Deno.test("judgeExec() goes by the exit code and keeps 10 KiB of output", () => {
  const none = new Uint8Array();
  const well = { exitCode: 0, stdout: bytes("fine"), stderr: none };
  assert.deepEqual(judgeExec(well), SUCCESS);
  const ill = { exitCode: 1, stdout: bytes("out;"), stderr: bytes("err") };
  assert.deepEqual(judgeExec(ill), { kind: "failure", message: "out;err" });
  const stdout = bytes("é".repeat(20_000));
  const long = judgeExec({ exitCode: 2, stdout, stderr: bytes("more") });
  assert(long.kind === "failure");
  assert.equal(long.message, "é".repeat(5_120));
});

Deno.test("judgeExecError() counts running out of time, and nothing else", () => {
  const question = {
    id: containerId("c1"),
    command: ["sleep", "9"],
    timeoutSeconds: 2,
  };
  const late = new AgentError("late", {
    next: "retry",
    reason: "CommandTimedOut",
  });
  assert.deepEqual(judgeExecError(late, question), {
    kind: "failure",
    message: 'command timed out: "sleep 9" timed out after 2s',
  });
  const away = new AgentError("Cannot run a command: away", { next: "retry" });
  assert.deepEqual(judgeExecError(away, question), {
    kind: "error",
    state: "unknown",
    message: "Cannot run a command: away",
  });
});
