// A single-dot or double-dot segment of the WHATWG URL standard, in which `%2e` is a dot too.
// Around the dots there may be characters that the standard removes at either end; `?`, `#` and `;` end a segment too.
const dotSegment = /(^|\/|%2f|%5c)[^!-\uffff]*(\.|%2e){1,2}[^!-\uffff]*([/?#;]|%2f|%5c|$)/i

/**
 * Whether the path of a request has a dot segment, however it is decoded. If a handler passes the rest of
 * `/api/alice/files/../../bob/x` to `new URL()`, a file system or an upstream, it would reach another user's path.
 * @param url `request.url`
 */
export function hasDotSegment (url: string): boolean {
  if (!url.includes('.') && !url.includes('%')) return false
  // A `#`, which Node lets through, does not end the path. In the absolute form (RFC 9112, section 3.2.2) without a
  // slash after the host, routers and handlers find the path in different places, so all of it is searched.
  const [path] = (/^(https?:\/\/[^/?#]*)?\//.test(url) ? url.split('?', 1) : [url]) as [string]
  // As the router decodes it, and as a handler that decodes it once more.
  return dotSegment.test(decode(decode(path)).replaceAll('\\', '/'))
}

/**
 * Decodes ASCII only. Nothing else matters here, and `decodeURIComponent` would throw at a malformed escape elsewhere.
 * Then removes tabs and line breaks, as the standard does.
 */
const decode = (path: string) =>
  path.replace(/(?:%[0-7][\da-f])+/gi, (escapes) => decodeURIComponent(escapes)).replace(/[\t\r\n]/g, '')
