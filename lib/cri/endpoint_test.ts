import assert from "node:assert/strict";
import { AgentError } from "../base/errors.ts";
import { socketPathOf } from "./endpoint.ts";

Deno.test("socketPathOf() takes the three ways to name a socket", () => {
  for (
    const endpoint of [
      "unix:///run/containerd/containerd.sock",
      "unix:/run/containerd/containerd.sock",
      "/run/containerd/containerd.sock",
    ]
  ) {
    assert.equal(socketPathOf(endpoint), "/run/containerd/containerd.sock");
  }
});

Deno.test("socketPathOf() refuses anything else and says what it wants", () => {
  for (
    const endpoint of [
      "",
      "/",
      "unix://",
      "unix://run/containerd.sock",
      "run/containerd.sock",
      "tcp://127.0.0.1:3735",
      "npipe:////./pipe/containerd",
      "/run/\0.sock",
    ]
  ) {
    assert.throws(() => socketPathOf(endpoint), (error) => {
      assert.ok(error instanceof AgentError);
      assert.equal(error.next, "give-up");
      assert.ok(error.message.includes(JSON.stringify(endpoint)));
      assert.match(error.message, /unix:\/\/\/absolute\/path/);
      return true;
    });
  }
});
