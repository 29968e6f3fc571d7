/** True for one and the same type: `any`, a wider type and a lost `readonly` are not equal. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false

/** `typeOf(value).is<Type>()` compiles only when that is the type of the value. */
export declare function typeOf<Actual> (value: Actual): {
  is<Expected> (...otherwise: Equal<Actual, Expected> extends true ? [] : [Expected]): void
}
