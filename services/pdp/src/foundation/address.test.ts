import { expect, test } from "vitest";
import { cannotListen, hostPort } from "./address.ts";

test("an IPv6 host stands in brackets", () => {
  expect(hostPort({ host: "::1", port: 7 })).toBe("[::1]:7");
  expect(hostPort({ host: "localhost", port: 7 })).toBe("localhost:7");
});

test.each([
  ["listen EADDRINUSE: address already in use 127.0.0.1:80", "is in use by another process"],
  ["listen EACCES: permission denied 127.0.0.1:80", "may not be listened on by this user"],
  ["getaddrinfo ENOTFOUND nowhere", "is not an address of this machine"],
  ["something else", "cannot be listened on (something else)"],
])("%s is told in words, with the variable to change", (message, words) => {
  const fault = cannotListen({ host: "127.0.0.1", port: 80 }, "REMIT_HTTP_ADDRESS", new Error(message));
  expect(fault.message).toBe(`127.0.0.1:80 ${words} (REMIT_HTTP_ADDRESS)`);
  expect(fault.detail.fix).toContain("set REMIT_HTTP_ADDRESS to another host:port");
});
