/** Whether what is decided binds, or is only noted beside an allow. */
export const modes = ["enforce", "observe"] as const;
export type Mode = (typeof modes)[number];
