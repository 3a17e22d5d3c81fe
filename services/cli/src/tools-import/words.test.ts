import { expect, it } from "vitest";
import { deedOf, verbsOfName, verbsOfText, wordsOf } from "./words.ts";

it.each([
  ["getUserByID", ["get", "user", "by", "id"]],
  ["HTTPServerStart", ["http", "server", "start"]],
  ["files.delete_all-now", ["files", "delete", "all", "now"]],
  ["v2/list:pods", ["v", "list", "pods"]],
  ["", []],
])("%s comes apart where people read it apart", (name, words) => {
  expect(wordsOf(name)).toEqual(words);
});

it("a verb is known in its forms", () => {
  expect(["delete", "deletes", "deleted", "deleting", "dropping", "copies", "pushes"].map(deedOf)).toEqual([
    ...Array(5).fill("destructive"),
    "write",
    "write",
  ]);
  expect(["table", "bed", "sing", "less"].map(deedOf)).toEqual([undefined, undefined, undefined, undefined]);
});

it("a word that may be a thing is a deed where it leads, or where nothing else is one", () => {
  const deeds = (name: string) => verbsOfName(name).map(({ word }) => word);
  expect(deeds("list_open_orders")).toEqual(["list"]);
  expect(deeds("orders.open")).toEqual(["open"]);
  expect(deeds("slack_post_message")).toEqual(["post", "message"]);
  expect(deeds("git_status")).toEqual([]);
});

it("sentences are told by the verb that they begin with", () => {
  const text = "Use this tool to send a mail. It then deletes the draft.\nReturns its id: a text.";
  expect(verbsOfText(text).map(({ word }) => word)).toEqual(["send", "deletes", "returns"]);
});
