/**
 * The list with one item more: itself, or a new one in the place of an empty list, which may be shared and is never
 * written to. A list that grows from nothing takes room for 17 items at once, and most have one.
 */
export function added<Item>(list: Item[], item: Item): Item[] {
  if (list.length === 0) return [item];
  list.push(item);
  return list;
}
