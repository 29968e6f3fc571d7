/** Normalizes a value of `typ` (RFC 7515 §4.1.9): lower case, without `application/`. */
export const mediaType = (typ: string): string => typ.toLowerCase().replace(/^application\/(?=[^/]+$)/, '')
