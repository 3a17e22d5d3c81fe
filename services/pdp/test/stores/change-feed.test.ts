import { expect, test } from "vitest";
import { silentLog } from "../../src/foundation/log.ts";
import { createFeed } from "../../src/stores/change-feed.ts";
import { openDirect } from "../../src/stores/database.ts";
import { pgProxy } from "../support/pg-proxy.ts";
import { eventually } from "../support/processes.ts";
import { createTestDatabase } from "../support/test-database.ts";

test("a poll whose connection swallows everything is given up, and the next connection is heard", async () => {
  const database = await createTestDatabase();
  const proxy = await pgProxy(database.runtimeUrl);
  let heard = 0;
  let connected = 0;
  const feed = createFeed({
    connect: () => {
      connected++;
      return openDirect({ url: proxy.url, name: "feed", log: silentLog, statementTimeoutMs: 50 });
    },
    intervalMs: 10,
    hear: () => {
      heard++;
    },
    now: () => performance.now(),
    log: silentLog,
  });
  await feed.start();
  proxy.hold("toClient");
  await eventually(() => connected > 1);
  const before = heard;
  proxy.resume("toClient");
  await eventually(() => heard > before);
  expect(connected).toBeGreaterThan(1);
  await feed.close();
  await proxy.close();
  await database.drop();
});
