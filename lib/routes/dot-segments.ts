// What the WHATWG URL standard calls a single-dot or a double-dot segment (`%2e` is one of its dots), also for a second
// decoding. What has no place in a URL may stand around the dots, as the standard removes it at either end; and `?`,
// `#` and `;` end a segment too.
const dotSegment = /(^|\/|%2f|%5c)[^!-\uffff]*(\.|%2e){1,2}[^!-\uffff]*([/?#;]|%2f|%5c|$)/i

/**
 * Whether the path of a request has a dot segment for anybody who decodes it: a handler that hands the rest of
 * `/api/alice/files/../../bob/x` to `new URL()`, a file system or an upstream would leave what was compared.
 * @param url `request.url`
 */
export function hasDotSegment (url: string): boolean {
  if (!url.includes('.') && !url.includes('%')) return false
  // Node lets a `#` through, which ends no path that a handler makes of the URL. Of the absolute form (RFC 9112,
  // section 3.2.2) routers and handlers find the path in different places.
  const [path] = (url.startsWith('/') ? url.split('?', 1) : [url]) as [string]
  // The standard removes tabs and line breaks, and reads a backslash as a slash.
  return dotSegment.test(decode(path).replace(/[\t\r\n]/g, '').replaceAll('\\', '/'))
}

/** Of ASCII alone: nothing else matters here, and a bad escape, which the router may not have read, would throw. */
const decode = (path: string) =>
  path.replace(/%([0-7][\da-f])/gi, (_escape, hex: string) => String.fromCharCode(parseInt(hex, 16)))
