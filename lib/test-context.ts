type CleanUp = () => Promise<void>

/** The context of a test, by which a server closes with it: that of tap, `node:test` or vitest. */
export type TestContext =
  | { teardown (cleanUp: CleanUp): unknown }
  | { after (cleanUp: CleanUp): unknown }
  | { onTestFinished (cleanUp: CleanUp): unknown }

/** Has the test runner call `cleanUp` when the test is over. */
export function atEnd (t: TestContext, cleanUp: CleanUp): void {
  if ('teardown' in t) t.teardown(cleanUp)
  else if ('after' in t) t.after(cleanUp)
  else t.onTestFinished(cleanUp)
}
