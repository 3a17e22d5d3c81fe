import { expect, test } from "vitest";
import { ms, rate, table, times } from "./table.ts";

test("columns are as wide as their widest cell, figures stand right", () => {
  expect(
    table(
      ["what", "who", "n"],
      [
        ["echo", "a", "1"],
        ["", "decide", "1,000"],
      ],
    ).split("\n"),
  ).toEqual(["what  who         n", "----  ------  -----", "echo  a           1", "      decide  1,000"]);
});

test("figures read well", () => {
  expect([ms(412), ms(12_345), rate(19_400.4), times(0.5)]).toEqual(["0.41", "12.3", "19,400", "0.50 x"]);
});
