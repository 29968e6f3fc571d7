import type { Fetch } from '../contract/issuer.js'

/** A fault of what was fetched. Its message has nothing of the body in it. */
export class FetchFault extends Error {}

/**
 * Fetches JSON within the time of the signal, though the injected `fetch` may not heed it, and up to so many bytes. Redirects are not
 * followed: they could lead to another origin.
 * @throws FetchFault, or whatever the network throws
 */
export async function fetchJson (fetch: Fetch, url: string, init: RequestInit & { signal: AbortSignal }, maxBytes: number): Promise<unknown> {
  const { signal } = init
  if (signal.aborted) throw new FetchFault('timed out')
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new FetchFault('timed out')), { once: true })
  })
  const load = async () => {
    const response = await fetch(url, { ...init, redirect: 'manual' })
    if (response.status !== 200) {
      response.body?.cancel().catch(() => {})
      throw new FetchFault(`status ${response.status}`)
    }
    return await readLimited(response, maxBytes)
  }
  const text = await Promise.race([load(), late])
  try {
    return JSON.parse(text)
  } catch {
    throw new FetchFault('not JSON')
  }
}

async function readLimited (response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    // Leaving the loop cancels the stream.
    if (size > maxBytes) throw new FetchFault(`longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
