// Compares ids in a stream of Redis.

/** An id is the server's time in milliseconds and a counter. */
export const timeOf = (id: string) => Number(id.split('-')[0])

export function isBelow (id: string, other: string): boolean {
  const difference = timeOf(id) - timeOf(other)
  return difference === 0 ? Number(id.split('-')[1]) < Number(other.split('-')[1]) : difference < 0
}
