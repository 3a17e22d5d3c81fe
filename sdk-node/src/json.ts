/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object: what a tool's input, its context and answers are. */
export type JsonObject = { readonly [key: string]: Json };
