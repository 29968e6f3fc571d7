import type { IssuerSettings } from '../options/issuers.js'

/** A time-out, another status than 200, or a wrong document, of which the message quotes at most 200 characters. */
export class FetchFault extends Error {}

const redirects = new Set([301, 302, 303, 307, 308])
const timedOut = 'timed out (option "timeout")'
const notFollowed = ' (a redirect, which is not followed)'
const accept = 'application/json, application/jwk-set+json'

/**
 * Fetches JSON of at most `maxBytes`. It ends when the signal aborts, even if an injected `fetch` ignores the signal.
 * Redirects are not followed, because they could lead to another origin.
 * @throws FetchFault, or any error of `fetch`
 */
export async function fetchJson (
  { fetch, maxBytes }: IssuerSettings, url: string, signal: AbortSignal
): Promise<unknown> {
  if (signal.aborted) throw new FetchFault(timedOut)
  const timeout = new Promise<never>((_resolve, reject) => { signal.addEventListener('abort', reject) })
  const load = async () => {
    const response = await fetch(url, { method: 'GET', headers: { accept }, redirect: 'manual', signal })
    if (response.status === 200) return await readText(response, maxBytes)
    response.body?.cancel().catch(() => {})
    throw new FetchFault(`status ${response.status}${redirects.has(response.status) ? notFollowed : ''}`)
  }
  const text = await Promise.race([load(), timeout]).catch((error: unknown) => {
    throw signal.aborted ? new FetchFault(timedOut) : error
  })
  try {
    return JSON.parse(text)
  } catch {
    throw new FetchFault('not JSON')
  }
}

async function readText (response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    // Leaving the loop cancels the stream.
    if (size > maxBytes) throw new FetchFault(`longer than ${maxBytes} bytes (option "maxBytes")`)
    chunks.push(chunk)
  }
  return new TextDecoder().decode(Buffer.concat(chunks)) // drops a byte order mark, like `Response.json`
}

/** Says why a fetch failed. Other errors may quote the body in their message, so only their name and codes are kept. */
export function failureOf (error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error' // an injected fetch may reject with anything
  if (error instanceof FetchFault) return error.message
  const { name, code, cause } = error as Error & { code?: unknown, cause?: { code?: unknown } }
  return [name, code, cause?.code].filter(Boolean).join(' ')
}
