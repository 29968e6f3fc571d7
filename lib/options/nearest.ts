/** Returns the name that was probably meant; undefined if none is close. */
export function nearest (name: string, names: readonly string[]): string | undefined {
  const [found] = names.map((each) => ({ each, changes: changesBetween(name.toLowerCase(), each.toLowerCase()) }))
    .filter(({ changes }) => changes <= 2 && changes <= name.length / 2)
    .sort((a, b) => a.changes - b.changes)
  return found?.each
}

/** Counts the letters to add, remove or replace (Levenshtein distance). */
function changesBetween (a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (const [index, letter] of [...a].entries()) {
    let left = index + 1
    row = [left, ...Array.from(b, (other, column) => {
      left = Math.min(left + 1, Number(row[column + 1]) + 1, Number(row[column]) + Number(letter !== other))
      return left
    })]
  }
  return Number(row.at(-1))
}
