/** Room for one thing that is still to come. */
export interface Slot {
  /** Gives the room back; a second time has no effect. */
  release(): void;
}

/** How much may wait at once, in items and bytes. */
export interface Room {
  /** Sets room for one item aside as soon as there is some, in the order of asking; undefined once `givenUp` settles first. */
  reserve(givenUp: Promise<void>): Promise<Slot | undefined>;
  /** Whether another item may come that has no slot. */
  hasRoom(): boolean;
  take(bytes: number): void;
  give(bytes: number): void;
  /** Settles when nothing waits and nothing is set aside. */
  idle(): Promise<void>;
  readonly items: number;
  readonly bytes: number;
}

export function createRoom(itemsMax: number, bytesMax: number): Room {
  const waiting: ((slot: Slot | undefined) => void)[] = [];
  let idlers: (() => void)[] = [];
  let reserved = 0;
  let items = 0;
  let bytes = 0;
  const hasRoom = (): boolean => items + reserved < itemsMax && bytes < bytesMax;
  const grant = (): Slot => {
    reserved++;
    let held = true;
    return {
      release: () => {
        if (!held) return;
        held = false;
        reserved--;
        settle();
      },
    };
  };
  const settle = (): void => {
    while (waiting.length > 0 && hasRoom()) waiting.shift()?.(grant());
    if (items + reserved > 0) return;
    for (const idle of idlers) idle();
    idlers = [];
  };
  return {
    hasRoom,
    reserve: (givenUp) => {
      if (waiting.length === 0 && hasRoom()) return Promise.resolve(grant());
      return new Promise((resolve) => {
        waiting.push(resolve);
        givenUp.then(() => {
          const at = waiting.indexOf(resolve);
          if (at < 0) return;
          waiting.splice(at, 1);
          resolve(undefined);
        });
      });
    },
    take: (more) => {
      items++;
      bytes += more;
    },
    give: (less) => {
      items--;
      bytes -= less;
      settle();
    },
    idle: () =>
      new Promise((resolve) => {
        idlers.push(resolve);
        settle();
      }),
    get items() {
      return items;
    },
    get bytes() {
      return bytes;
    },
  };
}
