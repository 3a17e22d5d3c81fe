import { expect, test } from "vitest";
import { openBrowser, openerFor } from "./browser.ts";

test("a page is opened by what the person chose, else by what the system has", () => {
  expect(openerFor({ BROWSER: "/usr/bin/lynx" }, "linux")).toEqual(["/usr/bin/lynx"]);
  expect(openerFor({}, "linux")).toEqual(["xdg-open"]);
  expect(openerFor({}, "darwin")).toEqual(["open"]);
  expect(openerFor({}, "win32")[0]).toBe("rundll32");
});

test("an opener that is not there is told, and not thrown", async () => {
  expect(await openBrowser("http://127.0.0.1:1/", { BROWSER: "/nowhere/browser" })).toContain("ENOENT");
});
