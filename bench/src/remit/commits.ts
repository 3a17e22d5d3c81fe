/** What a service has committed since it started. */
export interface Commits {
  readonly commits: number;
  readonly rows: number;
}

/** Reads it from a page of its metrics: how often, and how much in all, `remit_batch_rows` was observed. */
export function commitsOf(page: string): Commits {
  const figure = (name: string) => {
    const line = page.split("\n").find((one) => one.startsWith(`${name} `));
    if (line === undefined) throw new Error(`the metrics say nothing of ${name}`);
    return Number(line.slice(name.length));
  };
  return { commits: figure("remit_batch_rows_count"), rows: figure("remit_batch_rows_sum") };
}

/** Records in one commit, on average between two looks; undefined where there was no commit. */
export function rowsPerCommit(before: Commits, after: Commits): number | undefined {
  const commits = after.commits - before.commits;
  return commits > 0 ? (after.rows - before.rows) / commits : undefined;
}

export async function readCommits(metricsPort: number): Promise<Commits> {
  const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
  return commitsOf(await answer.text());
}
