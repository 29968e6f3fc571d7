type AtEnd = (cleanUp: () => Promise<void>) => unknown

/** The context of a test, by which a server closes with it: that of tap, `node:test` or vitest. */
export type TestContext = { teardown: AtEnd } | { after: AtEnd } | { onTestFinished: AtEnd }

/** Has the test runner call `cleanUp` when the test is over. @throws TypeError where the context is none of these */
export function atEnd (t: TestContext, cleanUp: () => Promise<void>): void {
  const context = t as Partial<Record<string, AtEnd>> | null
  const name = ['teardown', 'after', 'onTestFinished'].find((each) => typeof context?.[each] === 'function')
  if (name === undefined) {
    throw new TypeError('option "t" must be the context of a test, with teardown, after or onTestFinished; ' +
      'that of a hook has none: leave "t" out there, and call stop() when all is over')
  }
  context?.[name]?.(cleanUp)
}
