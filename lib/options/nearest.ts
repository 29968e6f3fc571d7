/** Returns the name that was probably meant; undefined if none is close. */
export const nearest = (name: string, names: readonly string[]): string | undefined =>
  names.find((each) => squeeze(each) === squeeze(name)) ??
  names.find((each) => isOneEditApart(squeeze(each), squeeze(name)))

/** Returns a hint for a message if a value is probably a misspelt name; else an empty text. */
export function hintAt (value: unknown, names: readonly string[]): string {
  const meant = typeof value === 'string' ? nearest(value, names) : undefined
  return meant === undefined ? '' : `. Did you mean "${meant}"?`
}

/** Removes case and punctuation. */
export const squeeze = (name: string): string => name.toLowerCase().replace(/[^a-z\d]/g, '')

/** Whether one letter is added, removed or replaced, or two are swapped: `users_id`, `usr_id`, `user_ld`, `uesr_id`. */
export function isOneEditApart (a: string, b: string): boolean {
  let start = 0
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++
  const restA = a.slice(start)
  const restB = b.slice(start)
  const isSwap = restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2)
  return isSwap || restA.slice(1) === restB.slice(1) || restA.slice(1) === restB || restA === restB.slice(1)
}
