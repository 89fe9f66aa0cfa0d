import assert from "node:assert/strict";
import { createMetrics } from "./metrics.ts";

Deno.test("createMetrics() counts and observes by label", async () => {
  const metrics = createMetrics();
  const asked = metrics.counter({
    name: "asked_total",
    help: "Questions.",
    labels: ["who"],
  });
  asked.add({ who: "a" });
  asked.add({ who: "a" }, 2);
  asked.add({ who: "__proto__" });
  const took = metrics.histogram({
    name: "took_seconds",
    help: "Time.",
    labels: [],
    buckets: [1, 2],
  });
  took.observe({}, 1.5);
  const text = await metrics.text();
  assert.match(text, /# TYPE asked_total counter/);
  assert.match(text, /asked_total\{who="a"\} 3/);
  assert.match(text, /asked_total\{who="__proto__"\} 1/);
  assert.match(text, /took_seconds_bucket\{le="1"\} 0/);
  assert.match(text, /took_seconds_bucket\{le="2"\} 1/);
  assert.match(metrics.contentType, /^text\/plain/);
});

Deno.test("createMetrics() forgets a series that is removed", async () => {
  const metrics = createMetrics();
  const spec = { help: "x", labels: ["pod"] } as const;
  const counter = metrics.counter({ ...spec, name: "c_total" });
  const gauge = metrics.gauge({ ...spec, name: "g" });
  const histogram = metrics.histogram({ ...spec, name: "h" });
  for (const pod of ["a", "b"]) {
    counter.add({ pod });
    gauge.set({ pod }, 1);
    histogram.observe({ pod }, 1);
  }
  counter.remove({ pod: "a" });
  gauge.remove({ pod: "a" });
  histogram.remove({ pod: "a" });
  histogram.remove({ pod: "never" });
  const text = await metrics.text();
  assert.doesNotMatch(text, /pod="a"/);
  assert.match(text, /c_total\{pod="b"\} 1/);
  gauge.replace([[{ pod: "late" }, 7]]);
  const later = await metrics.text();
  assert.match(later, /g\{pod="late"\} 7/);
  assert.doesNotMatch(later, /g\{pod="b"\}/);
});

Deno.test("createMetrics() shares nothing with another set", async () => {
  const spec = { name: "same_total", help: "x", labels: [] } as const;
  const [one, other] = [createMetrics(), createMetrics()];
  one.counter(spec).add({});
  other.counter(spec);
  assert.match(await one.text(), /same_total 1/);
  assert.match(await other.text(), /same_total 0/);
});
