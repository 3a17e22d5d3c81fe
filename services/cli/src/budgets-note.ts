/** What has to be said wherever budgets are shown, as long as it is true. */
export const budgetsNote =
  "note: budgets are declared and checked; this version holds no money and refuses no call by them";
