/**
 * Answers the key that has been in a map for the longest, time after time; undefined where it is empty. Whoever is answered
 * one takes it out before asking again. A map that is kept full by taking its oldest out has a row of gaps at its front, and
 * a look from the start walks over all of them, thousands at a time: this goes on from where it was.
 */
export function oldestKeyOf<Key>(map: ReadonlyMap<Key, unknown>): () => Key | undefined {
  let keys = map.keys();
  return () => {
    const next = keys.next();
    if (!next.done) return next.value;
    // It had come to the end once, and an iterator that has stays there.
    keys = map.keys();
    return keys.next().value;
  };
}
