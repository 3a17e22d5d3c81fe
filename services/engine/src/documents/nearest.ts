/** Pairs of letters that are compared for one name, all candidates together, and what looking at a candidate counts. */
const workMax = 60_000;
const candidateWork = 20;

/**
 * The name nearest to a misspelt one: at most a third of its letters away (Damerau-Levenshtein, case ignored), the
 * first of equals; undefined when none is near. Long names are not compared, and of very many names only the first ones
 * that could be near, so that the cost stays bounded.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length === 0 || name.length > 64) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  const letters = name.toLowerCase();
  const lettersOfName = lettersOf(letters);
  let work = 0;
  for (const candidate of candidates) {
    if (work > workMax) break;
    work++;
    if (candidate === name || Math.abs(candidate.length - name.length) >= bestDistance) continue;
    work += candidateWork;
    const other = candidate.toLowerCase();
    if (bits(lettersOfName & ~lettersOf(other)) >= bestDistance) continue;
    work += letters.length * other.length;
    const distance = editDistance(letters, other);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Which letters a text has, some of which share a bit. */
function lettersOf(text: string): number {
  let found = 0;
  for (let at = 0; at < text.length; at++) found |= 1 << (text.charCodeAt(at) & 31);
  return found;
}

function bits(of: number): number {
  let count = 0;
  for (let left = of; left !== 0; left &= left - 1) count++;
  return count;
}

function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) cost = Math.min(cost, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[to.length] ?? 0;
}
