import type { Io } from "./cli.ts";
import { exitCodes, Stop } from "./stop.ts";

/** What a request says of the page that it asks for. */
export interface PageOf {
  readonly pageSize: number;
  readonly pageToken: string;
}

/** As many as a page of registrations may have. A service that allows fewer answers fewer. */
const PAGE_ITEMS = 500;

/**
 * Every page of a list, one after the other, up to the one without a token for the next. An error on any page ends the
 * walk, so that a part of a list is never taken for the whole. A walk is not one moment: what is there all the while is
 * met once, what comes or goes meanwhile may be met or not. A service that knows no pages of this list answers it whole.
 */
export async function* pagesOf<Page extends { readonly nextPageToken: string }>(
  ask: (page: PageOf) => Promise<Page>,
): AsyncGenerator<Page, void, void> {
  for (let pageToken = ""; ; ) {
    const page = await ask({ pageSize: PAGE_ITEMS, pageToken });
    yield page;
    if (page.nextPageToken === "") return;
    if (page.nextPageToken === pageToken) {
      throw new Stop(exitCodes.unavailable, "the service answers the same page again and again", "ask again");
    }
    pageToken = page.nextPageToken;
  }
}

/** What all pages of a list hold. `progress` shows how many of what there are while there are more to come. */
export async function everyItem<Page extends { readonly nextPageToken: string }, Item>(
  ask: (page: PageOf) => Promise<Page>,
  itemsOf: (page: Page) => readonly Item[],
  progress?: { readonly io: Pick<Io, "progress">; readonly what: string },
): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of pagesOf(ask)) {
    for (const item of itemsOf(page)) items.push(item);
    progress?.io.progress(page.nextPageToken === "" ? "" : `${items.length} ${progress.what}`);
  }
  return items;
}
