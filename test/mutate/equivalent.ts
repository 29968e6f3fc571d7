/** A mutant that no test can tell from the module as it is, and why. The report shows `code` and `change`. */
interface Equivalent {
  path: string
  code: string
  change: string
  why: string
}

export const equivalents: Equivalent[] = [
  {
    path: 'lib/guard/delegates.ts',
    code: "const { method, routeOptions: { url: route = '' }, params } = request",
    change: "'' becomes 'mutant'",
    why: 'for the type: only a 404 handler has no URL, and it is public'
  },
  {
    path: 'lib/guard/delegates.ts',
    code: "typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'",
    change: "typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function' " +
      "becomes typeof value === 'object' && value !== null",
    why: 'an object that is no promise leads to the same answer, one tick later'
  },
  {
    path: 'lib/guard/rights.ts',
    code: 'const scopes = delegates === true ? null : delegates',
    change: 'delegates === true ? null : delegates becomes delegates',
    why: 'for the type: true has no members, and option mayActFor is asked before they matter'
  },
  {
    path: 'lib/guard/rights.ts',
    code: 'const scopes = delegates === true ? null : delegates',
    change: 'true becomes false',
    why: 'as above'
  },
  {
    path: 'lib/guard/rights.ts',
    code: 'if (owner !== null && delegates === true && mayActFor) return askMayActFor(mayActFor, request, user, owner)',
    change: 'owner !== null && delegates === true && mayActFor becomes owner !== null && delegates === true',
    why: 'for the type: delegates: true without option mayActFor stops the boot'
  },
  {
    path: 'lib/options/secret.ts',
    code: 'if (key[0] !== 0x30) return false',
    change: 'key[0] !== 0x30 becomes false',
    why: 'it only saves time'
  }
]
