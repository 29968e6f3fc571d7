// What the WHATWG URL standard calls a single-dot or a double-dot segment; `%2e` is one of its dots.
const dotSegment = /(^|\/)(\.|%2e){1,2}(\/|$)/i

/**
 * Whether the path of a request has a dot segment for anybody who decodes it once: a handler that hands the rest of
 * `/api/alice/files/../../bob/x` to `new URL()`, a file system or an upstream would leave what was compared.
 * @param url `request.url`
 */
export function hasDotSegment (url: string): boolean {
  if (!url.includes('.') && !url.includes('%')) return false
  const [path] = url.split(/[?#]/, 1) as [string]
  // The standard removes tabs and line breaks, and reads a backslash as a slash.
  return dotSegment.test(decode(path).replace(/[\t\r\n]/g, '').replaceAll('\\', '/'))
}

/** The router has decoded the same path, so that this one can be decoded, unless a hook of the host has changed it. */
function decode (path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
