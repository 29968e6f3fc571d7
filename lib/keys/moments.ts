/** A moment by two clocks, in seconds: that of the wall may be set, and the other may stand still while the machine is suspended. */
export interface Moment {
  /** Since 1970. */
  readonly wall: number
  readonly steady: number
}

export const never: Moment = Object.freeze({ wall: -Infinity, steady: -Infinity })

export const now = (): Moment => ({ wall: Date.now() / 1000, steady: performance.now() / 1000 })

/** Seconds since then by the clock that says more: what may be too old counts as that, and no clock that is set back makes it younger. */
export function since (then: Moment): number {
  const { wall, steady } = now()
  return Math.max(wall - then.wall, steady - then.steady)
}
