import { expect, test } from "vitest";
import { commitsOf, rowsPerCommit } from "./commits.ts";

const page = (sum: number, count: number) =>
  `# TYPE remit_batch_rows histogram\nremit_batch_rows_bucket{le="1"} 3\nremit_batch_rows_sum ${sum}\nremit_batch_rows_count ${count}\n`;

test("rows a commit are those between two looks at the metrics", () => {
  const before = commitsOf(page(100, 50));
  expect(before).toEqual({ commits: 50, rows: 100 });
  expect(rowsPerCommit(before, commitsOf(page(190, 60)))).toBe(9);
  expect(rowsPerCommit(before, before)).toBeUndefined();
});

test("a page that does not count commits is not taken for one of a service that made none", () => {
  expect(() => commitsOf("process_cpu_seconds_total 3\n")).toThrow("remit_batch_rows_count");
});
