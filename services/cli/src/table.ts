const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");

function width(text: string): number {
  return text.replace(ESCAPES, "").length;
}

export interface Column {
  readonly title: string;
  /** Numbers read best with their last digits aligned. */
  readonly right?: boolean;
}

/** Lines of aligned cells under a line of titles, two spaces apart, nothing after the last cell. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const titles = columns.map(({ title }) => title);
  const widths = columns.map((_, at) => Math.max(...[titles, ...rows].map((row) => width(row[at] ?? ""))));
  const line = (row: readonly string[]) =>
    columns
      .map(({ right = false }, at) => {
        const cell = row[at] ?? "";
        const space = " ".repeat(Math.max(0, (widths[at] ?? 0) - width(cell)));
        return right ? space + cell : cell + space;
      })
      .join("  ")
      .trimEnd();
  return [titles, ...rows].map(line);
}
