/** A browser without a person: it keeps cookies, follows redirects and sends forms as they stand. */
export interface UserAgent {
  /** Follows an address until it leaves the hosts that it was asked at, and answers where to; or the last page. */
  follow(address: string, until: (url: URL) => boolean): Promise<{ readonly url: URL; readonly page: string }>;
}

const HOPS_MAX = 25;
const FIELD = /<input type="hidden" name="([^"]+)" value="([^"]*)"/g;

/** The form of a page, filled in as it stands. */
function formOf(page: string): { readonly action: string; readonly fields: URLSearchParams } | undefined {
  const [, action] = /<form[^>]*action="([^"]+)"/.exec(page) ?? [];
  if (action === undefined) return undefined;
  const fields = new URLSearchParams();
  for (const [, name = "", value = ""] of page.matchAll(FIELD)) fields.append(name, value);
  return { action, fields };
}

export function createUserAgent(): UserAgent {
  const cookies = new Map<string, string>();
  const ask = async (url: URL, body?: URLSearchParams) => {
    const response = await fetch(url, {
      method: body ? "POST" : "GET",
      redirect: "manual",
      ...(body && { body }),
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "") cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  };
  return {
    async follow(address, until) {
      let url = new URL(address);
      let body: URLSearchParams | undefined;
      for (let hop = 0; hop < HOPS_MAX; hop++) {
        if (until(url)) return { url, page: "" };
        const response = await ask(url, body);
        body = undefined;
        const location = response.headers.get("location");
        if (location !== null) {
          url = new URL(location, url);
          continue;
        }
        const page = await response.text();
        const form = response.ok ? formOf(page) : undefined;
        if (!form) return { url, page };
        url = new URL(form.action, url);
        body = form.fields;
      }
      throw new Error(`more than ${HOPS_MAX} redirects`);
    },
  };
}
