import { spawn } from "node:child_process";

type Env = Readonly<Record<string, string | undefined>>;

/** The program that opens a page, and its first arguments. BROWSER goes before what the system has. */
export function openerFor(env: Env, platform: NodeJS.Platform): readonly [string, ...string[]] {
  if (env.BROWSER) return [env.BROWSER];
  if (platform === "darwin") return ["open"];
  if (platform === "win32") return ["rundll32", "url.dll,FileProtocolHandler"];
  return ["xdg-open"];
}

/** Opens a page in the person's browser. Answers why not, or undefined; it does not wait for the browser to end. */
export function openBrowser(url: string, env: Env): Promise<string | undefined> {
  const [program, ...first] = openerFor(env, process.platform);
  return new Promise((resolve) => {
    const child = spawn(program, [...first, url], { stdio: "ignore", detached: true });
    child.once("error", (error) => resolve(error.message));
    child.once("spawn", () => {
      child.unref();
      resolve(undefined);
    });
    // An opener that finds no browser says so by its end, which may come after this command went on waiting.
    child.once("exit", (code) => {
      if (code !== 0 && code !== null) resolve(`${program} ended with ${code}`);
    });
  });
}
