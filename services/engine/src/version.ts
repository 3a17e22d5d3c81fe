/** The version of this package, which a recorded decision names so that it can be replayed. */
export const engineVersion = "0.1.0";
