/** A mutant that no test can tell from the module as it is, and why. The report shows `code` and `change`. */
interface Equivalent {
  path: string
  code: string
  change: string
  why: string
}

export const equivalents: Equivalent[] = []
