import { expect, test } from "vitest";
import { createMetrics, type PulledMeters } from "./metrics.ts";

const pull: PulledMeters = {
  stalenessSeconds: () => 0.25,
  policiesBroken: () => 2,
  rules: () => 17,
  differences: () => 0,
  revoked: () => ({ revocations: 3, halts: 2 }),
  revision: () => 7,
  streamHandles: () => 3,
  holdsOpen: () => 5,
  sequencer: async () => ({ size: 12n, lagSeconds: 0.5, gap: { writer: 3n, missing: 4n } }),
  defaultPartitionRows: async () => 0,
};

async function lines(metrics: ReturnType<typeof createMetrics>): Promise<string[]> {
  return (await metrics.page()).text.split("\n");
}

test("meters that are pulled are read when the page is", async () => {
  let revision = 7;
  const metrics = createMetrics({ pull: { ...pull, revision: () => revision } });
  expect(await lines(metrics)).toEqual(
    expect.arrayContaining([
      "remit_staleness_seconds 0.25",
      "remit_revision 7",
      "remit_stream_handles 3",
      "remit_holds_open 5",
      "remit_ledger_size 12",
      "remit_sequencer_lag_seconds 0.5",
      "remit_sequencer_stopped 1",
      "remit_default_partition_rows 0",
      "remit_rules 17",
      "remit_revocations 3",
      "remit_halts 2",
    ]),
  );
  revision = 8;
  expect(await lines(metrics)).toContain("remit_revision 8");
});

test("a decision counts under its lane and effect", async () => {
  const metrics = createMetrics({ pull });
  metrics.decided("grpc", "allow", 0.0008);
  metrics.decided("grpc", "allow", 0.0029);
  metrics.decided("connect", "deny", 0.2);
  const page = await lines(metrics);
  expect(page).toContain('remit_decide_seconds_bucket{le="0.001",lane="grpc",effect="allow"} 1');
  expect(page).toContain('remit_decide_seconds_bucket{le="0.003",lane="grpc",effect="allow"} 2');
  expect(page).toContain('remit_decide_seconds_count{lane="connect",effect="deny"} 1');
});

test("reports, commits and shed requests are counted", async () => {
  const metrics = createMetrics({ pull });
  metrics.reported(0.001);
  metrics.committed(0.0007, 12);
  metrics.shed("Explain");
  metrics.compiled(0.2);
  const page = await lines(metrics);
  expect(page).toContain("remit_report_seconds_count 1");
  expect(page).toContain('remit_compile_seconds_bucket{le="0.25"} 1');
  expect(page).toContain("remit_commit_seconds_sum 0.0007");
  expect(page).toContain('remit_batch_rows_bucket{le="8"} 0');
  expect(page).toContain('remit_batch_rows_bucket{le="16"} 1');
  expect(page).toContain('remit_shed_total{rpc="Explain"} 1');
});

test("the page says what it is, and tells of the process when asked to", async () => {
  const page = await createMetrics({ pull, process: true }).page();
  expect(page.contentType).toContain("text/plain");
  expect(page.text).toContain("process_resident_memory_bytes");
  expect((await createMetrics({ pull }).page()).text).not.toContain("process_resident_memory_bytes");
});

test("two services of one process do not share meters", async () => {
  const one = createMetrics({ pull });
  const two = createMetrics({ pull });
  one.shed("Explain");
  expect((await two.page()).text).not.toContain('rpc="Explain"');
});
