/**
 * A value of `typ` in the one spelling that all its spellings have in common (RFC 7515 §4.1.9): lower case, without
 * `application/`.
 */
export const mediaType = (typ: string): string => typ.toLowerCase().replace(/^application\/(?=[^/]+$)/, '')
