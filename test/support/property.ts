import fc from 'fast-check'
import t, { type Test } from 'tap'

// A short run with each test run; `npm run fuzz` goes on for FUZZ_SECONDS with each property.
const seconds = Number(process.env.FUZZ_SECONDS ?? 0)
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
t.comment(`seed ${seed}: repeat with FUZZ_SEED=${seed}`)

/** Tries a property with random values: so many, or for FUZZ_SECONDS. */
export async function property<T> (
  t: Test, arbitrary: fc.Arbitrary<T>, holds: (value: T) => Promise<void>, numRuns = 300
): Promise<void> {
  let cases = 0
  const parameters = seconds > 0
    ? { seed, numRuns: Infinity, interruptAfterTimeLimit: seconds * 1000, markInterruptAsFailure: false }
    : { seed, numRuns }
  await fc.assert(fc.asyncProperty(arbitrary, async (value) => {
    cases++
    await holds(value)
    // Injected requests end in microtasks, and what they allocate is freed only once the event loop turns.
    await new Promise((resolve) => setImmediate(resolve))
  }), parameters)
  t.comment(`${cases} cases`)
  t.ok(cases > 0)
}
